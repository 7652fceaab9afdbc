"""End legs and calls: once each, metered in the same transaction."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from telephony.errors import AllLinesBusy, NoTrunk
from telephony.facts import Ended
from telephony.guards import services as guards
from telephony.metering import Charge, charge_for, meter
from telephony.models import Call, CallCommand, CallLeg, SipTrunk
from telephony.models.commands import CommandKind, CommandStatus
from telephony.services.placing import DIAL_WITHIN, order
from telephony.services.timeline import append, move
from telephony.signals import leg_ended
from telephony.states import CallStatus, Direction, Ending, Evidence, HangupSource, Retry, Verdict, verdict

CHARGED = ("billed_seconds", "price", "currency")


def end_leg(
    call: Call,
    leg: CallLeg,
    ended: Ended,
    *,
    now: datetime,
    evidence: Evidence = Evidence.EVENT,
    has_channel: bool = True,
) -> None:
    """End a leg whose call is locked, and the call when no leg lives and no trunk is left to try.

    `has_channel` is False when the switch never made one. An answered leg is metered by the last statement.
    """
    _learn(call, leg, ended)
    write_end(call, leg, ended, evidence=evidence)
    leg.finalized_at = now
    leg.save()
    _close_commands(leg, now=now)
    charge = charge_for(call, leg)
    _add(call, charge)
    if CallLeg.objects.for_tenant(call.tenant_id).filter(call=call, finalized_at=None).exists():
        _tell(call, leg)
    else:
        decisive = leg if speaks_for_call(call, leg) else _caller_of(call)
        had_channel = has_channel or decisive is not leg
        found = verdict(ending_of(call, decisive, has_channel=had_channel))
        if found.retry is not Retry.NEXT_TRUNK or not dial_next_trunk(call, leg, now=now):
            _end_call(call, decisive, found)
    leg_ended.send(sender=CallLeg, call=call, leg=leg, now=now)
    if charge is not None:
        meter(call, leg, charge)


def write_end(call: Call, leg: CallLeg, ended: Ended, *, evidence: Evidence) -> None:
    """Put onto a leg what is known of its end. Saves nothing."""
    leg.ended_at = max(ended.at, leg.answered_at or ended.at)
    leg.evidence, leg.is_estimated = evidence.value, evidence is Evidence.ESTIMATE
    leg.hangup_cause, leg.q850, leg.sip_status = ended.cause, ended.q850, ended.sip_status
    leg.hangup_source = _source(call, leg, ended)


def _add(call: Call, charge: Charge | None) -> None:
    """Add a leg's charge to its call's."""
    if charge is None:
        return
    call.billed_seconds += charge.billed_seconds
    call.currency = charge.currency
    if charge.price is not None:
        call.price = (call.price or Decimal(0)) + charge.price


def _tell(call: Call, leg: CallLeg) -> None:
    """Note in the timeline that a leg ended and the call goes on."""
    assert leg.ended_at is not None
    payload = {"cause": leg.hangup_cause, "q850": leg.q850, "sip_status": leg.sip_status}
    append(call, type="leg_ended", occurred_at=leg.ended_at, leg_id=leg.pk, payload=payload, saving=[*CHARGED])


def dial_next_trunk(call: Call, leg: CallLeg, *, now: datetime) -> bool:
    """Try the next free trunk that was not tried yet, as a leg of its own; say whether there was one.

    Only for a call going out that nobody answered and nobody wants to end.
    """
    is_wanted = call.answered_at is None and call.cancel_requested_at is None
    if call.direction != Direction.OUTBOUND or leg.trunk_id is None or not is_wanted:
        return False
    legs = CallLeg.objects.for_tenant(call.tenant_id).filter(call=call)
    trunk = _untried_trunk(call, tried=set(legs.values_list("trunk_id", flat=True)))
    if trunk is None:
        return False
    _tell(call, leg)
    successor = CallLeg.objects.create(
        tenant_id=call.tenant_id, call=call, position=legs.count() + 1, trunk=trunk, created_at=now
    )
    append(call, type="next_trunk", occurred_at=now, leg_id=successor.pk, payload={"trunk": trunk.name})
    order(successor, kind=CommandKind.ORIGINATE, not_after=now + DIAL_WITHIN, now=now)
    return True


def _untried_trunk(call: Call, *, tried: set[UUID | None]) -> SipTrunk | None:
    """Return the first trunk to try that is free and was not tried. Holds the company's lines."""
    guards.hold_lines(tenant_id=call.tenant_id)
    try:
        free = guards.trunks_for(tenant_id=call.tenant_id)
    except (AllLinesBusy, NoTrunk):
        return None
    return next((trunk for trunk in free if trunk.pk not in tried), None)


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


def ending_of(call: Call, leg: CallLeg, *, has_channel: bool = True) -> Ending:
    """Return what is known of a leg that has ended, for the verdict."""
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


def _end_call(call: Call, leg: CallLeg, found: Verdict) -> None:
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
    facts |= {name: getattr(call, name) for name in CHARGED}
    assert leg.ended_at is not None
    move(call, to=found.status, occurred_at=leg.ended_at, leg_id=leg.pk, facts=facts)


def _close_commands(leg: CallLeg, *, now: datetime) -> None:
    """Nothing more can be done to this leg: what waits is failed, what was sent is done."""
    commands = CallCommand.objects.for_tenant(leg.tenant_id).filter(leg=leg)
    commands.filter(status=CommandStatus.PENDING.value).update(
        status=CommandStatus.FAILED.value, result="the leg ended first", finished_at=now
    )
    commands.filter(Q(status=CommandStatus.SENT.value)).update(status=CommandStatus.DONE.value, finished_at=now)
