"""Ingest many events at once: one transaction, a handful of statements, and an outcome for each event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from common.errors import FieldProblem
from common.ids import uuid7
from usage.event import UsageEvent, public_key
from usage.ingest_reading import Window, read_event
from usage.models import Meter
from usage.outcomes import Outcome, Status
from usage.ratebook import OpenTerms
from usage.rating import Rate, billed_quantity, event_cost
from usage.services.locking import share_periods
from usage.services.placing import PriceList, calendar

MOST_EVENTS = 1_000


def ingest(*, tenant_id: UUID, raw_events: Sequence[Any], window: Window) -> list[Outcome]:
    """Store what is valid of at most 1,000 events as they were sent, in one transaction; return an outcome for each, in order.

    A repeat of the same key and content is a duplicate, of the same key with another content a conflict; within the batch the
    first valid one wins. Raises NoSubscription, and then nothing is stored.
    """
    read = [read_event(raw, window) for raw in raw_events]
    events = [event for event in read if isinstance(event, UsageEvent)]
    outcomes = iter(record_many(tenant_id=tenant_id, events=events, now=window.now))
    return [
        next(outcomes) if isinstance(event, UsageEvent) else Outcome(Status.INVALID, problems=event) for event in read
    ]


@dataclass(frozen=True, slots=True)
class Priced:
    event: UsageEvent
    record_id: UUID
    group: int
    content_hash: bytes
    billed: Decimal
    cost: Decimal | None


def record_many(*, tenant_id: UUID, events: Sequence[UsageEvent], now: datetime) -> list[Outcome]:
    """Record valid events with their keys and one delta per period, day, meter and rate; return an outcome for each, in order.

    Takes four statements; a fifth where keys were used before, one more where events lie before the open periods.
    """
    if not events:
        return []
    with transaction.atomic():
        share_periods(tenant_id=tenant_id)
        batch = Batch(tenant_id, events)
        judged = [batch.price(event, event.content_hash()) for event in events]
        firsts: dict[str, Priced] = {}
        for priced in judged:
            if isinstance(priced, Priced):
                firsts.setdefault(priced.event.dedup_key, priced)
        stored = _write(tenant_id, batch.groups, list(firsts.values()), now)
        used = _seen(tenant_id, [key for key, first in firsts.items() if first.record_id not in stored])
    used |= {key: (first.content_hash, first.record_id) for key, first in firsts.items() if first.record_id in stored}
    return [_outcome(one, stored, used) if isinstance(one, Priced) else one for one in judged]


def _outcome(priced: Priced, stored: set[UUID], used: dict[str, tuple[bytes, UUID]]) -> Outcome:
    """Return what became of a priced event, by who used its key first."""
    if priced.record_id in stored:
        return Outcome(Status.CREATED, priced.record_id)
    digest, record_id = used[priced.event.dedup_key]
    return Outcome(Status.DUPLICATE, record_id) if digest == priced.content_hash else _conflict(priced.event)


class Batch:
    """Where a batch's events belong and what they cost; equal ones are worked out once."""

    def __init__(self, tenant_id: UUID, events: Sequence[UsageEvent]) -> None:
        moments = [event.occurred_at for event in events]
        self._calendar = calendar(tenant_id=tenant_id, first=min(moments), last=max(moments))
        self._prices = PriceList(tenant_id=tenant_id, periods=self._calendar.periods, events=events)
        self._costs: dict[tuple[UUID, Decimal], tuple[Decimal, Decimal | None]] = {}
        self._numbers: dict[tuple[UUID, date, UUID], int] = {}
        self._known: frozenset[tuple[str, str]] | None = None
        self.groups: list[dict[str, Any]] = []

    def price(self, event: UsageEvent, content_hash: bytes) -> Priced | Outcome:
        """Return the event with its period, rate and cost; an invalid outcome where nothing is priced."""
        terms, day = self._calendar.place(event.occurred_at)
        rate = self._prices.rate(event, terms, day)
        if rate is None:
            return Outcome(Status.INVALID, problems=[self._unpriced(event, day)])
        cost = self._costs.get((rate.id, event.quantity))
        if cost is None:
            billed = billed_quantity(rate, event.quantity)
            cost = self._costs[rate.id, event.quantity] = billed, event_cost(rate, billed)
        return Priced(event, uuid7(), self._group(terms, day, rate), content_hash, *cost)

    def _group(self, terms: OpenTerms, day: date, rate: Rate) -> int:
        """Return the number of the delta that an event goes into."""
        key = terms.period_id, day, rate.id
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.groups)
            self.groups.append(
                {
                    "number": number,
                    "period_id": terms.period_id,
                    "day": day,
                    "channel": rate.channel,
                    "resource_type": rate.resource_type,
                    "rate_id": rate.id,
                    "unit_cost": str(rate.unit_price),
                    "currency": rate.currency,
                }
            )
        return number

    def _unpriced(self, event: UsageEvent, day: date) -> FieldProblem:
        if self._known is None:
            self._known = frozenset(Meter.objects.values_list("channel", "resource_type"))
        meter = f"{event.channel}/{event.resource_type}"
        if (event.channel, event.resource_type) not in self._known:
            return FieldProblem("/resource_type", "unknown-meter", f"There is no meter {meter}.")
        where = f"{meter} {event.direction} to {event.destination or 'any'}"
        return FieldProblem("/destination", "no-rate", f"{where} has no rate on {day}.")


