"""A company's widgets: made within the plan's limit, changed, and deleted while nobody ever wrote there."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from chat.models import Conversation, Widget, new_identity_secret
from chat.selectors import WIDGET_KEY
from chat.services.catalogue import lock_tenant
from common.errors import NotFound, WrongState

# Inactive widgets included; a plan's limit counts the active ones.
MOST = 200


def find_widget(*, tenant_id: UUID, widget_key: str, is_locked: bool = False) -> Widget:
    """Return the tenant's widget, active or not, its row locked when wanted; raise NotFound."""
    rows = Widget.objects.for_tenant(tenant_id)
    rows = rows.select_for_update() if is_locked else rows
    found = rows.filter(widget_key=widget_key).first() if WIDGET_KEY.fullmatch(widget_key) else None
    if found is None:
        raise NotFound("There is no such widget.")
    return found


def create_widget(*, tenant_id: UUID, look: dict[str, Any]) -> Widget:
    """Store a widget. Raises WrongState when the plan has no room for another active one."""
    _require_room(tenant_id, needs_active=look.get("is_active", True))
    widget = Widget(tenant_id=tenant_id)
    for name, value in look.items():
        setattr(widget, name, value)
    widget.save(force_insert=True)
    return widget


def change_widget(*, tenant_id: UUID, widget_key: str, changes: dict[str, Any]) -> Widget:
    """Change a widget. Raises WrongState when it is to be active again and the plan has no room."""
    if changes.get("is_active"):
        lock_tenant(tenant_id)
    widget = find_widget(tenant_id=tenant_id, widget_key=widget_key, is_locked=True)
    if changes.get("is_active") and not widget.is_active:
        _require_room(tenant_id, needs_active=True, is_new=False)
    for name, value in changes.items():
        setattr(widget, name, value)
    if changes:
        widget.save(update_fields=list(changes))
    return widget


def delete_widget(*, tenant_id: UUID, widget_key: str) -> None:
    """Delete a widget without conversations; raises WrongState when there are some: it can be deactivated instead."""
    widget = find_widget(tenant_id=tenant_id, widget_key=widget_key, is_locked=True)
    has_conversations = Conversation.objects.for_tenant(tenant_id).filter(widget=widget).exists()
    if has_conversations or not _deleted(widget):
        raise WrongState(
            "This widget has conversations, which would be lost. Deactivate it instead: PATCH is_active to false.",
            code="has-conversations",
        )


def rotate_identity_secret(*, tenant_id: UUID, widget_key: str) -> Widget:
    """Give a widget a new identity secret; tokens signed with the old one are refused from now on."""
    changes = {"identity_secret": new_identity_secret()}
    return change_widget(tenant_id=tenant_id, widget_key=widget_key, changes=changes)


def _require_room(tenant_id: UUID, *, needs_active: bool, is_new: bool = True) -> None:
    limit = lock_tenant(tenant_id).limits.get("widgets")
    widgets = Widget.objects.for_tenant(tenant_id)
    if is_new and widgets.count() >= MOST:
        raise WrongState(f"There are {MOST} widgets already, the inactive ones included.", code="limit-reached")
    if needs_active and limit is not None and widgets.filter(is_active=True).count() >= limit:
        allowed = "one active widget" if limit == 1 else f"{limit} active widgets"
        raise WrongState(f"Your plan allows {allowed}; deactivate one or change the plan.", code="limit-reached")


def _deleted(widget: Widget) -> bool:
    """Delete, holding the database to its foreign keys at once: a conversation may have begun this moment."""
    try:
        with transaction.atomic():
            widget.delete()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError:
        return False
    return True
