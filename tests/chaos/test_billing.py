"""Usage is recorded, periods close, invoices are numbered, and workers, writers and the database die by SIGKILL meanwhile.

Everything goes on by itself: nothing is billed twice, nothing is missing, numbers have no gap, and the books agree. The short
form is part of every run of the tests; `make chaos` (CHAOS=long) has more tenants, and more dying.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery

from irisx.local.processes import Program
from irisx.local.programs import QUIET, ROOT
from irisx.local.roles import DATABASE, SERVING
from irisx.local.testsession import outside_environment
from tests.billing.helpers import buy_from, move_to, sell_from
from tests.chaos.billing_writer import events_of
from tests.chaos.theatre import Part, Theatre, theatre
from tests.factories import Company, make_company
from tests.local.waiting import eventually
from tests.usage.helpers import periods

IS_LONG = os.environ.get("CHAOS") == "long"
TENANTS = 150 if IS_LONG else 14
WRITERS = 4 if IS_LONG else 2
EVENTS = 60 if IS_LONG else 10  # of each writer for each tenant
# What dies together, one after the other.
SHORT = (("worker0",), ("postgres",), ("writer0",))
LONG = (("worker0", "worker1"), ("postgres",), ("writer0", "worker1"), ("postgres",)) * 5
DONE_WITHIN_SECONDS = 900 if IS_LONG else 300
TASKS = ("usage.tasks.fold_deltas", "usage.tasks.roll_periods", "billing.tasks.run_invoices")
LONGEST_QUEUE = 12

pytestmark = pytest.mark.timeout(1800 if IS_LONG else 600)  # a minute beside other work

FINALIZED = "SELECT count(*) FROM invoices WHERE status NOT IN ('draft', 'parked')"
LEFT_OVER = """
    SELECT count(*) FROM billing_periods p
    WHERE (p.state = 'open' AND p.ends_at < now() - interval '1 hour') OR (p.state <> 'open' AND NOT EXISTS (
        SELECT FROM invoice_run_items i WHERE i.billing_period_id = p.id AND i.state IN ('finalized', 'empty')))
"""
# What is on invoices, and what the periods that are still open hold: by tenant.
BILLED = """
    SELECT tenant_id::text, sum(quantity)::int FROM (
        SELECT tenant_id, quantity FROM invoice_line_items WHERE kind = 'usage'
        UNION ALL SELECT s.tenant_id, s.total_quantity FROM (
            SELECT tenant_id, billing_period_id, total_quantity FROM usage_summaries
            UNION ALL SELECT tenant_id, billing_period_id, total_quantity FROM usage_summary_deltas
        ) s JOIN billing_periods p ON p.id = s.billing_period_id AND p.state = 'open'
    ) AS both_of_them GROUP BY 1
"""
RECORDED = (
    "SELECT tenant_id::text, sum(quantity)::int, count(*), count(DISTINCT dedup_key) FROM usage_records GROUP BY 1"
)
STATES = "SELECT state, reason, count(*) FROM invoice_run_items GROUP BY 1, 2"


@dataclass
class Play:
    """The stage, the tenants on it, and who writes their usage."""

    stage: Theatre
    plan: dict[str, Any]
    killed: list[tuple[str, int]] = field(default_factory=list)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database, as somebody whom row-level security does not bind."""
        with self.stage.cluster.connect(database=DATABASE) as connection:
            return connection.execute(query).fetchall()

    def number(self, query: str) -> int:
        """Return a count; -1 while the database is away."""
        with suppress(psycopg.OperationalError):
            return int(self.rows(query)[0][0])
        return -1

    def kill(self, *names: str) -> None:
        """Kill parts, note how many invoices there were, and start them again."""
        self.killed += [(name, self.number(FINALIZED)) for name in names]
        for name in names:
            self.stage.parts[name].stop(signal.SIGKILL)
        for name in names:
            self.stage.parts[name].begin()

    def have_all_written(self) -> bool:
        writers = [part.process for name, part in self.stage.parts.items() if name.startswith("writer")]
        ends = [writer.poll() for writer in writers if writer]
        assert not [end for end in ends if end], "\n".join(self.last_lines())
        return None not in ends

    def last_lines(self) -> list[str]:
        return [
            f"{name}: {part.log.read_text()[-1500:]}" for name, part in self.stage.parts.items() if part.log.exists()
        ]


