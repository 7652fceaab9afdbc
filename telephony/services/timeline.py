"""Write the timeline of a call: every change is an event, and every status an announcement, in one transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.webhooks.services import WebhookEvent, enqueue
from common.errors import NotFound
from common.ids import encode_call
from common.live import publish_on_commit
from telephony.events import CallChanged
from telephony.models import Call, CallEvent
from telephony.presenting import present_call
from telephony.states import CallStatus, may_move


def locked_call(*, tenant_id: UUID, call_id: UUID) -> Call:
    """Return the call with its row locked: whoever changes a call, its legs or commands locks it first."""
    call = Call.objects.for_tenant(tenant_id).select_for_update().filter(pk=call_id).first()
    if call is None:
        raise NotFound("There is no such call.")
    return call


def move(
    call: Call,
    *,
    to: CallStatus,
    occurred_at: datetime,
    leg_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
) -> bool:
    """Move a locked call to another status, with the facts that come with it; say whether the table allowed it.

    What isn't allowed changes nothing: repeats and stragglers are harmless. Writes the event and the webhook's row.
    """
    if not may_move(current=CallStatus(call.status), to=to):
        return False
    changed = {"status": to.value} | (facts or {})
    for name, value in changed.items():
        setattr(call, name, value)
    append(call, type=to.value, occurred_at=occurred_at, leg_id=leg_id, payload=_summary(call), saving=list(changed))
    enqueue(
        WebhookEvent(
            type=f"call.{to}",
            tenant_id=call.tenant_id,
            object_id=encode_call(call.pk),
            data=present_call(call),
            occurred_at=occurred_at,
        ),
        callback_url=call.status_callback,
    )
    return True


def append(
    call: Call,
    *,
    type: str,
    occurred_at: datetime,
    leg_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
    saving: list[str] | None = None,
) -> CallEvent:
    """Append an event to a locked call, saving the call's changed fields with it. Two statements."""
    call.last_seq += 1
    call.save(update_fields=["last_seq", *(saving or [])])
    publish_on_commit(CallChanged(call.tenant_id, call.pk, call.status, call.last_seq))
    return CallEvent.objects.create(
        tenant_id=call.tenant_id,
        call_id=call.pk,
        seq=call.last_seq,
        type=type,
        leg_id=leg_id,
        payload=payload or {},
        occurred_at=occurred_at,
    )


def _summary(call: Call) -> dict[str, Any]:
    if not call.is_final:
        return {}
    shown = present_call(call)
    names = ("reason", "hangup_cause", "q850", "sip_status", "hangup_source", "estimated", "billed_seconds")
    return {name: shown[name] for name in names}
