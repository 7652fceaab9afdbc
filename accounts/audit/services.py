"""The one door to the audit log: every service that changes something worth knowing later goes through `record`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from accounts.audit import origin
from accounts.audit.canonical import clean_address, clean_changes, clean_text, digest
from accounts.audit.models import AuditEntry
from accounts.principals import Principal


@dataclass(frozen=True)
class Actor:
    """Who did something: a user, an API key, a visitor, an operator or the system. `address` only where no request tells it."""

    kind: str
    name: str
    id: UUID | None = None
    address: str | None = None


SYSTEM: Final = Actor("system", "IRISX")


def actor_of(principal: Principal) -> Actor:
    """Return the actor a principal is."""
    return Actor(str(principal.kind), principal.name, principal.id)


def operator(user: Any) -> Actor:
    """Return the actor a signed-in operator is: in the admin, and wherever no tenant's role counts."""
    return Actor("operator", user.name, user.pk)


def record(
    *,
    tenant_id: UUID,
    action: str,
    by: Actor,
    object_id: str = "",
    changes: Mapping[str, Any] | None = None,
    keep_origin: bool = True,
) -> AuditEntry:
    """Write one entry in the caller's transaction; the database links it into the tenant's chain at the commit. One statement.

    `tenant_id` is the tenant scope's own, or PLATFORM under system access. `action` is `thing.happened`; `changes` says what
    was and what is (`changed`), its secrets are masked here. Where the request comes from is known (accounts.audit.origin);
    `keep_origin=False` leaves it out, of people who asked to be forgotten.
    """
    here = origin.current() if keep_origin else origin.NOWHERE
    impersonator_id, impersonator_name = here.impersonator or (None, "")
    entry = AuditEntry(
        tenant_id=tenant_id,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=clean_text(by.name, 254),
        impersonator_id=impersonator_id,
        impersonator_name=clean_text(impersonator_name, 254),
        action=action,
        object_id=clean_text(object_id, 60),
        changes=clean_changes(changes or {}),
        ip_address=clean_address(by.address or here.address) if keep_origin else None,
        user_agent=clean_text(here.user_agent, 200),
        request_id=clean_text(here.request_id, 128),
    )
    entry.digest = digest(entry.facts)
    entry.save(force_insert=True)
    return entry


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return `{name: {"from": …, "to": …}}` of the values that differ."""
    names = [*before, *(name for name in after if name not in before)]
    return {
        name: {"from": before.get(name), "to": after.get(name)} for name in names if before.get(name) != after.get(name)
    }
