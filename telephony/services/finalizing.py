"""End a leg by whoever tells of it first, and hold what is told later against it."""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.webhooks.services import WebhookEvent, enqueue
from common.errors import DomainError
from common.ids import encode_call
from common.money import plain
from telephony.facts import Ended
from telephony.metering import Charge, charge_for, correct, metered
from telephony.models import Call, CallLeg
from telephony.presenting import present_call
from telephony.services.ending import CHARGED, end_leg, ending_of, write_end
from telephony.services.timeline import append, locked_call
from telephony.states import Dispatch, Evidence, verdict

log = logging.getLogger(__name__)

REASONS = {
    Evidence.EVENT: "The switch told of the end after it had been estimated.",
    Evidence.REPORT: "The switch's call detail record tells otherwise.",
}


def finalize_leg(
    *, tenant_id: UUID, call_id: UUID, ended: Ended, now: datetime, evidence: Evidence = Evidence.EVENT
) -> bool:
    """End a leg as it was told, and its call when no other leg lives; say whether this changed anything.

    The call's and the leg's rows are locked; a leg is ended and metered once. What comes after is compared: weaker or equal
    evidence and equal billed seconds change nothing, stronger evidence that differs corrects the leg, the call and the bill.
    """
    call = locked_call(tenant_id=tenant_id, call_id=call_id)
    leg = CallLeg.objects.for_tenant(tenant_id).select_for_update().get(pk=ended.leg_id, call_id=call_id)
    if leg.finalized_at is None:
        end_leg(call, leg, ended, now=now, evidence=evidence)
        return True
    if _is_another_life(leg, ended):
        log.error("the switch made channel %s a second time", leg.pk)
        append(call, type="second_lifetime", occurred_at=ended.at, leg_id=leg.pk)
        return False
    known = Evidence(leg.evidence) if leg.evidence else Evidence.EVENT
    return evidence.is_stronger_than(known) and _correct(call, leg, ended, evidence=evidence, now=now)


def _is_another_life(leg: CallLeg, ended: Ended) -> bool:
    """Tell a channel made after its leg ended; of one that was never seen, an estimated end tells nothing."""
    if ended.created_at is None or leg.ended_at is None or ended.created_at <= leg.ended_at:
        return False
    return not leg.is_estimated or leg.dispatch == Dispatch.CONFIRMED


def _correct(call: Call, leg: CallLeg, ended: Ended, *, evidence: Evidence, now: datetime) -> bool:
    was_estimated, before = leg.is_estimated, metered(leg)
    was_answered, ended_call = leg.answered_at, call.ended_at == leg.ended_at
    if not was_estimated and (was_answered is None) != (ended.answered_at is None):
        log.error("event and record of channel %s disagree whether it was answered", leg.pk)
        append(call, type="report_disagrees", occurred_at=ended.at, leg_id=leg.pk)
        return False
    leg.answered_at = ended.answered_at or leg.answered_at
    leg.ringing_at = leg.ringing_at or ended.ringing_at
    write_end(call, leg, ended, evidence=evidence)
    after = charge_for(call, leg)
    is_billed_alike = _billed(before) == _billed(after)
    if is_billed_alike and not was_estimated:
        return False
    if not is_billed_alike and not _bill_anew(call, leg, after, evidence=evidence, now=now):
        return False
    leg.save()
    before_all = _standing(call)
    changed = _correct_call(call, leg, was_answered=was_answered, ended_call=ended_call, was_estimated=was_estimated)
    if not is_billed_alike:
        call.billed_seconds += _billed(after) - _billed(before)
        call.price = _price(call) + _price(after) - _price(before)
        call.currency = (after or before or call).currency
    call.corrections += 1
    payload: dict[str, Any] = {"leg_evidence": evidence.value, "reason": REASONS[evidence], "before": before_all}
    is_silent = is_billed_alike and call.status == before_all["status"]
    append(
        call,
        type="confirmed" if is_silent else "adjusted",
        occurred_at=now,
        leg_id=leg.pk,
        payload=payload | _standing(call),
        saving=[*changed, *CHARGED, "corrections"],
    )
    if not is_silent:
        _announce(call, payload, now=now)
    return True


def _correct_call(
    call: Call, leg: CallLeg, *, was_answered: datetime | None, ended_call: bool, was_estimated: bool
) -> list[str]:
    """Bring the call in line with its corrected leg; return the names of the fields that may have changed."""
    if not call.is_final or not ended_call:
        return []
    if call.answered_at == was_answered:
        call.answered_at = leg.answered_at
    call.ended_at, call.ringing_at = leg.ended_at, call.ringing_at or leg.ringing_at
    if was_estimated:
        found = verdict(ending_of(call, leg))
        call.status, call.reason, call.retry = found.status.value, found.reason, found.retry.value
        call.is_estimated, call.is_price_final = False, True
        for name in ("hangup_cause", "q850", "sip_status", "hangup_source"):
            setattr(call, name, getattr(leg, name))
    return [
        "answered_at", "ended_at", "ringing_at", "status", "reason", "retry", "is_estimated", "is_price_final",
        "hangup_cause", "q850", "sip_status", "hangup_source",
    ]  # fmt: skip


def _bill_anew(call: Call, leg: CallLeg, after: Charge | None, *, evidence: Evidence, now: datetime) -> bool:
    try:
        correct(call, leg, after, reason=REASONS[evidence], now=now)
    except DomainError:
        log.exception("the usage of channel %s could not be corrected: an operator must", leg.pk)
        append(call, type="adjustment_failed", occurred_at=now, leg_id=leg.pk)
        return False
    return True


def _announce(call: Call, payload: dict[str, Any], *, now: datetime) -> None:
    enqueue(
        WebhookEvent(
            type="call.adjusted",
            tenant_id=call.tenant_id,
            object_id=encode_call(call.pk),
            data=present_call(call) | {"adjustment": {"reason": payload["reason"], "before": payload["before"]}},
            occurred_at=now,
        )
    )


def _billed(charge: Charge | None) -> int:
    return charge.billed_seconds if charge else 0


def _price(of: Call | Charge | None) -> Decimal:
    return of.price or Decimal(0) if of else Decimal(0)


def _standing(call: Call) -> dict[str, Any]:
    """Return of a call what a correction may change for its tenant."""
    price = None if call.price is None else plain(call.price)
    return {"status": call.status, "billed_seconds": call.billed_seconds, "price": price}
