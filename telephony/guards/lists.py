"""The company's list of numbers it must not call: asked before every call leaves."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from common.errors import NotFound
from common.ids import encode
from telephony.guards.csv_numbers import Found
from telephony.guards.models import DoNotCall

ROWS_A_STATEMENT = 5_000


@dataclass(frozen=True)
class Imported:
    """What came of a file: numbers new on the list, and those that were on it already."""

    added: int
    present: int


def numbers_not_to_call(*, tenant_id: UUID) -> QuerySet[DoNotCall]:
    """Return the list. No query yet."""
    return DoNotCall.objects.for_tenant(tenant_id)


def add_number(*, tenant_id: UUID, number: str, note: str, by: Actor) -> tuple[DoNotCall, bool]:
    """Return the number's entry, and whether it is new: a repeat changes nothing."""
    row, is_new = numbers_not_to_call(tenant_id=tenant_id).get_or_create(
        tenant_id=tenant_id, number=number, defaults={"note": note}
    )
    if is_new:
        _note(tenant_id, "do_not_call.added", by, encode("dnc", row.pk), {"number": number})
    return row, is_new


def remove_number(*, tenant_id: UUID, entry_id: UUID, by: Actor) -> None:
    """Take a number off the list; raises NotFound."""
    row = numbers_not_to_call(tenant_id=tenant_id).select_for_update().filter(pk=entry_id).first()
    if row is None:
        raise NotFound("This number is not on your list.")
    row.delete()
    _note(tenant_id, "do_not_call.removed", by, encode("dnc", entry_id), {"number": row.number})


def import_numbers(*, tenant_id: UUID, found: Found, by: Actor) -> Imported:
    """Put a file's numbers on the list; those that are on it stay as they are."""
    rows = [DoNotCall(tenant_id=tenant_id, number=number, note=note) for number, note in sorted(found.notes.items())]
    before = numbers_not_to_call(tenant_id=tenant_id).filter(number__in=found.notes).count()
    DoNotCall.unscoped.bulk_create(rows, batch_size=ROWS_A_STATEMENT, ignore_conflicts=True)
    added = len(rows) - before
    if added:
        _note(tenant_id, "do_not_call.imported", by, "", {"added": added, "refused": found.refused})
    return Imported(added, before)


def _note(tenant_id: UUID, action: str, by: Actor, object_id: str, changes: dict[str, object]) -> None:
    audit.record(tenant_id=tenant_id, action=action, by=by, object_id=object_id, changes=changes)
