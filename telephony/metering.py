"""Minutes of calls as usage records them: once per answered leg, from microsecond times."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.audit import SYSTEM
from common.errors import DomainError
from common.ids import encode_call
from telephony.models import Call, CallLeg
from telephony.states import Direction, Evidence, HangupSource
from usage.models import UsageDedup, UsageRecord, UsageReversal
from usage.rating import Rate, billed_quantity, call_seconds, event_cost
from usage.selectors import rate_for
from usage.services import record_usage
from usage.services.reversing import void_record

log = logging.getLogger(__name__)

CHANNEL, RESOURCE_TYPE = "voice", "minute"
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Charge:
    """What a leg costs; `price` is unrounded, None where only the period's sum has one."""

    seconds: int
    billed_seconds: int
    price: Decimal | None
    currency: str


def require_rate(*, tenant_id: UUID, to_number: str, now: datetime) -> Rate:
    """Return the rate an outbound call would be billed at; raises NoRate where nothing is priced."""
    return rate_for(
        tenant_id=tenant_id,
        channel=CHANNEL,
        resource_type=RESOURCE_TYPE,
        now=now,
        direction="outbound",
        destination=to_number,
    )


def charge_for(call: Call, leg: CallLeg) -> Charge | None:
    """Return what an ended leg costs; None when it was not answered, is no carrier's, or nothing is priced.

    A carrier's is what left by a trunk, and what came in by a number; an agent's telephone costs nothing.

    A price that vanished during the call must not keep the call from ending: it is logged for an operator.
    """
    seconds = _seconds(call, leg)
    came_in = call.direction == Direction.INBOUND and leg.pk == call.pk
    if seconds == 0 or leg.answered_at is None or not (came_in or leg.trunk_id):
        return None
    try:
        rate = rate_for(
            tenant_id=call.tenant_id,
            channel=CHANNEL,
            resource_type=RESOURCE_TYPE,
            now=leg.answered_at,
            direction=call.direction,
            destination=call.to_number,
        )
    except DomainError:
        log.exception("call %s was answered and has no price", call.pk)
        return None
    billed = billed_quantity(rate, Decimal(seconds))
    return Charge(seconds, int(billed), event_cost(rate, billed), rate.currency)


def meter(call: Call, leg: CallLeg, charge: Charge) -> None:
    """Record the leg's seconds; the last statement of the transaction that ends it. A repeat records nothing new."""
    _record(call, leg, charge, key=_keys(leg)[-1])


def metered(leg: CallLeg) -> Charge | None:
    """Return what stands in the books for a leg, None for nothing. At most three queries."""
    record = _record_of(leg)
    if record is None or _is_taken_back(record):
        return None
    return Charge(int(record.quantity), int(record.billed_quantity), record.total_cost, record.currency)


def correct(call: Call, leg: CallLeg, charge: Charge | None, *, reason: str, now: datetime) -> None:
    """Take back what stands for a leg and record what should stand there, None for nothing, under the leg's new evidence.

    Raises what `void_record` does where an operator must decide, and then changes nothing.
    """
    with transaction.atomic():
        record = _record_of(leg)
        if record is not None:
            void_record(
                tenant_id=leg.tenant_id, record_id=record.pk, now=now, actor=SYSTEM, reason=reason, only_ingested=False
            )
        if charge is not None:
            _record(call, leg, charge, key=f"{_keys(leg)[-1]}:{leg.evidence}")


def _record(call: Call, leg: CallLeg, charge: Charge, *, key: str) -> None:
    assert leg.answered_at is not None
    record_usage(
        tenant_id=call.tenant_id,
        channel=CHANNEL,
        resource_type=RESOURCE_TYPE,
        quantity=Decimal(charge.seconds),
        occurred_at=leg.answered_at,
        dedup_key=key,
        resource_id=encode_call(call.pk),
        direction=call.direction,
        destination=call.to_number,
        metadata={"answered_microseconds": _microseconds(leg), "estimated": leg.is_estimated},
    )


def _keys(leg: CallLeg) -> list[str]:
    """Return the keys a leg's records may have, the newest first: evidence only ever grows stronger."""
    first = f"call:{leg.pk}:{RESOURCE_TYPE}"
    return [f"{first}:{Evidence.REPORT}", f"{first}:{Evidence.EVENT}", first]


def _record_of(leg: CallLeg) -> UsageRecord | None:
    keys = _keys(leg)
    found = UsageDedup.objects.filter(tenant_id=leg.tenant_id, key__in=keys).values_list("key", "record_id")
    newest = min(found, key=lambda row: keys.index(row[0]), default=None)
    return UsageRecord.objects.for_tenant(leg.tenant_id).get(pk=newest[1]) if newest else None


def _is_taken_back(record: UsageRecord) -> bool:
    return UsageReversal.objects.filter(tenant_id=record.tenant_id, record_id=record.pk).exists()


def _seconds(call: Call, leg: CallLeg) -> int:
    limit = call.time_limit_seconds if leg.hangup_source == HangupSource.LIMIT else None
    return call_seconds(_microseconds(leg), limit_seconds=limit)


def _microseconds(leg: CallLeg) -> int | None:
    if leg.answered_at is None or leg.ended_at is None:
        return None
    return (leg.ended_at - leg.answered_at) // MICROSECOND
