"""Sums over summaries and deltas in one statement: whatever the folder does meanwhile, they equal the records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.db import prepared


@dataclass(frozen=True)
class RateSum:
    """What was used of one meter at one rate version in a period. Quantities are in metered units."""

    channel: str
    resource_type: str
    rate_id: UUID
    quantity: Decimal
    billed_quantity: Decimal
    record_count: int
    first_day: date


@dataclass(frozen=True)
class DaySum:
    """What was used of one meter on one local day; `total_cost` unrounded, of the events that have one."""

    day: date
    channel: str
    resource_type: str
    quantity: Decimal
    billed_quantity: Decimal
    total_cost: Decimal
    record_count: int


@dataclass(frozen=True)
class DayRateSum:
    """What was used of one meter at one rate version on one local day of a period."""

    day: date
    channel: str
    resource_type: str
    rate_id: UUID
    quantity: Decimal
    billed_quantity: Decimal
    total_cost: Decimal
    record_count: int


ZERO = Decimal(0)
KEYS = "billing_period_id, channel, resource_type, rate_id, summary_date"
COLUMNS = f"{KEYS}, total_quantity, billed_quantity, total_cost, record_count"


def of_period(*, tenant_id: UUID, period_id: UUID) -> list[DayRateSum]:
    """Return a period's sums by day, meter and rate version; one query."""
    keys = "summary_date, channel, resource_type, rate_id"
    rows = _sum(keys, "tenant_id = %s AND billing_period_id = %s", [tenant_id, period_id])
    return [DayRateSum(*row) for row in rows]


def of_periods(*, tenant_ids: Sequence[UUID], period_ids: Sequence[UUID]) -> dict[UUID, list[DayRateSum]]:
    """Return the sums of several tenants' periods; one query."""
    keys = "billing_period_id, summary_date, channel, resource_type, rate_id"
    found: dict[UUID, list[DayRateSum]] = {}
    values = [list(tenant_ids), list(period_ids)]
    for period_id, *row in _sum(keys, "tenant_id = ANY(%s) AND billing_period_id = ANY(%s)", values):
        found.setdefault(period_id, []).append(DayRateSum(*row))
    return found


def by_rate(rows: Iterable[DayRateSum]) -> list[RateSum]:
    """Add up the days of each meter and rate version."""
    totals: dict[tuple[str, str, UUID], RateSum] = {}
    for row in rows:
        key = row.channel, row.resource_type, row.rate_id
        so_far = totals.get(key) or RateSum(*key, ZERO, ZERO, 0, row.day)
        totals[key] = RateSum(
            *key,
            so_far.quantity + row.quantity,
            so_far.billed_quantity + row.billed_quantity,
            so_far.record_count + row.record_count,
            min(so_far.first_day, row.day),
        )
    return list(totals.values())


def by_meter_and_day(rows: Iterable[DayRateSum]) -> list[DaySum]:
    """Add up the rate versions of each day and meter."""
    totals: dict[tuple[date, str, str], DaySum] = {}
    for row in rows:
        key = row.day, row.channel, row.resource_type
        so_far = totals.get(key) or DaySum(*key, ZERO, ZERO, ZERO, 0)
        totals[key] = DaySum(
            *key,
            so_far.quantity + row.quantity,
            so_far.billed_quantity + row.billed_quantity,
            so_far.total_cost + row.total_cost,
            so_far.record_count + row.record_count,
        )
    return list(totals.values())


def by_day(*, tenant_id: UUID, first: date, last: date) -> list[DaySum]:
    """Return the sums of local days `first` to `last` (inclusive) by day and meter; one query.

    A day all of whose events were voided is left out, as one without events is: nothing of it was used.
    """
    keys, where = "summary_date, channel, resource_type", "tenant_id = %s AND summary_date BETWEEN %s AND %s"
    return [DaySum(*row) for row in _sum(keys, where, [tenant_id, first, last])]


def _sum(keys: str, where: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run the one query; its parts are constants of this module. What was taken back whole is left out."""
    query = f"""
        SELECT {keys}, sum(total_quantity), sum(billed_quantity), sum(total_cost), sum(record_count)::bigint
        FROM (
            SELECT {COLUMNS} FROM usage_summaries WHERE {where}
            UNION ALL
            SELECT {COLUMNS} FROM usage_summary_deltas WHERE {where}
        ) AS folded_and_not
        GROUP BY {keys}
        HAVING (sum(total_quantity), sum(billed_quantity), sum(total_cost), sum(record_count)) IS DISTINCT FROM (0, 0, 0, 0)
        ORDER BY {keys}
    """  # noqa: S608 - no value stands in it
    return prepared(query, [*values, *values])
