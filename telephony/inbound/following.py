"""Go on with a call that came in when one of its legs is answered or ends."""

from datetime import datetime

from telephony.inbound.ringing import connect, hang_up_caller, hang_up_others
from telephony.models import Call, CallLeg
from telephony.queues import waiting
from telephony.states import Direction

# How a leg that nobody answered ended is what the caller is told, where it tells them anything.
TOLD = {"USER_BUSY", "NO_ANSWER", "CALL_REJECTED", "UNALLOCATED_NUMBER", "NORMAL_TEMPORARY_FAILURE"}
UNREACHABLE = "NO_USER_RESPONSE"


def on_answered(*, call: Call, leg: CallLeg, now: datetime) -> None:
    """Connect the caller with whoever answered. The call is locked."""
    if call.direction != Direction.INBOUND or leg.pk == call.pk:
        return
    if not waiting.on_answered(call=call, leg=leg, now=now):
        connect(call, leg, now=now)


def on_ended(*, call: Call, leg: CallLeg, now: datetime) -> None:
    """End what the end of a leg leaves over: nobody hears silence for ever. The call is locked."""
    if call.direction != Direction.INBOUND or waiting.on_ended(call=call, leg=leg, now=now):
        return
    if leg.pk == call.pk:
        hang_up_others(call, now=now)
    elif (
        not CallLeg.objects.for_tenant(call.tenant_id).filter(call=call, finalized_at=None).exclude(pk=call.pk).exists()
    ):
        cause = leg.hangup_cause if leg.hangup_cause in TOLD else UNREACHABLE
        hang_up_caller(call, cause="NORMAL_CLEARING" if leg.answered_at else cause, now=now)
