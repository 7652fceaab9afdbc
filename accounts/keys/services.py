"""API keys: given out, rotated with an overlap, taken back at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import audit, revocation, tokens
from accounts.audit import Actor
from accounts.keys.models import ApiKey
from accounts.permissions import SCOPES
from common.errors import FieldProblem, Invalid, NotFound, WrongState
from common.ids import encode

PREFIX = "ak"
LONGEST_OVERLAP_HOURS = 168


@dataclass(frozen=True)
class Rotated:
    """What a rotation made: the key in place of the old one, its text, which nobody can read again, and the old one."""

    key: ApiKey
    text: str
    old: ApiKey


def issue_api_key(
    *,
    tenant_id: UUID,
    name: str,
    scopes: Iterable[str],
    created_by: UUID | None = None,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
    actor: Actor | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key and return it with its text, which nobody can read again. Raises Invalid for scopes there are not.

    With an `actor` the audit log says who made it.
    """
    wanted = sorted(set(scopes))
    _refuse(wanted, "unknown-scope", "{} is not a scope.", SCOPES)
    with transaction.atomic():
        key, text = _store(
            tenant_id=tenant_id,
            name=name,
            scopes=wanted,
            created_by_id=created_by,
            expires_at=expires_at,
            per_minute=per_minute,
        )
        if actor is not None:
            changes = {"name": name, "scopes": wanted, "expires_at": expires_at, "per_minute": per_minute}
            _audit(key, "api_key.created", actor, changes)
    return key, text


def require_grantable(*, scopes: Iterable[str], held: frozenset[str]) -> None:
    """Raise Invalid for scopes that who gives them does not hold: nobody gives more than he may do himself."""
    _refuse(sorted(set(scopes) & SCOPES), "not-yours", "{} is not yours to give.", held)


def require_future(expires_at: datetime | None, *, now: datetime) -> None:
    """Raise Invalid for an end that has passed."""
    if expires_at is not None and expires_at <= now:
        raise Invalid("A key ends in the future, or never.", code="in-the-past", pointer="/expires_at")


def key_of(*, tenant_id: UUID, key_id: UUID) -> ApiKey:
    """Return a key; raise NotFound."""
    key = ApiKey.objects.for_tenant(tenant_id).select_related("created_by").filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such API key.")
    return key


def change_api_key(*, tenant_id: UUID, key_id: UUID, values: Mapping[str, Any], actor: Actor) -> ApiKey:
    """Change a key's `name` or `per_minute`. A repeat changes nothing. Raises NotFound."""
    with transaction.atomic():
        key = _locked(tenant_id, key_id)
        changes = audit.changed({name: getattr(key, name) for name in values}, values)
        if changes:
            for name in changes:
                setattr(key, name, values[name])
            key.save(update_fields=list(changes))
            _audit(key, "api_key.changed", actor, changes)
    return key_of(tenant_id=tenant_id, key_id=key_id)


def rotate_api_key(
    *, tenant_id: UUID, key_id: UUID, overlap: timedelta, held: frozenset[str], created_by: UUID | None, actor: Actor,
    now: datetime,
) -> Rotated:  # fmt: skip
    """Make a key in place of another, with its name, scopes, rate and end; the old one lives for the overlap or to its end.

    Raises NotFound, Invalid for scopes that are not the caller's to give, WrongState for a key that is used up: revoked,
    expired, or rotated already (of two at once, one).
    """
    with transaction.atomic():
        old = _locked(tenant_id, key_id)
        if not old.is_usable(now) or old.replaced_by_id is not None:
            raise WrongState("This key is revoked, expired or rotated already.", code="key-used-up")
        require_grantable(scopes=old.scopes, held=held)
        key, text = _store(
            tenant_id=tenant_id,
            name=old.name,
            scopes=old.scopes,
            created_by_id=created_by,
            expires_at=old.expires_at,
            per_minute=old.per_minute,
        )
        ends = now + overlap
        old.expires_at = min(ends, old.expires_at) if old.expires_at else ends
        old.replaced_by = key
        old.save(update_fields=["expires_at", "replaced_by"])
        changes = {"replaced_by": encode(PREFIX, key.pk), "old_key_ends_at": old.expires_at}
        _audit(old, "api_key.rotated", actor, changes)
    return Rotated(key, text, old)


def revoke_api_key(*, tenant_id: UUID, key_id: UUID, actor: Actor, now: datetime) -> None:
    """End a key at once, and whatever was opened with it. A repeat changes nothing. Raises NotFound."""
    with transaction.atomic():
        key = key_of(tenant_id=tenant_id, key_id=key_id)
        if _revoke(ApiKey.objects.for_tenant(tenant_id).filter(pk=key_id), now):
            _audit(key, "api_key.revoked", actor, {"name": key.name})
            revocation.ring(people=[key_id])


def revoke_all(*, tenant_id: UUID, now: datetime) -> int:
    """End every key of a tenant and return how many there were."""
    return _revoke(ApiKey.objects.for_tenant(tenant_id), now)


def _revoke(keys: Any, now: datetime) -> int:
    ended = Q(expires_at__lte=now)
    count: int = keys.filter(~ended | Q(expires_at=None), revoked_at=None).update(revoked_at=now)
    return count


def _store(
    *,
    tenant_id: UUID,
    name: str,
    scopes: list[str],
    created_by_id: UUID | None,
    expires_at: datetime | None,
    per_minute: int | None,
) -> tuple[ApiKey, str]:
    fresh = tokens.new_key()
    key = ApiKey.objects.create(
        tenant_id=tenant_id,
        name=name,
        prefix=fresh.prefix,
        secret_hash=fresh.secret_hash,
        scopes=scopes,
        created_by_id=created_by_id,
        expires_at=expires_at,
        per_minute=per_minute,
    )
    return key, fresh.text


def _locked(tenant_id: UUID, key_id: UUID) -> ApiKey:
    key = ApiKey.objects.for_tenant(tenant_id).select_for_update(no_key=True).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such API key.")
    return key


def _refuse(scopes: Iterable[str], code: str, words: str, allowed: frozenset[str]) -> None:
    wrong = [scope for scope in scopes if scope not in allowed]
    if wrong:
        raise Invalid.many([FieldProblem("/scopes", code, words.format(scope[:40])) for scope in wrong])


def _audit(key: ApiKey, action: str, actor: Actor, changes: dict[str, Any]) -> None:
    object_id = encode(PREFIX, key.pk)
    audit.record(tenant_id=key.tenant_id, action=action, by=actor, object_id=object_id, changes=changes)
