"""Follow a leg as the switch reports it: created, ringing, answered, ended, refused."""

import logging
from datetime import datetime
from uuid import UUID

from telephony.facts import Alive, Answered, Created, Ended, Fact, Refused, Ringing
from telephony.models import Call, CallLeg
from telephony.services.ending import end_leg, speaks_for_call
from telephony.services.finalizing import finalize_leg
from telephony.services.hanging_up import hang_up_again
from telephony.services.timeline import append, locked_call, move
from telephony.signals import leg_answered
from telephony.states import CallStatus, Dispatch, HangupSource

log = logging.getLogger(__name__)


def apply_fact(*, tenant_id: UUID, call_id: UUID, fact: Fact, now: datetime) -> None:
    """Bring a call up to date with one fact. In the tenant's scope; repeats and stragglers change nothing."""
    if isinstance(fact, Ended):
        finalize_leg(tenant_id=tenant_id, call_id=call_id, ended=fact, now=now)
        return
    call = locked_call(tenant_id=tenant_id, call_id=call_id)
    leg = CallLeg.objects.for_tenant(tenant_id).select_for_update().get(pk=fact.leg_id, call_id=call_id)
    if leg.finalized_at is not None:
        _after_the_end(call, leg, fact)
    elif isinstance(fact, Refused):
        _refuse(call, leg, fact, now=now)
    else:
        _progress(call, leg, fact, now=now)


def _after_the_end(call: Call, leg: CallLeg, fact: Fact) -> None:
    """A channel made after its leg ended is a second lifetime of one UUID: nobody ordered it, somebody must look."""
    if isinstance(fact, Created) and leg.ended_at is not None and fact.at > leg.ended_at:
        log.error("the switch made channel %s a second time", leg.pk)
        append(call, type="second_lifetime", occurred_at=fact.at, leg_id=leg.pk)


def _progress(call: Call, leg: CallLeg, fact: Created | Ringing | Answered | Alive, *, now: datetime) -> None:
    is_new, was_answered = leg.dispatch != Dispatch.CONFIRMED, leg.answered_at is not None
    leg.dispatch, leg.last_seen_at, leg.missing_since = Dispatch.CONFIRMED.value, now, None
    ringing_at, answered_at = _moments(fact)
    leg.ringing_at = leg.ringing_at or ringing_at
    leg.answered_at = leg.answered_at or answered_at
    leg.save(update_fields=["dispatch", "last_seen_at", "missing_since", "ringing_at", "answered_at"])
    if speaks_for_call(call, leg):
        _move(call, leg, fact, ringing_at=ringing_at, answered_at=answered_at)
    if leg.answered_at is not None and not was_answered:
        leg_answered.send(sender=CallLeg, call=call, leg=leg, now=now)
    if is_new and call.cancel_requested_at is not None:
        # The hang-up may have reached the switch before the channel it was for.
        hang_up_again(leg, now=now)


def _move(
    call: Call,
    leg: CallLeg,
    fact: Created | Ringing | Answered | Alive,
    *,
    ringing_at: datetime | None,
    answered_at: datetime | None,
) -> None:
    move(call, to=CallStatus.INITIATED, occurred_at=fact.at, leg_id=leg.pk)
    if ringing_at is not None:
        facts = {"ringing_at": ringing_at}
        move(call, to=CallStatus.RINGING, occurred_at=ringing_at, leg_id=leg.pk, facts=facts)
    if answered_at is not None:
        facts = {"answered_at": answered_at}
        move(call, to=CallStatus.ANSWERED, occurred_at=answered_at, leg_id=leg.pk, facts=facts)


def _moments(fact: Created | Ringing | Answered | Alive) -> tuple[datetime | None, datetime | None]:
    match fact:
        case Ringing():
            return fact.at, None
        case Answered():
            return None, fact.at
        case Alive():
            return fact.ringing_at, fact.answered_at
        case Created():
            return None, None


def _refuse(call: Call, leg: CallLeg, fact: Refused, *, now: datetime) -> None:
    """End a leg the switch never made a channel for; of a channel that was made, its own end tells."""
    if leg.dispatch == Dispatch.CONFIRMED:
        return
    ended = Ended(leg.pk, at=fact.at, cause=fact.cause, source=HangupSource.PLATFORM)
    end_leg(call, leg, ended, now=now, has_channel=False)
