"""Sums over summaries and deltas in one statement: whatever the folder does meanwhile, they equal the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True)
class RateSum:
    """What was used of one meter at one rate version in a period. Quantities are in metered units."""

    channel: str
    resource_type: str
    rate_id: UUID
    quantity: Decimal
    billed_quantity: Decimal
    record_count: int


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


COLUMNS = "channel, resource_type, rate_id, summary_date, total_quantity, billed_quantity, total_cost, record_count"


def by_rate(*, tenant_id: UUID, period_id: UUID) -> list[RateSum]:
    """Return a period's sums by meter and rate version; one query."""
    keys, sums = "channel, resource_type, rate_id", "total_quantity, billed_quantity, record_count"
    rows = _sum(keys, sums, "tenant_id = %s AND billing_period_id = %s", [tenant_id, period_id])
    return [RateSum(*row[:5], record_count=int(row[5])) for row in rows]


def by_day(*, tenant_id: UUID, first: date, last: date) -> list[DaySum]:
    """Return the sums of local days `first` to `last` (inclusive) by day and meter; one query."""
    where = "tenant_id = %s AND summary_date BETWEEN %s AND %s"
    return [DaySum(*row[:6], record_count=int(row[6])) for row in _by_day(where, [tenant_id, first, last])]


def by_day_of_period(*, tenant_id: UUID, period_id: UUID) -> list[DaySum]:
    """Return a period's sums by day and meter; one query."""
    where = "tenant_id = %s AND billing_period_id = %s"
    return [DaySum(*row[:6], record_count=int(row[6])) for row in _by_day(where, [tenant_id, period_id])]


def _by_day(where: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    keys = "summary_date, channel, resource_type"
    return _sum(keys, "total_quantity, billed_quantity, total_cost, record_count", where, values)


def _sum(keys: str, sums: str, where: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run the one query; its parts are constants of this module."""
    query = f"""
        SELECT {keys}, {", ".join(f"sum({column})" for column in sums.split(", "))}
        FROM (
            SELECT {COLUMNS} FROM usage_summaries WHERE {where}
            UNION ALL
            SELECT {COLUMNS} FROM usage_summary_deltas WHERE {where}
        ) AS folded_and_not
        GROUP BY {keys} ORDER BY {keys}
    """  # noqa: S608 - no value stands in it
    with connection.cursor() as cursor:
        cursor.execute(query, [*values, *values])
        return list(cursor.fetchall())
