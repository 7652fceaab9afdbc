"""What a month of many records costs to read and to reconcile: `python -m benchmarks.usage_at_scale [--records N] [--times N]`.

One tenant's month holds a million records, then ten million. At both sizes: `/current-period` at the service beside the one bare
statement it cannot do without, and over HTTP beside the cheapest signed request; the sum over the records themselves, which is
what it would cost without summaries; and the whole of `manage.py reconcile`, beside the bare GROUP BY of the records.
The records are written by one INSERT … SELECT; a thousand deltas wait to be folded, as they do at any moment.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg

from benchmarks.conditions import conditions, table
from benchmarks.servers import database, web

Row = list[str]
METERS = ("sms/message", "sms/mms", "email/message", "whatsapp/message", "social/message")
UNFOLDED = 1_000
# Times and ids grow together, as they do when records come in.
RECORDS = """
    INSERT INTO usage_records (
        id, tenant_id, channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination, quantity,
        billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, dedup_key, kind, created_at
    )
    SELECT (lpad(to_hex(%(began_ms)s + n / 10), 12, '0') || '7' || lpad(to_hex(n), 19, '0'))::uuid, %(tenant)s, m.channel,
        m.resource_type, %(period)s, m.rate_id, 'msg_' || n, '', '', 1, 1, m.price, m.price, 'USD', '{"campaign": "c1"}',
        at, (at AT TIME ZONE 'UTC')::date, 'ext:evt-' || n, 'usage', at
    FROM (SELECT n, %(starts_at)s::timestamptz + %(step)s::interval * n AS at FROM generate_series(%(first)s, %(last)s) AS n) r
    JOIN (
        SELECT row_number() OVER (ORDER BY channel, resource_type) - 1 AS number, channel, resource_type, id AS rate_id,
            unit_price AS price
        FROM pricing_rates WHERE plan_id = %(plan)s AND channel || '/' || resource_type = ANY(%(meters)s)
    ) m ON m.number = n %% %(count)s
"""
OF_RECORDS = """
    SELECT gen_random_uuid(), tenant_id, billing_period_id, usage_date, channel, resource_type, rate_id, sum(quantity),
        sum(billed_quantity), sum(total_cost), count(*)
    FROM usage_records WHERE dedup_key <> ALL(%(unfolded)s) GROUP BY 2, 3, 4, 5, 6, 7
"""
SUMMED = """id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id, total_quantity, billed_quantity,
    total_cost, record_count"""
SUMMARIES = f"INSERT INTO usage_summaries ({SUMMED}) {OF_RECORDS}"
DELTAS = f"""
    INSERT INTO usage_summary_deltas ({SUMMED})
    SELECT id, tenant_id, billing_period_id, usage_date, channel, resource_type, rate_id, quantity, billed_quantity, total_cost, 1
    FROM usage_records WHERE dedup_key = ANY(%(unfolded)s)
"""
KEYS = "billing_period_id, channel, resource_type, rate_id, summary_date"
BARE_SUMS = f"""
    SELECT {KEYS}, sum(total_quantity), sum(billed_quantity), sum(total_cost), sum(record_count) FROM (
        SELECT {KEYS}, total_quantity, billed_quantity, total_cost, record_count FROM usage_summaries
        WHERE tenant_id = %(tenant)s AND billing_period_id = %(period)s
        UNION ALL SELECT {KEYS}, total_quantity, billed_quantity, total_cost, record_count FROM usage_summary_deltas
        WHERE tenant_id = %(tenant)s AND billing_period_id = %(period)s
    ) AS both_of_them GROUP BY {KEYS}
"""
BARE_GROUPS = """
    SELECT tenant_id, billing_period_id, usage_date, channel, resource_type, rate_id, sum(quantity), sum(billed_quantity),
        sum(total_cost), count(*)
    FROM usage_records GROUP BY 1, 2, 3, 4, 5, 6
"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="records of the month at first")
    parser.add_argument("--times", type=int, default=10, help="how many times as many then; 1 for the first size alone")
    parser.add_argument("--reads", type=int, default=500, help="readings of the current period at each size")
    parser.add_argument("--durable", action="store_true", help="fsync on, as in production")
    options = parser.parse_args()
    print(conditions(), flush=True)
    with database(is_durable=options.durable) as url, web() as address:
        month = Month(url, address)
        for size in dict.fromkeys([options.records, options.records * options.times]):
            took = month.fill(size)
            print(f"{size:,} records, written in {took:.0f} s, {month.summaries():,} summary rows, {UNFOLDED:,} deltas")
            print(table(["current period, ms", "median", "p99", "ratio"], month.reading(options.reads)) + "\n")
            print(table(["reconcile, s", "seconds", "ratio"], month.reconciling()) + "\n", flush=True)