@pytest.fixture
def play(committed_db: None, tmp_path: Path) -> Iterator[Play]:
    sell_from()
    start = datetime.now(UTC) - timedelta(days=45)
    companies = [make_company(f"C{number}", owner="O", agent="A", finance="F", now=start) for number in range(TENANTS)]
    plan = {"events": EVENTS, "tenants": [planned(company) for company in companies]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with theatre(ping_seconds=1.0, processes=0) as stage:
        for number in range(2):
            command = ("-m", "celery", "-q", "-A", "irisx", "worker", "-P", "threads", "-c", "2", *QUIET)
            add(stage, f"worker{number}", *command)
        for number in range(WRITERS):
            add(stage, f"writer{number}", "-m", "tests.chaos.billing_writer", str(tmp_path / "plan.json"), str(number))
        yield Play(stage, plan)


def planned(company: Company) -> dict[str, str]:
    """Put a company on a plan with a fee, and return when its usage is of: its first period, long over."""
    move_to(company, "professional")
    buy_from(company)
    (first,) = periods(company)
    return {"id": str(company.tenant.pk), "first": first.starts_at.isoformat(), "last": first.ends_at.isoformat()}


def add(stage: Theatre, name: str, *arguments: str) -> None:
    """Add a program of ours to the stage, not begun."""
    environment = outside_environment() | {
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "DJANGO_SETTINGS_MODULE": "irisx.settings",
        "DATABASE_URL": stage.cluster.url(role=SERVING, database=DATABASE),
        "REDIS_URL": stage.redis_url,
        "IRISX_INVOICE_GRACE_HOURS": "0",
    }
    program = Program(name=name, command=(sys.executable, *arguments), environment=environment, cwd=ROOT)
    stage.parts[name] = Part(program, lambda: True, stage.folder / f"{name}.log")


def test_everything_is_billed_once_whatever_dies(play: Play) -> None:
    for name, part in play.stage.parts.items():
        if name.startswith(("worker", "writer")):
            part.begin()
    with beating(play.stage.redis_url) as beat:
        for names in LONG if IS_LONG else SHORT:
            wait_for_more(play, beat, play.number(FINALIZED))
            play.kill(*names)
        began = time.monotonic()
        while not is_over(play):
            beat()
            assert time.monotonic() - began < DONE_WITHIN_SECONDS, (play.killed, play.rows(STATES), play.last_lines())
    check(play)


class beating:  # noqa: N801 - used as a function
    """Give what sends the tasks of the schedule, as beat does, only faster."""

    def __init__(self, broker: str) -> None:
        self.app = Celery("chaos", broker=broker, set_as_current=False)
        self.next_at = 0.0

    def __enter__(self) -> "beating":
        return self

    def __exit__(self, *error: object) -> None:
        self.app.close()

    def __call__(self) -> None:
        time.sleep(0.02)
        if time.monotonic() < self.next_at:
            return
        self.next_at = time.monotonic() + 0.25
        with self.app.connection_for_write() as connection:
            if connection.default_channel.client.llen("irisx") < LONGEST_QUEUE:
                for task in TASKS:
                    self.app.send_task(task, queue="irisx", connection=connection)


def wait_for_more(play: Play, beat: beating, before: int) -> None:
    """Wait until there are more invoices than before, so that what is killed is killed in mid-run; or until all is done."""
    began = time.monotonic()
    while play.number(FINALIZED) <= max(before, 0) and not is_over(play):
        beat()
        assert time.monotonic() - began < DONE_WITHIN_SECONDS, (play.killed, play.rows(STATES), play.last_lines())


def is_over(play: Play) -> bool:
    return play.have_all_written() and play.number(LEFT_OVER) == 0


def check(play: Play) -> None:
    expected: dict[str, list[int]] = {tenant["id"]: [] for tenant in play.plan["tenants"]}
    for number in range(WRITERS):
        for tenant_id, event in events_of(play.plan, number):
            expected[tenant_id].append(int(event["quantity"]))
    recorded = {tenant_id: tuple(of) for tenant_id, *of in play.rows(RECORDED)}
    assert recorded == {id: (sum(of), len(of), len(of)) for id, of in expected.items()}
    assert dict(play.rows(BILLED)) == {id: sum(of) for id, of in expected.items()}
    total = play.number(FINALIZED)
    numbers = [number for (number,) in play.rows("SELECT series_number FROM invoices ORDER BY 1")]
    assert numbers == list(range(1, total + 1))
    assert play.number("SELECT count(*) FROM webhook_outbox WHERE type = 'invoice.finalized'") == total
    assert play.number("SELECT count(DISTINCT object_id) FROM webhook_outbox WHERE type = 'invoice.finalized'") == total
    assert eventually(lambda: reconciled(play) == [], seconds=30), reconciled(play)
    for kind in ("worker", "postgres"):
        assert [at for name, at in play.killed if name.startswith(kind) and 0 < at < total], (play.killed, total)
    print(f"{total} invoices of {TENANTS} tenants; killed at so many of them: {play.killed}")


def reconciled(play: Play) -> Any:
    """Return what reconciling finds."""
    environment = play.stage.parts["worker0"].program.environment
    command = [sys.executable, "manage.py", "reconcile", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=120)
    return json.loads(done.stdout) if done.stdout else done.stderr[-2000:]
