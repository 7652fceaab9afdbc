"""How fast usage events come in: `python -m benchmarks.usage_ingest [--batches N] [--singles N]`.

Three figures, each beside its floor in the same run, in turn: batches of 1,000 at the service beside a bare psycopg loop that
does the same three writes in one transaction (keys, records, sums; no validation, no prices); the same batches through HTTP,
client, web process and database on this machine; and one-event writes by 1 and 16 clients beside the three bare inserts.
The database is a throw-away one; --durable switches its fsync on.
"""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import orjson
import psycopg

from benchmarks.conditions import conditions, table
from benchmarks.servers import database, web
from common.ids import uuid7

SIZE = 1_000
KEYS = count(1)
INTO_KEYS = "INSERT INTO usage_dedup (tenant_id, key, content_hash, record_id, created_at) VALUES (%s, %s, %s, %s, %s)"
INTO_RECORDS = """
    INSERT INTO usage_records (
        id, tenant_id, channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination, quantity,
        billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, dedup_key, kind, created_at
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
INTO_SUMS = """
    INSERT INTO usage_summary_deltas (
        id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id, total_quantity, billed_quantity,
        total_cost, record_count
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
PRICE = Decimal("0.0075")
Batch = Callable[[], None]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=20, help="batches of 1,000 of each kind")
    parser.add_argument("--singles", type=int, default=2_000, help="one-event writes of each kind")
    parser.add_argument("--durable", action="store_true", help="fsync on, as in production")
    options = parser.parse_args()
    print(conditions(), flush=True)
    with database(is_durable=options.durable) as url:
        Stage(url).measure(options.batches, options.singles)


