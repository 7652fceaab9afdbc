"""Labels and canned replies: what a company's agents have at hand."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Func, Model, TextField, Value

from accounts.models import Tenant
from accounts.tenancy.models import TenantModel
from chat.events import InboxChanged
from chat.models import CannedReply, Conversation, Label
from chat.selectors import conversations, present_rows
from common.errors import Conflict, NotFound, WrongState
from common.live import publish_on_commit

MOST = 500
# More open rows than this are not rung one by one: the desks notice at their next ping.
MOST_RUNG = 100
T = TypeVar("T", bound=TenantModel)


def lock_tenant(tenant_id: UUID) -> Tenant:
    """Return the tenant with its row locked until the transaction ends: whoever counts against a limit goes one by one.

    Rows that refer to the tenant can be written meanwhile (FOR NO KEY UPDATE).
    """
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)


def create_label(*, tenant_id: UUID, name: str, color: str) -> Label:
    """Add a label. Raises Conflict when the name is taken, WrongState beyond 500."""
    _require_room(Label, tenant_id)
    return _unless_taken("name", lambda: Label.objects.create(tenant_id=tenant_id, name=name, color=color))


def change_label(*, tenant_id: UUID, label_id: UUID, changes: dict[str, Any]) -> Label:
    """Change a label's name or colour; a new name is put on every conversation that had the old one."""
    label = _locked(Label, tenant_id, label_id)
    before = label.name
    _store(label, "name", changes)
    if label.name != before:
        _relabel(tenant_id, before, label.name)
    return label


def delete_label(*, tenant_id: UUID, label_id: UUID) -> None:
    """Delete a label and take it off every conversation."""
    label = _locked(Label, tenant_id, label_id)
    label.delete()
    _relabel(tenant_id, label.name, None)


def create_canned_reply(*, tenant_id: UUID, shortcut: str, text: str) -> CannedReply:
    """Add a canned reply. Raises Conflict when the shortcut is taken, WrongState beyond 500."""
    _require_room(CannedReply, tenant_id)
    return _unless_taken(
        "shortcut", lambda: CannedReply.objects.create(tenant_id=tenant_id, shortcut=shortcut, text=text)
    )


def change_canned_reply(*, tenant_id: UUID, reply_id: UUID, changes: dict[str, Any]) -> CannedReply:
    """Change a canned reply's shortcut or text."""
    reply = _locked(CannedReply, tenant_id, reply_id)
    _store(reply, "shortcut", changes)
    return reply


def delete_canned_reply(*, tenant_id: UUID, reply_id: UUID) -> None:
    """Delete a canned reply."""
    _locked(CannedReply, tenant_id, reply_id).delete()


def _locked(model: type[T], tenant_id: UUID, key: UUID) -> T:
    found = model.objects.for_tenant(tenant_id).select_for_update().filter(pk=key).first()
    if found is None:
        raise NotFound(f"There is no such {model._meta.verbose_name}.")
    return found


def _require_room(model: type[TenantModel], tenant_id: UUID) -> None:
    lock_tenant(tenant_id)
    if model.objects.for_tenant(tenant_id).count() >= MOST:
        raise WrongState(f"There are {MOST} {model._meta.verbose_name_plural} already.", code="limit-reached")


def _store(row: Model, unique: str, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        _unless_taken(unique, lambda: row.save(update_fields=list(changes)))


R = TypeVar("R")


def _unless_taken(field: str, write: Callable[[], R]) -> R:
    try:
        with transaction.atomic():
            return write()
    except IntegrityError as error:
        raise Conflict(f"There is one with this {field} already.", code="exists", pointer=f"/{field}") from error


def _relabel(tenant_id: UUID, old: str, new: str | None) -> None:
    """Put `new` for `old` on the tenant's conversations (None: take it off); rows are locked in the order of their keys."""
    rows = Conversation.objects.for_tenant(tenant_id).filter(labels__contains=[old])
    wearing = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", "status"))
    name = Value(old, TextField())
    changed = (
        Func(F("labels"), name, function="array_remove")
        if new is None
        else Func(F("labels"), name, Value(new, TextField()), function="array_replace")
    )
    Conversation.objects.for_tenant(tenant_id).filter(pk__in=[key for key, _ in wearing]).update(labels=changed)
    _ring(tenant_id, [key for key, status in wearing if status == Conversation.Status.ACTIVE][:MOST_RUNG])


def _ring(tenant_id: UUID, keys: list[UUID]) -> None:
    for row in present_rows(tenant_id, list(conversations(tenant_id).filter(pk__in=keys)) if keys else []):
        publish_on_commit(InboxChanged(tenant_id, row))
