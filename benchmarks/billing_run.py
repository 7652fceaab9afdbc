"""How fast an invoice run is: `python -m benchmarks.billing_run [--tenants N] [--workers N] [--durable]`.

Tenants on a plan with a fee have a checked period with 30 summary rows (10 days of 3 meters), credit and a billing profile.
Workers take every item from new to finalized: draft, credit, tax, number, webhook. Documents are rendered when somebody asks
for them (benchmarks.documents). The floor writes the rows that an invoice leaves behind, bare, one transaction each, its number
from a counter too, by as many processes; it rates, checks and compares nothing.
How long the counter of the numbers is held is timed in the workers, from the number's statement to the end of the commit.
"""

import argparse
import multiprocessing
import os
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import django
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from benchmarks.conditions import conditions, table
from benchmarks.servers import database

MOST_FLOOR = 1_000
# Rows of the model tenant, again for each tenant: ids and what points to them are hashed with the tenant's number.
CLONED = ("tenants", "subscriptions", "billing_periods", "billing_profiles", "credit_entries", "credit_balances")
OWN_KEYS = ("id", "tenant_id", "subscription_id", "billing_period_id", "grant_id")
CLONE = """
    INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(r) || (
        SELECT jsonb_object_agg(key, CASE key WHEN 'slug' THEN text || '-' || n ELSE md5(n || text)::uuid::text END)
        FROM jsonb_each_text(to_jsonb(r)) AS pair(key, text) WHERE key = ANY(%(keys)s) AND text IS NOT NULL
    ))).* FROM {table} r CROSS JOIN generate_series(1, %(count)s) AS n WHERE {owner} = %(tenant)s
"""
SUMMARIES = """
    INSERT INTO usage_summaries (id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id,
        total_quantity, billed_quantity, total_cost, record_count)
    SELECT gen_random_uuid(), p.tenant_id, p.id, p.period_start + day, r.channel, r.resource_type, r.id, 100 + day, 100 + day,
        (100 + day) * r.unit_price, 100 + day
    FROM billing_periods p JOIN pricing_rates r ON r.plan_id = p.plan_id AND r.channel IN ('sms', 'whatsapp')
    CROSS JOIN generate_series(0, 9) AS day
    WHERE p.state = 'closed' ORDER BY p.tenant_id, day
"""
LEFT_BEHIND = ("invoices", "invoice_line_items", "credit_burns", "credit_entries", "webhook_outbox")
COUNTER = """
    INSERT INTO invoice_sequences (id, legal_entity_id, series, last, last_issue_date)
    SELECT gen_random_uuid(), id, 'FLOOR', 1, current_date FROM legal_entities
    ON CONFLICT (legal_entity_id, series) DO UPDATE SET last = invoice_sequences.last + 1 RETURNING last
"""
FINAL = """
    UPDATE invoices SET status = 'pending', series = 'FLOOR', series_number = %s, invoice_number = %s WHERE id = %s
"""
FLOOR_SUMS = (
    "SELECT sum(total_quantity) FROM usage_summaries WHERE tenant_id = %s AND billing_period_id = %s GROUP BY rate_id"
)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--durable", action="store_true", help="fsync on, as in production")
    options = parser.parse_args()
    print(conditions(), flush=True)
    with (
        database(is_durable=options.durable) as url,
        multiprocessing.get_context("spawn").Pool(options.workers, initializer=django.setup) as pool,
    ):
        stage = Stage(url, options.tenants)
        print(f"seeded    {options.tenants:,} tenants in {stage.seed():.0f} s; {options.workers} workers\n", flush=True)
        pool.map(time.sleep, [0.5] * options.workers, chunksize=1)  # until each has imported everything
        began = time.perf_counter()
        stage.open()
        opened = time.perf_counter() - began
        worked = [
            part for parts in pool.map(work, [stage.now.isoformat()] * options.workers, chunksize=1) for part in parts
        ]
        whole = time.perf_counter() - began
        assert stage.finalized() == len(worked) == options.tenants, (stage.finalized(), len(worked))
        stage.count()
        floor = stage.floor(pool, options.workers)
        per_second = options.tenants / whole
        rows = [
            [
                "the run",
                f"{per_second:,.0f}",
                f"{whole:.1f}",
                f"{10_000 / per_second:.0f}",
                f"{per_second / floor:.2f}",
            ],
            ["its rows, bare (floor)", f"{floor:,.0f}", "", f"{10_000 / floor:.0f}", "1.00"],
        ]
        print(table(["to finalized", "invoices/s", "seconds", "s for 10,000", "ratio"], rows) + "\n")
        parts = {"held": [held for _, held, _ in worked], "waited for": [waited for waited, _, _ in worked]}
        rows = [[name, *percentiles(seconds)] for name, seconds in parts.items()]
        rows.append(["an item, whole", *percentiles([item for _, _, item in worked])])
        print(table(["the counter of the numbers, ms", "median", "p99", "worst"], rows))
        print(
            f"\ntaking up {options.tenants:,} periods: {opened:.1f} s; reconciling afterwards: {stage.reconcile():.1f} s"
        )


