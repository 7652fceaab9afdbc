"""End legs and calls: once each, metered in the same transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from telephony.facts import Ended
from telephony.metering import Charge, charge_for, meter
from telephony.models import Call, CallCommand, CallLeg
from telephony.models.commands import CommandStatus
from telephony.services.timeline import append, locked_call, move
from telephony.signals import leg_ended
from telephony.states import CallStatus, Direction, Ending, HangupSource, Verdict, verdict


def finalize_leg(*, tenant_id: UUID, call_id: UUID, ended: Ended, now: datetime, is_estimated: bool = False) -> bool:
    """End a leg as the switch reported it, and its call when no other leg lives; say whether this changed anything.

    The call's and the leg's rows are locked; a leg is ended once, every repeat changes nothing. An answered leg is
    metered by the transaction's last statement.
    """
    call = locked_call(tenant_id=tenant_id, call_id=call_id)
    leg = CallLeg.objects.for_tenant(tenant_id).select_for_update().get(pk=ended.leg_id, call_id=call_id)
    if leg.finalized_at is not None:
        return False
    end_leg(call, leg, ended, now=now, is_estimated=is_estimated)
    return True


def end_leg(
    call: Call, leg: CallLeg, ended: Ended, *, now: datetime, is_estimated: bool = False, has_channel: bool = True
) -> None:
    """End a leg whose call is locked; `has_channel` is False when the switch never made one."""
    _learn(call, leg, ended)
    source = _source(call, leg, ended)
    leg.ended_at = max(ended.at, leg.answered_at or ended.at)
    leg.finalized_at, leg.is_estimated = now, is_estimated
    leg.hangup_cause, leg.q850, leg.sip_status, leg.hangup_source = ended.cause, ended.q850, ended.sip_status, source
    leg.save()
    _close_commands(leg, now=now)
    charge = charge_for(call, leg)
    if CallLeg.objects.for_tenant(call.tenant_id).filter(call=call, finalized_at=None).exists():
        append(call, type="leg_ended", occurred_at=leg.ended_at, leg_id=leg.pk, payload={"cause": ended.cause})
    else:
        decisive = leg if speaks_for_call(call, leg) else _caller_of(call)
        had_channel = has_channel or decisive is not leg
        _end_call(call, decisive, verdict(_ending(call, decisive, has_channel=had_channel)), charge)
    leg_ended.send(sender=CallLeg, call=call, leg=leg, now=now)
    if charge is not None:
        meter(call, leg, charge)


def speaks_for_call(call: Call, leg: CallLeg) -> bool:
    """Say whether a leg's fate is the call's: of a call that came in the caller's alone, whoever was rung for it."""
    return call.direction == Direction.OUTBOUND or leg.pk == call.pk


def _caller_of(call: Call) -> CallLeg:
    return CallLeg.objects.for_tenant(call.tenant_id).get(pk=call.pk)


def _learn(call: Call, leg: CallLeg, ended: Ended) -> None:
    """Catch up with what the end tells of the beginning, for a listener that was away then."""
    leg.ringing_at = leg.ringing_at or ended.ringing_at
    leg.answered_at = leg.answered_at or ended.answered_at
    if leg.answered_at is not None and speaks_for_call(call, leg):
        facts = {"answered_at": leg.answered_at, "ringing_at": call.ringing_at or leg.ringing_at}
        move(call, to=CallStatus.ANSWERED, occurred_at=leg.answered_at, leg_id=leg.pk, facts=facts)


def _ending(call: Call, leg: CallLeg, *, has_channel: bool) -> Ending:
    return Ending(
        direction=Direction(call.direction),
        is_answered=call.answered_at is not None,
        cause=leg.hangup_cause,
        q850=leg.q850,
        sip_status=leg.sip_status,
        was_ringing=leg.ringing_at is not None,
        has_channel=has_channel,
        canceled_by_us=call.cancel_requested_at is not None,
        timed_out_by_us=leg.hangup_cause == "NO_ANSWER" and leg.hangup_source == HangupSource.PLATFORM,
        caller_left=leg.hangup_source == HangupSource.CALLER,
    )


def _source(call: Call, leg: CallLeg, ended: Ended) -> HangupSource:
    """Tell apart what the switch can't: our own request, our own time limit, and the platform itself."""
    if ended.source is not HangupSource.PLATFORM:
        return ended.source
    if call.cancel_requested_at is not None:
        return HangupSource.API
    is_limit = ended.cause == "ALLOTTED_TIMEOUT" and leg.answered_at is not None
    return HangupSource.LIMIT if is_limit else ended.source


def _end_call(call: Call, leg: CallLeg, found: Verdict, charge: Charge | None) -> None:
    facts: dict[str, Any] = {
        "ended_at": leg.ended_at,
        "ringing_at": call.ringing_at or leg.ringing_at,
        "hangup_cause": leg.hangup_cause,
        "q850": leg.q850,
        "sip_status": leg.sip_status,
        "hangup_source": leg.hangup_source,
        "is_estimated": leg.is_estimated,
        "reason": found.reason,
        "retry": found.retry.value,
        "is_price_final": not leg.is_estimated,
    }
    if charge is not None:
        facts |= {"billed_seconds": charge.billed_seconds, "price": charge.price, "currency": charge.currency}
    assert leg.ended_at is not None
    move(call, to=found.status, occurred_at=leg.ended_at, leg_id=leg.pk, facts=facts)


def _close_commands(leg: CallLeg, *, now: datetime) -> None:
    """Nothing more can be done to this leg: what waits is failed, what was sent is done."""
    commands = CallCommand.objects.for_tenant(leg.tenant_id).filter(leg=leg)
    commands.filter(status=CommandStatus.PENDING.value).update(
        status=CommandStatus.FAILED.value, result="the leg ended first", finished_at=now
    )
    commands.filter(Q(status=CommandStatus.SENT.value)).update(status=CommandStatus.DONE.value, finished_at=now)
