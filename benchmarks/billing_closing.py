"""How long writers stall when their tenant's period closes: `python -m benchmarks.billing_closing [--rate N] [--seconds N]`.

Processes write one event a transaction at a steady pace, 500 a second together; each write is timed from the moment it was due,
so that what waits behind a stall counts too. First nobody closes anything (the floor), then a period closes every second.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import django

from benchmarks.conditions import conditions, table
from benchmarks.servers import database

WRITERS = 4
READY_SECONDS = 3.0  # to connect


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="writes a second, of all together")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind; one close a second")
    parser.add_argument("--durable", action="store_true", help="fsync on, as in production")
    options = parser.parse_args()
    print(conditions(), flush=True)
    with (
        database(is_durable=options.durable),
        multiprocessing.get_context("spawn").Pool(WRITERS, initializer=django.setup) as writers,
    ):
        writers.map(time.sleep, [0.5] * WRITERS, chunksize=1)  # until each has imported everything
        stage = Stage(writers, options.rate, options.seconds)
        calm, _ = stage.write(lambda: None)
        stormy, closes = stage.write(stage.close)
    rows = [["nobody closes (floor)", *figures(calm)], [f"{len(closes)} periods close", *figures(stormy)]]
    print(table(["one-event write, ms", "writes", "median", "p99", "worst"], rows) + "\n")
    waited, held = ([seconds[part] * 1000 for seconds in closes] for part in (0, 1))
    rows = [
        [name, f"{statistics.median(of):.1f}", f"{max(of):.1f}"] for name, of in (("waited", waited), ("held", held))
    ]
    print(table(["the closer's lock, ms", "median", "worst"], rows))


class Stage:
    """A tenant whose usage is written, and whose periods close one after another."""

    def __init__(self, writers: Any, rate: int, seconds: float) -> None:
        from tests.factories import NOW, make_company
        from tests.usage.helpers import periods

        self.writers, self.rate, self.seconds = writers, rate, seconds
        self.company = make_company("Bench", owner="Olga", agent="Otto", finance="Ola")
        self.tenant_id: UUID = self.company.tenant.pk
        self.moment = NOW
        self._periods = lambda: periods(self.company)

    def write(self, every_second: Callable[[], object]) -> tuple[list[float], list[Any]]:
        """Let the writers write, and do something each second meanwhile; return their seconds, and what that returned."""
        begins_at = time.time() + READY_SECONDS
        job = (self.tenant_id, self.moment, begins_at, self.seconds, self.rate / WRITERS)
        running = self.writers.map_async(write, [(*job, number) for number in range(WRITERS)], chunksize=1)
        answers = []
        for second in range(1, int(self.seconds)):
            time.sleep(max(0.0, begins_at + second - 0.5 - time.time()))
            answers.append(every_second())
        return [seconds for took in running.get(timeout=300) for seconds in took], [one for one in answers if one]

    def close(self) -> tuple[float, float]:
        """Close the earliest open period; return the seconds the lock was waited for and held, the commit included."""
        from accounts.tenancy import tenant_scope
        from usage.services import periods, roll_periods

        period = next(one for one in self._periods() if one.state == "open")
        with tenant_scope(self.tenant_id):  # the next one is there a day ahead, as in production
            roll_periods(tenant_id=self.tenant_id, now=period.ends_at - timedelta(hours=1))
        taken: list[float] = []
        hold = periods.hold_periods_alone

        def and_note(**keywords: Any) -> None:
            hold(**keywords)
            taken.append(time.perf_counter())

        periods.hold_periods_alone = and_note
        began = time.perf_counter()
        try:
            with tenant_scope(self.tenant_id):
                periods.close_period(
                    tenant_id=self.tenant_id, period_id=period.pk, now=period.ends_at + timedelta(hours=1)
                )
        finally:
            periods.hold_periods_alone = hold
        return taken[0] - began, time.perf_counter() - taken[0]


def write(job: tuple[UUID, datetime, float, float, float, int]) -> list[float]:
    """Write at a steady pace in a process of its own; return how many seconds after it was due each write was done."""
    tenant_id, moment, begins_at, seconds, rate, number = job
    from accounts.tenancy import tenant_scope
    from usage.services import record_usage

    run = uuid4().hex[:8]

    def one(turn: int) -> None:
        with tenant_scope(tenant_id):
            record_usage(
                tenant_id=tenant_id,
                channel="sms",
                resource_type="message",
                quantity=Decimal(1),
                occurred_at=moment,
                dedup_key=f"{run}:{number}:{turn}",
            )

    for warm in range(-20, 0):
        one(warm)
    took = []
    for turn in range(int(seconds * rate)):
        due = begins_at + (turn + number / WRITERS) / rate
        time.sleep(max(0.0, due - time.time()))
        one(turn)
        took.append(time.time() - due)
    return took


def figures(seconds: list[float]) -> list[str]:
    ordered = sorted(seconds)
    parts = [ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99)]
    return [f"{len(ordered):,}", *(f"{part:.1f}" for part in parts), f"{ordered[-1] * 1000:.1f}"]


if __name__ == "__main__":
    main()
