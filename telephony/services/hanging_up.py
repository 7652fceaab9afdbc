"""End a call because somebody asked for it."""

from datetime import datetime, timedelta
from uuid import UUID

from telephony.errors import CallEnded
from telephony.facts import Ended
from telephony.models import Call, CallCommand, CallLeg
from telephony.models.commands import CommandKind, CommandStatus
from telephony.services.ending import end_leg
from telephony.services.placing import order
from telephony.services.timeline import append, locked_call
from telephony.states import Dispatch, HangupSource

# Hanging up late is better than not at all: the command waits for its switch as long as any call can last.
HANG_UP_WITHIN = timedelta(hours=24)


def hangup_call(*, tenant_id: UUID, call_id: UUID, now: datetime) -> Call:
    """Ask for the end of a call; one that was not dialled yet is canceled at once and never dialled.

    Raises NotFound or CallEnded. A repeat while the switch still works on it changes nothing.
    """
    call = locked_call(tenant_id=tenant_id, call_id=call_id)
    if call.is_final:
        raise CallEnded("The call is over already.")
    if call.cancel_requested_at is not None:
        return call
    call.cancel_requested_at = now
    append(call, type="hangup_requested", occurred_at=now, saving=["cancel_requested_at"])
    for leg in CallLeg.objects.for_tenant(tenant_id).filter(call_id=call_id, finalized_at=None).order_by("id"):
        hang_up_leg(call, leg, now=now)
    return call


def hang_up_leg(call: Call, leg: CallLeg, *, now: datetime, cause: str = "NORMAL_CLEARING") -> None:
    """End one leg of a locked call; one that was not dialled yet is withdrawn at once."""
    if leg.dispatch != Dispatch.UNSENT:
        hang_up_again(leg, now=now, cause=cause)
        return
    leg.dispatch = Dispatch.WITHDRAWN.value
    end_leg(call, leg, Ended(leg.pk, at=now, source=HangupSource.API), now=now, has_channel=False)


def hang_up_again(leg: CallLeg, *, now: datetime, cause: str = "NORMAL_CLEARING") -> None:
    """Order the end of a leg, unless such an order waits already; `cause` is what the far end is told."""
    waiting = CallCommand.objects.for_tenant(leg.tenant_id).filter(
        leg=leg, kind=CommandKind.HANGUP.value, status=CommandStatus.PENDING.value
    )
    if not waiting.exists():
        order(leg, kind=CommandKind.HANGUP, not_after=now + HANG_UP_WITHIN, now=now, params={"cause": cause})