class Month:
    """One tenant's running month, and the ways to read it."""

    def __init__(self, url: str, address: str) -> None:
        from tests.factories import make_company
        from tests.usage.helpers import periods

        self.now = datetime.now(UTC)
        first = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        company = make_company("Bench", owner="Olga", agent="Otto", finance="Ola", now=first)
        self.tenant_id: UUID = company.tenant.pk
        self.period = periods(company)[0]
        self.bare = psycopg.connect(url, autocommit=True)
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {company.api_key}"}, timeout=60)
        self.filled = 0

    def fill(self, size: int) -> float:
        """Write records until there are `size`, and their sums; return the seconds it took."""
        from django.db import connection

        from accounts.tenancy import system_access

        began = time.perf_counter()
        values: dict[str, Any] = {
            "tenant": self.tenant_id,
            "period": self.period.pk,
            "plan": self.period.plan_id,
            "meters": list(METERS),
            "count": len(METERS),
            "starts_at": self.period.starts_at,
            "step": (self.now - self.period.starts_at) / size,
            "began_ms": int(self.now.timestamp() * 1000),
            "first": self.filled + 1,
            "last": size,
            "unfolded": [f"ext:evt-{number}" for number in range(size - UNFOLDED + 1, size + 1)],
        }
        with system_access("a benchmark's records"), connection.cursor() as cursor:
            cursor.execute(RECORDS, values)
            for table_name in ("usage_summaries", "usage_summary_deltas"):
                cursor.execute(f"DELETE FROM {table_name}")
            cursor.execute(SUMMARIES, values)
            cursor.execute(DELTAS, values)
        self.filled = size
        self._vacuum()
        return time.perf_counter() - began

    def summaries(self) -> int:
        return int(self._in_scope("SELECT count(*) FROM usage_summaries")[0][0])

    def reading(self, times: int) -> list[Row]:
        """Return the rows about the current period; each kind in turn with its floor."""
        values = {"tenant": self.tenant_id, "period": self.period.pk}
        service, bare = alternate(times, self._at_the_service, lambda: self._in_scope(BARE_SUMS, values))
        whole, cheapest = alternate(times, lambda: self._get("/v1/usage/current-period"), lambda: self._get("/v1/me"))
        (records,) = alternate(3, lambda: self._in_scope(BARE_GROUPS))
        return [
            ["at the service", *figures(service, bare)],
            ["its one statement, bare (floor)", *figures(bare, bare)],
            ["over HTTP", *figures(whole, cheapest)],
            ["GET /v1/me (floor)", *figures(cheapest, cheapest)],
            ["the records themselves, summed", *figures(records, service)],
        ]

    def reconciling(self) -> list[Row]:
        """Return the rows about reconciling; the medians of three."""
        from billing.services import reconcile
        from usage.selectors.agreement import differences

        def all_of_it() -> None:
            assert reconcile(now=self.now).findings == []

        def the_period() -> None:
            from accounts.tenancy import tenant_scope

            with tenant_scope(self.tenant_id):
                assert (
                    differences(tenant_id=self.tenant_id, period_id=self.period.pk, since=self.period.created_at) == []
                )

        whole, period, bare = alternate(3, all_of_it, the_period, lambda: self._in_scope(BARE_GROUPS))
        floor = statistics.median(bare)
        rows = {"manage.py reconcile": whole, "the check after closing": period, "bare GROUP BY (floor)": bare}
        return [
            [name, f"{(middle := statistics.median(took)):.2f}", f"{middle / floor:.2f}"] for name, took in rows.items()
        ]

    def _at_the_service(self) -> None:
        from accounts.tenancy import tenant_scope
        from usage.selectors import current_period, period_usage

        with tenant_scope(self.tenant_id):
            period = current_period(tenant_id=self.tenant_id, now=self.now)
            usage = period_usage(tenant_id=self.tenant_id, period=period, now=self.now)
        assert sum(line.record_count for line in usage.lines) == self.filled

    def _get(self, path: str) -> None:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text

    def _in_scope(self, query: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self.bare.transaction():
            self.bare.execute("SELECT set_config('irisx.tenant', %s, true)", [str(self.tenant_id)])
            return self.bare.execute(query, values).fetchall()

    def _vacuum(self) -> None:
        """Do what autovacuum does within minutes."""
        from django.db import connections

        with connections["owner"].cursor() as cursor:
            for name in ("usage_records", "usage_summaries", "usage_summary_deltas"):
                cursor.execute(f"VACUUM (ANALYZE) {name}")


def alternate(times: int, *ways: Callable[[], object]) -> list[list[float]]:
    """Run every way in turn; return the seconds each took, the first two turns of many left out."""
    took: list[list[float]] = [[] for _ in ways]
    warm = 2 if times > 10 else 0
    for turn in range(times + warm):
        for way, seconds in zip(ways, took, strict=True):
            began = time.perf_counter()
            way()
            if turn >= warm:
                seconds.append(time.perf_counter() - began)
    return took


def figures(seconds: list[float], floor: list[float]) -> Row:
    """Return median, 99th percentile (the worst of few) and ratio of the medians."""
    ordered = sorted(seconds)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    middle = statistics.median(ordered)
    return [f"{middle * 1000:.2f}", f"{worst * 1000:.2f}", f"{middle / statistics.median(floor):.2f}"]


if __name__ == "__main__":
    main()
