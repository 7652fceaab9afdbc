"""Give agents telephones: extensions, their SIP users and passwords."""

import hashlib
import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from accounts.models import Membership
from common.errors import Conflict, Invalid, NotFound
from common.ids import encode
from common.sealed import seal
from telephony.inbound.models import EXTENSION, Extension, NumberRoute

log = logging.getLogger(__name__)

PASSWORD_BYTES = 18
_TAKEN = {
    "extensions_number": ("/number", "number-taken", "Another extension has this number."),
    "extensions_user": ("/user", "has-extension", "This person has an extension already."),
}


@dataclass(frozen=True, slots=True)
class NewTelephone:
    """An extension with its password, which is shown once and kept nowhere."""

    extension: Extension
    password: str


def extensions(*, tenant_id: UUID) -> QuerySet[Extension]:
    """Return a tenant's extensions with their people. No query yet."""
    return Extension.objects.for_tenant(tenant_id).select_related("user")


def extension(*, tenant_id: UUID, extension_id: UUID) -> Extension:
    """Return one extension; raises NotFound."""
    found = extensions(tenant_id=tenant_id).filter(pk=extension_id).first()
    if found is None:
        raise NotFound("There is no such extension.")
    return found


def extension_of(*, tenant_id: UUID, user_id: UUID) -> Extension | None:
    """Return the telephone an agent is reached at, if they have one that is in use. One query."""
    return Extension.objects.for_tenant(tenant_id).filter(user_id=user_id, is_active=True).first()


def create_extension(
    *, tenant_id: UUID, number: str, label: str = "", user_id: UUID | None = None, by: Actor, now: datetime
) -> NewTelephone:
    """Make an extension with a SIP user and password of its own. Raises Invalid, NotFound for a stranger, Conflict."""
    if not re.fullmatch(EXTENSION, number):
        raise Invalid("An extension has 2 to 8 digits.", code="no-extension", pointer="/number")
    _require_member(tenant_id, user_id)
    row = Extension(tenant_id=tenant_id, number=number, label=label, user_id=user_id, created_at=now)
    # Names that can't be guessed give scanners nothing to try passwords on.
    row.sip_user = f"{number}-{secrets.token_hex(5)}"
    password = _set_password(row)
    _store(row, force_insert=True)
    _audit(row, "extension.created", by, {"number": number})
    return NewTelephone(row, password)


def provide(*, tenant_id: UUID, number: str, user_id: UUID, by: Actor, now: datetime) -> None:
    """Give somebody an extension unless they have one; one that is taken is somebody else's, and logged."""
    if Extension.objects.for_tenant(tenant_id).filter(user_id=user_id).exists():
        return
    try:
        create_extension(tenant_id=tenant_id, number=number, user_id=user_id, by=by, now=now)
    except (Conflict, Invalid):
        log.warning("extension %s is not free for who joined", number, exc_info=True)


def put_away(*, tenant_id: UUID, user_id: UUID, by: Actor) -> None:
    """Stop somebody's telephone; a repeat changes nothing."""
    row = extension_of(tenant_id=tenant_id, user_id=user_id)
    if row is not None:
        change_extension(tenant_id=tenant_id, extension_id=row.pk, changes={"is_active": False}, by=by)


def change_extension(*, tenant_id: UUID, extension_id: UUID, changes: dict[str, Any], by: Actor) -> Extension:
    """Change label, user_id or is_active; raises NotFound or Conflict."""
    row = _locked(tenant_id, extension_id)
    if "user_id" in changes:
        _require_member(tenant_id, changes["user_id"])
    for name in ("label", "user_id", "is_active"):
        if name in changes:
            setattr(row, name, changes[name])
    _store(row, update_fields=["label", "user", "is_active"])
    _audit(row, "extension.changed", by, {name: str(value) for name, value in changes.items()})
    return extension(tenant_id=tenant_id, extension_id=extension_id)


def reset_password(*, tenant_id: UUID, extension_id: UUID, by: Actor) -> NewTelephone:
    """Give an extension another password; the old one stops registering at once."""
    row = _locked(tenant_id, extension_id)
    password = _set_password(row)
    row.save(update_fields=["sealed_a1_hash"])
    _audit(row, "extension.password_reset", by, {})
    return NewTelephone(extension(tenant_id=tenant_id, extension_id=extension_id), password)


def delete_extension(*, tenant_id: UUID, extension_id: UUID, by: Actor) -> None:
    """Delete an extension; raises NotFound, or Conflict while a number leads to it."""
    row = _locked(tenant_id, extension_id)
    if NumberRoute.objects.for_tenant(tenant_id).filter(extension=row).exists():
        raise Conflict("A number leads to this extension; change its route first.", code="in-use")
    _audit(row, "extension.deleted", by, {"number": row.number})
    row.delete()


def _set_password(row: Extension) -> str:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    digest = f"{row.sip_user}:{settings.FREESWITCH_SIP_DOMAIN}:{password}".encode()
    # RFC 2617 knows MD5 alone, and so does the switch: the digest is guarded as the password would be.
    row.sealed_a1_hash = seal(hashlib.md5(digest, usedforsecurity=False).hexdigest())
    return password


def _require_member(tenant_id: UUID, user_id: UUID | None) -> None:
    if user_id is None:
        return
    members = Membership.objects.for_tenant(tenant_id).filter(user_id=user_id, is_active=True)
    if not members.exists():
        raise Invalid("This is nobody of your company.", code="no-member", pointer="/user")


def _store(row: Extension, **how: Any) -> None:
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        for constraint, (pointer, code, message) in _TAKEN.items():
            if constraint in str(error):
                raise Conflict(message, code=code, pointer=pointer) from error
        raise


def _locked(tenant_id: UUID, extension_id: UUID) -> Extension:
    found = Extension.objects.for_tenant(tenant_id).select_for_update().filter(pk=extension_id).first()
    if found is None:
        raise NotFound("There is no such extension.")
    return found


def _audit(row: Extension, action: str, by: Actor, changes: dict[str, Any]) -> None:
    audit.record(tenant_id=row.tenant_id, action=action, by=by, object_id=encode("ex", row.pk), changes=changes)