class Stage:
    """A company, and every way to write its usage."""

    def __init__(self, url: str) -> None:
        from tests.factories import make_company

        self.url = url
        self.now = datetime.now(UTC)
        self.company = make_company("Bench", owner="Olga", agent="Otto", finance="Ola", now=self.now)
        self.tenant_id: UUID = self.company.tenant.pk
        self.own = threading.local()

    def measure(self, batches: int, singles: int) -> None:
        """Measure and print."""
        with web() as address, httpx.Client(base_url=address, timeout=30) as client:
            ways: dict[str, Batch] = {
                "at the service": self.at_the_service,
                "through HTTP": lambda: self.through_http(client),
                "bare loop (floor)": self.bare_batch,
            }
            rates = self.alternate(ways, batches)
        floor = rates["bare loop (floor)"]
        rows = [[name, f"{rate:,.0f}", f"{rate / floor:.2f}"] for name, rate in rates.items()]
        print(table([f"batches of {SIZE:,}", "events/s", "ratio"], rows) + "\n", flush=True)
        rows = []
        for clients in (1, 16):
            ours, bare = (self.singles(write, singles, clients) for write in (self.one_event, self.bare_one))
            name = f"{clients} client{'s' if clients > 1 else ''}"
            rows.append([name, f"{ours:,.0f}", f"{bare:,.0f}", f"{ours / bare:.2f}"])
        print(table(["one event a transaction", "ours/s", "bare inserts/s", "ratio"], rows))

    def alternate(self, ways: dict[str, Batch], rounds: int) -> dict[str, float]:
        """Run every way in turn; return the median events per second of each."""
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds + 2):
            for name, run in ways.items():
                began = time.perf_counter()
                run()
                if turn >= 2:  # the first two warm up
                    seconds[name].append(time.perf_counter() - began)
        return {name: SIZE / statistics.median(found) for name, found in seconds.items()}

    def events(self) -> list[dict[str, Any]]:
        """Return a batch as an integrator sends it: over three days, two meters, with metadata."""
        days = [self.now - timedelta(days=number) for number in range(3)]
        return [
            {
                "idempotency_key": f"evt-{(number := next(KEYS)):012d}",
                "channel": "sms",
                "resource_type": ("message", "mms")[number % 2],
                "quantity": "1",
                "occurred_at": days[number % 3].isoformat(),
                "resource_id": f"msg_{number:012d}",
                "metadata": {"campaign": f"c{number % 7}"},
            }
            for _ in range(SIZE)
        ]

    def at_the_service(self) -> None:
        from accounts.tenancy import tenant_scope
        from usage.ingest_reading import Window
        from usage.services.ingesting import ingest

        window = Window.around(self.now, back_days=35, ahead_minutes=5)
        with tenant_scope(self.tenant_id):
            outcomes = ingest(tenant_id=self.tenant_id, raw_events=self.events(), window=window)
        assert all(outcome.status == "created" for outcome in outcomes)

    def through_http(self, client: httpx.Client) -> None:
        headers = {"Authorization": f"Bearer {self.company.api_key}", "Content-Type": "application/json"}
        answer = client.post("/v1/usage/events", content=orjson.dumps({"events": self.events()}), headers=headers)
        assert answer.status_code == 200, answer.text
        assert orjson.loads(answer.content)["created"] == SIZE

    def bare_batch(self) -> None:
        """Write keys, records and one sum a day and meter by executemany, which psycopg sends in one pipeline."""
        keys, records, sums = [], [], dict[tuple[Any, str], int]()
        for event in self.events():
            key, record = self._bare_rows(event)
            keys.append(key)
            records.append(record)
            place = record[16], record[3]
            sums[place] = sums.get(place, 0) + 1
        with self._transaction() as cursor:
            cursor.executemany(INTO_KEYS, keys)
            cursor.executemany(INTO_RECORDS, records)
            cursor.executemany(INTO_SUMS, [self._bare_sum(*place, number) for place, number in sorted(sums.items())])

    def one_event(self) -> None:
        from accounts.tenancy import tenant_scope
        from usage.services import record_usage

        event = {"channel": "sms", "resource_type": "message", "quantity": Decimal(1), "occurred_at": self.now}
        with tenant_scope(self.tenant_id):
            record_usage(tenant_id=self.tenant_id, dedup_key=f"one:{next(KEYS)}", **event)  # type: ignore[arg-type] # of its fields

    def bare_one(self) -> None:
        event = {
            "idempotency_key": f"bare:{next(KEYS)}",
            "resource_type": "message",
            "occurred_at": self.now.isoformat(),
        }
        key, record = self._bare_rows({**event, "resource_id": "", "metadata": {}})
        with self._transaction() as cursor:
            cursor.execute(INTO_KEYS, key)
            cursor.execute(INTO_RECORDS, record)
            cursor.execute(INTO_SUMS, self._bare_sum(record[16], "message", 1))

    def singles(self, write: Batch, number: int, clients: int) -> float:
        """Return the writes per second of so many clients, each with its own connection."""

        def client(_: int) -> None:
            from django.db import connection

            for _ in range(number // clients):
                write()
            connection.close()
            if held := getattr(self.own, "connection", None):
                held.close()
                self.own.connection = None

        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(client, range(clients)))
        return number // clients * clients / (time.perf_counter() - began)

    def _bare_rows(self, event: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        record_id, now = uuid7(), datetime.now(UTC)
        moment = datetime.fromisoformat(event["occurred_at"])
        key = [
            self.tenant_id,
            event["idempotency_key"],
            sha256(event["idempotency_key"].encode()).digest(),
            record_id,
            now,
        ]
        record = [
            record_id, self.tenant_id, "sms", event["resource_type"], self.tenant_id, self.tenant_id,
            event["resource_id"], "", "", Decimal(1), Decimal(1), PRICE, PRICE, "USD", json.dumps(event["metadata"]), moment,
            moment.date(), event["idempotency_key"], "usage", now,
        ]  # fmt: skip
        return key, record

    def _bare_sum(self, day: Any, resource_type: str, number: int) -> list[Any]:
        owner = self.tenant_id
        return [uuid7(), owner, owner, day, "sms", resource_type, owner, number, number, PRICE * number, number]

    def _transaction(self) -> "BareTransaction":
        if getattr(self.own, "connection", None) is None:
            self.own.connection = psycopg.connect(self.url)
        return BareTransaction(self.own.connection, self.tenant_id)


class BareTransaction:
    """One transaction under the tenant's row-level security."""

    def __init__(self, connection: psycopg.Connection, tenant_id: UUID) -> None:
        self._connection, self._tenant_id = connection, tenant_id

    def __enter__(self) -> psycopg.Cursor:
        cursor = self._connection.cursor()
        cursor.execute("SELECT set_config('irisx.tenant', %s, true)", [str(self._tenant_id)])
        return cursor

    def __exit__(self, *error: object) -> None:
        self._connection.rollback() if error[0] else self._connection.commit()


if __name__ == "__main__":
    main()