class Stage:
    """Many tenants with a period to be billed."""

    def __init__(self, url: str, tenants: int) -> None:
        from tests.billing.helpers import APRIL, buy_from, move_to, sell_from
        from tests.factories import make_company
        from tests.usage.helpers import periods

        self.url, self.tenants, self.now = url, tenants, APRIL + timedelta(days=1)
        self.spare = min(tenants, MOST_FLOOR)
        sell_from("IE")
        self.company = make_company("Model", owner="Olga", agent="Otto", finance="Ola")
        move_to(self.company, "professional")
        buy_from(self.company, "IE", legal_name="Model GmbH")
        from accounts.tenancy import tenant_scope
        from usage.services import close_period

        with tenant_scope(self.company.tenant.pk):
            close_period(tenant_id=self.company.tenant.pk, period_id=periods(self.company)[0].pk, now=APRIL)

    def seed(self) -> float:
        """Make the tenants, with some to spare for the floor; return the seconds it took."""
        began = time.perf_counter()
        count = self.tenants + self.spare
        values = {"keys": [*OWN_KEYS, "slug"], "count": count, "tenant": self.company.tenant.pk}
        with self._system() as cursor:
            for name in CLONED:
                keys = values["keys"] if name == "tenants" else list(OWN_KEYS)
                owner = "r.id" if name == "tenants" else "r.tenant_id"
                cursor.execute(CLONE.format(table=name, owner=owner), {**values, "keys": keys})
            cursor.execute(SUMMARIES)
            cursor.execute(
                "UPDATE billing_periods SET checked_at = closed_at WHERE state = 'closed' AND tenant_id IN "
                "(SELECT id FROM tenants WHERE id <> %s ORDER BY id LIMIT %s)",
                [self.company.tenant.pk, self.tenants],
            )
        self._vacuum("tenants", "subscriptions", "billing_periods", "usage_summaries", "credit_entries")
        return time.perf_counter() - began

    def open(self) -> None:
        """Take up every period, its grace over."""
        from billing.services import open_runs

        assert open_runs(now=self.now, grace=timedelta(0)) == self.tenants

    def count(self) -> None:
        from billing.services import count_runs

        count_runs(now=self.now)

    def finalized(self) -> int:
        with self._system() as cursor:
            cursor.execute("SELECT count(*) FROM invoices WHERE series_number BETWEEN 1 AND %s", [self.tenants])
            return int(cursor.fetchone()[0])

    def reconcile(self) -> float:
        """Return how long reconciling invoices and credit takes; the summaries have no records, and that it says."""
        from billing.services import reconcile

        began = time.perf_counter()
        found = reconcile(now=self.now).findings
        took = time.perf_counter() - began
        assert {finding["check"] for finding in found} <= {"records = sums"}
        return took

    def floor(self, pool: Any, workers: int) -> float:
        """Return how many invoices a second the bare writing makes."""
        with self._system() as cursor:
            cursor.execute(
                "SELECT p.tenant_id, p.id FROM billing_periods p WHERE p.state = 'closed' AND p.checked_at IS NULL "
                "AND p.tenant_id <> %s",
                [self.company.tenant.pk],
            )
            spare = cursor.fetchall()
            cursor.execute("SELECT tenant_id FROM invoices WHERE status <> 'draft' LIMIT 1")
            (model,) = cursor.fetchone()
        began = time.perf_counter()
        pool.map(write_bare, [(self.url, model, spare[number::workers]) for number in range(workers)], chunksize=1)
        return len(spare) / (time.perf_counter() - began)

    def _system(self) -> Any:
        return SystemCursor()

    def _vacuum(self, *names: str) -> None:
        """Do what autovacuum does within minutes."""
        from django.db import connections

        with connections["owner"].cursor() as cursor:
            for name in names:
                cursor.execute(f"VACUUM (ANALYZE) {name}")


