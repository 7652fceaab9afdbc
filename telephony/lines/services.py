"""Change what a company may say about its numbers and trunks."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from common.errors import Conflict, NotFound
from common.ids import encode
from telephony.models.lines import PhoneNumber, SipTrunk

NUMBER_FIELDS = ("label", "is_active")
TRUNK_FIELDS = ("name", "priority", "max_concurrent", "is_active")


def phone_numbers(*, tenant_id: UUID) -> QuerySet[PhoneNumber]:
    """Return a tenant's numbers. No query yet."""
    return PhoneNumber.objects.for_tenant(tenant_id)


def phone_number(*, tenant_id: UUID, number_id: UUID) -> PhoneNumber:
    """Return one number; raises NotFound. One query."""
    found = phone_numbers(tenant_id=tenant_id).filter(pk=number_id).first()
    if found is None:
        raise NotFound("There is no such phone number.")
    return found


def change_phone_number(*, tenant_id: UUID, number_id: UUID, changes: dict[str, Any], by: Actor) -> PhoneNumber:
    """Change label or is_active; raises NotFound. A repeat changes nothing and leaves no second entry in the log."""
    row = phone_numbers(tenant_id=tenant_id).select_for_update().filter(pk=number_id).first()
    if row is None:
        raise NotFound("There is no such phone number.")
    if changed := _assign(row, changes, NUMBER_FIELDS):
        row.save(update_fields=list(changed))
        audit.record(
            tenant_id=tenant_id,
            action="phone_number.changed",
            by=by,
            object_id=encode("pn", row.pk),
            changes=changed,
        )
    return row


def trunks(*, tenant_id: UUID) -> QuerySet[SipTrunk]:
    """Return a tenant's trunks. No query yet."""
    return SipTrunk.objects.for_tenant(tenant_id)


def trunk(*, tenant_id: UUID, trunk_id: UUID) -> SipTrunk:
    """Return one trunk; raises NotFound. One query."""
    found = trunks(tenant_id=tenant_id).filter(pk=trunk_id).first()
    if found is None:
        raise NotFound("There is no such trunk.")
    return found


def change_trunk(*, tenant_id: UUID, trunk_id: UUID, changes: dict[str, Any], by: Actor) -> SipTrunk:
    """Change name, priority, max_concurrent or is_active; raises NotFound, or Conflict for a name that is taken."""
    row = trunks(tenant_id=tenant_id).select_for_update().filter(pk=trunk_id).first()
    if row is None:
        raise NotFound("There is no such trunk.")
    if changed := _assign(row, changes, TRUNK_FIELDS):
        try:
            with transaction.atomic():
                row.save(update_fields=list(changed))
        except IntegrityError as error:
            raise Conflict("A trunk of this name exists already.", code="name-taken", pointer="/name") from error
        audit.record(
            tenant_id=tenant_id, action="trunk.changed", by=by, object_id=encode("trk", row.pk), changes=changed
        )
    return row


def _assign(row: PhoneNumber | SipTrunk, changes: dict[str, Any], fields: tuple[str, ...]) -> dict[str, list[Any]]:
    """Set what differs; return `{field: [was, is]}`."""
    changed = {}
    for name in fields:
        if name in changes and (before := getattr(row, name)) != changes[name]:
            setattr(row, name, changes[name])
            changed[name] = [before, changes[name]]
    return changed