# Rows come as JSON: of what reaches PostgreSQL in one statement it takes least of both sides' time. The keys of a batch are
# inserted in one order, so that two batches with the same keys wait for each other and never deadlock.
WRITE = """
WITH bins AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(groups)s::json) AS t(
        number int, period_id uuid, day date, channel text, resource_type text, rate_id uuid, unit_cost numeric, currency text)
), input AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS t(
        k text, h text, i uuid, g int, r text, w text, d text, q numeric, b numeric, c numeric, m jsonb, o timestamptz)
), fresh AS (
    INSERT INTO usage_dedup (tenant_id, key, content_hash, record_id, created_at)
    SELECT %(tenant_id)s::uuid, k, decode(h, 'hex'), i, %(now)s::timestamptz FROM input ORDER BY k
    ON CONFLICT DO NOTHING RETURNING record_id
), recorded AS (
    INSERT INTO usage_records (
        id, tenant_id, channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination,
        quantity, billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, dedup_key,
        kind, created_at
    )
    SELECT i, %(tenant_id)s::uuid, channel, resource_type, period_id, rate_id, r, w, d, q, b, unit_cost, c, currency, m, o,
        day, k, 'usage', %(now)s::timestamptz
    FROM fresh JOIN input ON i = record_id JOIN bins ON number = g
), summed AS (
    INSERT INTO usage_summary_deltas (
        id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id, total_quantity,
        billed_quantity, total_cost, record_count
    )
    SELECT gen_random_uuid(), %(tenant_id)s::uuid, period_id, day, channel, resource_type, rate_id, sum(q), sum(b),
        coalesce(sum(c), 0), count(*)
    FROM fresh JOIN input ON i = record_id JOIN bins ON number = g
    GROUP BY period_id, day, channel, resource_type, rate_id
    ORDER BY period_id, day, channel, resource_type, rate_id
)
SELECT record_id FROM fresh
"""
SEEN = "SELECT key, content_hash, record_id FROM usage_dedup WHERE tenant_id = %s AND key = ANY(%s)"


def _write(tenant_id: UUID, groups: Sequence[dict[str, Any]], events: Sequence[Priced], now: datetime) -> set[UUID]:
    """Insert the keys, and for those that are new the records and deltas; return the ids of the records stored."""
    if not events:
        return set()
    rows = [_row(priced) for priced in events]
    values: dict[str, Any] = {"groups": _json(groups), "rows": _json(rows), "tenant_id": tenant_id, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        return {record_id for (record_id,) in cursor.fetchall()}


def _row(priced: Priced) -> dict[str, Any]:
    event, cost = priced.event, priced.cost
    return {
        "k": event.dedup_key,
        "h": priced.content_hash.hex(),
        "i": priced.record_id.hex,
        "g": priced.group,
        "r": event.resource_id,
        "w": event.direction,
        "d": event.destination,
        "q": str(event.quantity),
        "b": str(priced.billed),
        "c": None if cost is None else str(cost),
        "m": event.metadata,
        "o": event.occurred_at,
    }


def _json(rows: Sequence[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()


def _seen(tenant_id: UUID, keys: Iterable[str]) -> dict[str, tuple[bytes, UUID]]:
    """Return what these keys were used for, by key."""
    wanted = list(keys)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(SEEN, [tenant_id, wanted])
        return {key: (bytes(digest), record_id) for key, digest, record_id in cursor.fetchall()}


def _conflict(event: UsageEvent) -> Outcome:
    message = f"The key {public_key(event.dedup_key)!r} was used for another event."
    return Outcome(Status.CONFLICT, problems=[FieldProblem("/idempotency_key", "idempotency-conflict", message)])
