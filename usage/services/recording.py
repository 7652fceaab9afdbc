"""Record one metered fact: the last statement of the transaction that makes the fact true."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from common.db import prepared
from common.ids import uuid7
from usage.errors import NoRate, NoSubscription, UnknownMeter, UsageConflict
from usage.event import UsageEvent, check
from usage.models import Meter, UsageDedup, UsageRecord
from usage.ratebook import OpenTerms, open_terms, rates_for
from usage.rating import Rate, billed_quantity, choose_for_period, event_cost
from usage.selectors import home_of, period_of
from usage.services.locking import share_periods
from usage.services.periods import open_next_period


@dataclass(frozen=True)
class Receipt:
    """What was recorded. `total_cost` is unrounded, None where only the period's sum has a price."""

    record_id: UUID
    billed_quantity: Decimal
    total_cost: Decimal | None
    currency: str
    is_duplicate: bool = False


def record_usage(
    *,
    tenant_id: UUID,
    channel: str,
    resource_type: str,
    quantity: Decimal,
    occurred_at: datetime,
    dedup_key: str,
    resource_id: str = "",
    metadata: dict[str, Any] | None = None,
    direction: str = "",
    destination: str = "",
) -> Receipt:
    """Store a record, its key and its delta, once per `dedup_key`; four statements, none of them updates a row.

    `quantity` is in the meter's metered unit: a call's in seconds, as `rating.call_seconds` counts them. `occurred_at`
    decides day, period and rate: a call's is its answer. A repeat returns the first receipt; the same key for another
    fact raises UsageConflict, an unpriced destination NoRate, an unknown meter UnknownMeter.
    """
    event = UsageEvent(
        channel=channel,
        resource_type=resource_type,
        quantity=quantity,
        occurred_at=occurred_at,
        dedup_key=dedup_key,
        resource_id=resource_id,
        direction=direction,
        destination=destination,
        metadata=metadata or {},
    )
    check(event)
    share_periods(tenant_id=tenant_id)
    terms, usage_date = _place(tenant_id, occurred_at)
    rate = _price(tenant_id, terms, event, usage_date)
    receipt = _receipt(rate, event.quantity)
    return receipt if _write(tenant_id, event, terms, usage_date, rate, receipt) else _first(tenant_id, event)


def _place(tenant_id: UUID, moment: datetime) -> tuple[OpenTerms, date]:
    """Return the open period a moment is billed in, with its terms, and the moment's local day.

    A moment of a closed period keeps its day and is billed in the earliest open one; one after the last opens the next.
    """
    periods = open_terms(tenant_id=tenant_id)
    if not periods:
        raise NoSubscription("This tenant has no open billing period.")
    while moment >= periods[-1].ends_at:
        last = period_of(tenant_id=tenant_id, period_id=periods[-1].period_id)
        open_next_period(after=last, until=moment)
        periods = open_terms(tenant_id=tenant_id)
    for period in periods:
        if period.holds(moment):
            return period, period.day_of(moment)
    origin = home_of(tenant_id=tenant_id, moment=moment) or periods[0]
    return periods[0], origin.day_of(moment)


def _price(tenant_id: UUID, terms: OpenTerms, event: UsageEvent, usage_date: date) -> Rate:
    rates = rates_for(
        tenant_id=tenant_id,
        plan_id=terms.plan_id,
        currency=terms.currency,
        channel=event.channel,
        resource_type=event.resource_type,
        destination=event.destination,
    )
    rate = choose_for_period(
        rates,
        day=usage_date,
        period_start=terms.day_of(terms.starts_at),
        direction=event.direction,
        destination=event.destination,
    )
    if rate is not None:
        return rate
    meter = f"{event.channel}/{event.resource_type}"
    if not Meter.objects.filter(channel=event.channel, resource_type=event.resource_type).exists():
        raise UnknownMeter(f"There is no meter {meter}.", pointer="/resource_type")
    raise NoRate(f"{meter} {event.direction} to {event.destination or 'any'} has no rate on {usage_date}.")


def _receipt(rate: Rate, quantity: Decimal) -> Receipt:
    billed = billed_quantity(rate, quantity)
    return Receipt(uuid7(), billed, event_cost(rate, billed), rate.currency)


WRITE = """
WITH fresh AS (
    INSERT INTO usage_dedup (tenant_id, key, content_hash, record_id, created_at)
    VALUES (%(tenant_id)s, %(dedup_key)s, %(content_hash)s, %(record_id)s, %(now)s)
    ON CONFLICT DO NOTHING RETURNING record_id
), recorded AS (
    INSERT INTO usage_records (
        id, tenant_id, channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination,
        quantity, billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, dedup_key,
        created_at
    )
    SELECT record_id, %(tenant_id)s, %(channel)s, %(resource_type)s, %(period_id)s, %(rate_id)s, %(resource_id)s,
        %(direction)s, %(destination)s, %(quantity)s, %(billed)s, %(unit_cost)s, %(total_cost)s::numeric, %(currency)s,
        %(metadata)s::jsonb, %(occurred_at)s, %(usage_date)s, %(dedup_key)s, %(now)s
    FROM fresh
)
INSERT INTO usage_summary_deltas (
    id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id, total_quantity, billed_quantity,
    total_cost, record_count
)
SELECT record_id, %(tenant_id)s, %(period_id)s, %(usage_date)s, %(channel)s, %(resource_type)s, %(rate_id)s,
    %(quantity)s, %(billed)s, coalesce(%(total_cost)s::numeric, 0), 1
FROM fresh
RETURNING id
"""


def _write(
    tenant_id: UUID, event: UsageEvent, terms: OpenTerms, usage_date: date, rate: Rate, receipt: Receipt
) -> bool:
    """Insert key, record and delta in one statement; False when the key was there, and then nothing is written."""
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "dedup_key": event.dedup_key,
        "content_hash": event.content_hash(),
        "record_id": receipt.record_id,
        "now": timezone.now(),
        "channel": event.channel,
        "resource_type": event.resource_type,
        "period_id": terms.period_id,
        "rate_id": rate.id,
        "resource_id": event.resource_id,
        "direction": event.direction,
        "destination": event.destination,
        "quantity": event.quantity,
        "billed": receipt.billed_quantity,
        "unit_cost": rate.unit_price,
        "total_cost": receipt.total_cost,
        "currency": receipt.currency,
        "metadata": json.dumps(event.metadata),
        "occurred_at": event.occurred_at,
        "usage_date": usage_date,
    }
    return bool(prepared(WRITE, values))


def _first(tenant_id: UUID, event: UsageEvent) -> Receipt:
    """Return the receipt of the record that used the key first; raise UsageConflict when it was another fact."""
    seen = UsageDedup.objects.get(tenant_id=tenant_id, key=event.dedup_key)
    if bytes(seen.content_hash) != event.content_hash():
        raise UsageConflict(f"The key {event.dedup_key!r} was used for another event.", pointer="/idempotency_key")
    record = UsageRecord.objects.for_tenant(tenant_id).get(pk=seen.record_id)
    return Receipt(record.pk, record.billed_quantity, record.total_cost, record.currency, is_duplicate=True)