class SystemCursor:
    """A cursor in a transaction that sees every tenant."""

    def __enter__(self) -> Any:
        from django.db import connection

        from accounts.tenancy import system_access

        self._access = system_access("a benchmark")
        self._access.__enter__()
        self._cursor = connection.cursor()
        return self._cursor

    def __exit__(self, *error: Any) -> None:
        self._cursor.close()
        self._access.__exit__(*error)


def work(now: str) -> list[tuple[float, float, float]]:
    """Bill what is due, in a process of its own; return for each how long the counter was waited for and held, and the whole."""
    from datetime import datetime

    from billing.services import bill_next, finalizing

    take = finalizing.take_number
    moments: list[float] = []

    def and_note(*values: Any, **keywords: Any) -> Any:
        moments.append(time.perf_counter())
        number = take(*values, **keywords)
        moments.append(time.perf_counter())
        return number

    finalizing.take_number = and_note
    worked = []
    while True:
        began = time.perf_counter()
        done = bill_next(now=datetime.fromisoformat(now))
        if done is None:
            return worked
        assert done.state == "finalized", done
        asked, got = moments[-2:]
        ended = time.perf_counter()
        worked.append((got - asked, ended - got, ended - began))


def write_bare(job: tuple[str, UUID, list[tuple[UUID, UUID]]]) -> None:
    """Write for each tenant what an invoice leaves behind, one transaction each."""
    url, model, tenants = job
    with psycopg.connect(url, autocommit=True) as connection:
        rows = {}
        with connection.transaction():
            connection.execute("SELECT set_config('irisx.tenant', %s, true)", [str(model)])
            for name in LEFT_BEHIND:
                where = " AND kind = 'burn'" if name == "credit_entries" else ""
                cursor = connection.execute(f"SELECT * FROM {name} WHERE tenant_id = %s{where}", [model])
                assert cursor.description is not None
                rows[name] = [column.name for column in cursor.description], cursor.fetchall()
        inserts = {name: _insert(name, columns) for name, (columns, _) in rows.items()}
        for tenant_id, period_id in tenants:
            invoice_id = uuid4()
            own = {
                "tenant_id": tenant_id,
                "billing_period_id": period_id,
                "period_id": period_id,
                "invoice_id": invoice_id,
            }
            with connection.transaction():
                connection.execute("SELECT set_config('irisx.tenant', %s, true)", [str(tenant_id)])
                connection.execute(FLOOR_SUMS, [tenant_id, period_id]).fetchall()
                connection.execute("UPDATE credit_balances SET reserved = 0 WHERE tenant_id = %s", [tenant_id])
                for name in ("credit_burns", "credit_entries", "webhook_outbox"):
                    _write(connection, inserts[name], rows[name], {**own, "id": uuid4})
                draft = {
                    **own,
                    "id": invoice_id,
                    "status": "draft",
                    "invoice_number": "",
                    "series_number": None,
                }
                _write(connection, inserts["invoices"], rows["invoices"], draft)
                _write(connection, inserts["invoice_line_items"], rows["invoice_line_items"], {**own, "id": uuid4})
                number = connection.execute(COUNTER).fetchone()
                assert number is not None
                connection.execute(FINAL, [number[0], f"FLOOR-{number[0]:06d}", invoice_id])


def _insert(name: str, columns: list[str]) -> sql.Composed:
    fields = sql.SQL(", ").join(map(sql.Identifier, columns))
    marks = sql.SQL(", ").join(sql.Placeholder() * len(columns))
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(name), fields, marks)


def _write(connection: psycopg.Connection, insert: sql.Composed, model: tuple[list[str], list[Any]], own: Any) -> None:
    """Write the model's rows with another tenant's ids."""
    columns, rows = model
    values = []
    for row in rows:
        fields = {
            name: Jsonb(value) if isinstance(value, dict | list) else value
            for name, value in zip(columns, row, strict=True)
        }
        fields |= {name: value() if callable(value) else value for name, value in own.items() if name in fields}
        values.append(list(fields.values()))
    with connection.cursor() as cursor:
        cursor.executemany(insert, values)


def percentiles(seconds: list[float]) -> list[str]:
    ordered = sorted(seconds)
    return [f"{ordered[int((len(ordered) - 1) * share)] * 1000:.2f}" for share in (0.5, 0.99, 1)]


if __name__ == "__main__":
    main()
