"""Where the sums differ from the records they are of. One statement, so one snapshot: right whatever commits meanwhile."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from common.money import plain

CLOCKS_DIFFER_BY = timedelta(days=1)  # at most, between the processes that give ids and those that open periods

KEYS = "tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id"
# A tenant's records are found by their ids, which grow with the time they were made at: a period has none older than itself.
RECORDS = """
    SELECT tenant_id, billing_period_id, usage_date AS summary_date, channel, resource_type, rate_id,
        sum(quantity) AS quantity, sum(billed_quantity) AS billed, coalesce(sum(total_cost), 0) AS cost,
        count(*) FILTER (WHERE kind <> 'reversal') - count(*) FILTER (WHERE kind = 'reversal') AS events
    FROM usage_records
    WHERE (%(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s) AND (%(since)s::uuid IS NULL OR id >= %(since)s)
        AND (%(period)s::uuid IS NULL OR billing_period_id = %(period)s)
    GROUP BY 1, 2, 3, 4, 5, 6
"""
COLUMNS = f"{KEYS}, total_quantity, billed_quantity, total_cost, record_count"
OF_SCOPE = """(%(tenant)s::uuid IS NULL OR tenant_id = %(tenant)s)
        AND (%(period)s::uuid IS NULL OR billing_period_id = %(period)s)"""
SUMS = f"""
    SELECT {KEYS}, sum(total_quantity) AS quantity, sum(billed_quantity) AS billed, sum(total_cost) AS cost,
        sum(record_count)::bigint AS events
    FROM (
        SELECT {COLUMNS} FROM usage_summaries WHERE {OF_SCOPE}
        UNION ALL
        SELECT {COLUMNS} FROM usage_summary_deltas WHERE {OF_SCOPE}
    ) AS folded_and_not
    GROUP BY {KEYS}
"""  # noqa: S608 - constants
DIFFERENCES = f"""
    WITH recorded AS ({RECORDS}), summed AS ({SUMS})
    SELECT {KEYS},
        coalesce(r.quantity, 0) AS r_quantity, coalesce(r.billed, 0) AS r_billed,
        coalesce(r.cost, 0) AS r_cost, coalesce(r.events, 0) AS r_events,
        coalesce(s.quantity, 0) AS s_quantity, coalesce(s.billed, 0) AS s_billed,
        coalesce(s.cost, 0) AS s_cost, coalesce(s.events, 0) AS s_events
    FROM recorded r FULL JOIN summed s USING ({KEYS})
    WHERE (coalesce(r.quantity, 0), coalesce(r.billed, 0), coalesce(r.cost, 0), coalesce(r.events, 0))
        IS DISTINCT FROM (coalesce(s.quantity, 0), coalesce(s.billed, 0), coalesce(s.cost, 0), coalesce(s.events, 0))
"""  # noqa: S608 - constants
FIRST = f"{DIFFERENCES} ORDER BY {KEYS} LIMIT %(most)s"
# Sums are only ever added to: what is missing, or too much, is appended like any other delta.
CORRECT = f"""
    INSERT INTO usage_summary_deltas (
        id, {KEYS}, total_quantity, billed_quantity, total_cost, record_count
    )
    SELECT gen_random_uuid(), {KEYS}, r_quantity - s_quantity, r_billed - s_billed, r_cost - s_cost, r_events - s_events
    FROM ({DIFFERENCES}) AS differences
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Figures:
    """Sums of one day, meter and rate version; `cost` unrounded, a reversal counts -1 among `events`."""

    quantity: Decimal
    billed_quantity: Decimal
    cost: Decimal
    events: int

    def written(self) -> dict[str, str]:
        """Return them as JSON holds them."""
        return {name: plain(Decimal(value)) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Difference:
    """One day, meter and rate version of a period whose sums are not those of its records."""

    tenant_id: UUID
    period_id: UUID
    day: date
    channel: str
    resource_type: str
    rate_id: UUID
    records: Figures
    sums: Figures

    def __str__(self) -> str:
        where = f"period {self.period_id}, {self.day}, {self.channel}/{self.resource_type} at rate {self.rate_id}"
        return f"tenant {self.tenant_id}, {where}: records {self.records.written()}, sums {self.sums.written()}"

    def written(self) -> dict[str, Any]:
        """Return it as JSON holds it, without tenant and period."""
        key = {"day": self.day.isoformat(), "channel": self.channel, "resource_type": self.resource_type}
        return {**key, "rate": str(self.rate_id), "records": self.records.written(), "sums": self.sums.written()}


def differences(
    *,
    tenant_id: UUID | None = None,
    period_id: UUID | None = None,
    since: datetime | None = None,
    most: int = 20,
) -> list[Difference]:
    """Return the first differences in the order of tenant, period, day; of all that the transaction sees, or of one.

    `since` is when the period was stored, so that older records need not be read.
    """
    with connection.cursor() as cursor:
        cursor.execute(FIRST, {**_scope(tenant_id, period_id, since), "most": most})
        return [_difference(row) for row in cursor.fetchall()]


def correct_sums(*, tenant_id: UUID, period_id: UUID | None, since: datetime | None = None) -> int:
    """Append what makes the sums those of the records; return how many were wrong. One at a time per tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('usage-sums:' || %s, 0))", [str(tenant_id)])
        cursor.execute(CORRECT, _scope(tenant_id, period_id, since))
        return int(cursor.rowcount)


def _difference(row: Sequence[Any]) -> Difference:
    values: list[Any] = [*row[:6], Figures(*row[6:10]), Figures(*row[10:14])]
    return Difference(*values)


def _scope(tenant_id: UUID | None, period_id: UUID | None, since: datetime | None) -> dict[str, UUID | None]:
    first = UUID(int=int((since - CLOCKS_DIFFER_BY).timestamp() * 1000) << 80) if since else None
    return {"tenant": tenant_id, "period": period_id, "since": first}
