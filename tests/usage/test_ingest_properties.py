"""Whatever the order, the replays and the split into batches, and however many fold meanwhile: the same facts, the same sums."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tenancy import system_access, tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import periods, rows
from usage.ingest_reading import Window
from usage.selectors import period_usage
from usage.services import fold_deltas
from usage.services.auditing import Actor
from usage.services.ingesting import ingest
from usage.services.reversing import void_record
from usage.sums import by_day

ACTOR = Actor("api_key", "tests")
WINDOW = Window.around(NOW, back_days=35, ahead_minutes=5)
FROM_RECORDS = """
    SELECT usage_date, channel, resource_type, sum(quantity), sum(billed_quantity), sum(coalesce(total_cost, 0)),
        sum(CASE kind WHEN 'reversal' THEN -1 ELSE 1 END)::int
    FROM usage_records GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
METERS = st.sampled_from(
    [
        {"channel": "sms", "resource_type": "message"},
        {"channel": "email", "resource_type": "message"},
        {"channel": "voice", "resource_type": "minute", "direction": "inbound"},
    ]
)
EVENTS = st.lists(
    st.builds(
        lambda meter, day, hour, quantity: {
            **meter,
            "quantity": str(quantity),
            "occurred_at": f"2026-03-{day:02d}T{hour:02d}:30:00Z",
        },
        METERS,
        st.integers(1, 9),
        st.integers(0, 23),
        st.decimals("0.001", "500", places=3),
    ),
    min_size=1,
    max_size=12,
)


@contextmanager
def undone() -> Iterator[None]:
    """Let every example begin with the same books."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def send(company: Company, events: list[Any]) -> list[Any]:
    with tenant_scope(company.tenant.pk):
        return ingest(tenant_id=company.tenant.pk, raw_events=events, window=WINDOW)


def fold(limit: int) -> None:
    with system_access("test"):
        fold_deltas(limit=limit)


def recorded(company: Company) -> list[Any]:
    """Return the sums by day as the records have them, without what was taken back whole."""
    return [day for day in rows(company, FROM_RECORDS) if day[6]]


def books(company: Company) -> tuple[list[Any], Any]:
    """Return the sums by day, and what the period costs line by line."""
    with tenant_scope(company.tenant.pk):
        usage = period_usage(tenant_id=company.tenant.pk, period=periods(company)[0], now=NOW)
        days = by_day(tenant_id=company.tenant.pk, first=date(2026, 1, 1), last=date(2026, 12, 31))
    lines = [(line.meter.pk, line.rate.id, line.units, line.record_count, line.amount) for line in usage.lines]
    return [tuple(vars(day).values()) for day in days if day.record_count], (lines, usage.total_cost)


@given(EVENTS, st.randoms(use_true_random=False), st.lists(st.integers(1, 5), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10)
def test_order_replays_and_batches_change_nothing(
    acme: Company, events: list[dict[str, Any]], random: Random, sizes: list[int]
) -> None:
    keyed = [{**event, "idempotency_key": f"e{number}"} for number, event in enumerate(events)]
    with undone():
        send(acme, keyed)
        expected = books(acme)
        assert expected[0] == recorded(acme)
    with undone():
        shuffled = keyed + random.choices(keyed, k=len(keyed))
        random.shuffle(shuffled)
        at = turn = 0
        while at < len(shuffled):
            size = sizes[turn % len(sizes)]
            send(acme, shuffled[at : at + size])
            at, turn = at + size, turn + 1
            if random.random() < 0.5:
                fold(limit=random.randint(1, 4))
            assert books(acme)[0] == recorded(acme)
        assert books(acme) == expected


@given(EVENTS, st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8)
def test_what_is_voided_was_never_there(acme: Company, events: list[dict[str, Any]], random: Random) -> None:
    keyed = [{**event, "idempotency_key": f"e{number}"} for number, event in enumerate(events)]
    kept = [event for event in keyed if random.random() < 0.5]
    with undone():
        if kept:
            send(acme, kept)
        expected = books(acme)[1]
    with undone():
        for event, outcome in zip(keyed, send(acme, keyed), strict=True):
            if event not in kept:
                with tenant_scope(acme.tenant.pk):
                    void_record(tenant_id=acme.tenant.pk, record_id=outcome.record_id, now=NOW, actor=ACTOR)
        fold(limit=3)
        days, (lines, total) = books(acme)
        assert days == recorded(acme)
        assert ([line for line in lines if line[3]], total) == expected


def test_sums_equal_records_while_batches_corrections_and_folds_run_at_once(committed_db: None, acme: Company) -> None:
    def write(number: int) -> None:
        events = [
            {
                "idempotency_key": f"{number % 9}:{n}", "channel": "sms", "resource_type": "message",
                "quantity": str(n % 3 + 1), "occurred_at": f"2026-03-0{n % 9 + 1}T10:00:00Z",
            }
            for n in range(20)
        ]  # fmt: skip
        outcomes = send(acme, events)
        with tenant_scope(acme.tenant.pk):
            void_record(tenant_id=acme.tenant.pk, record_id=outcomes[number % 20].record_id, now=NOW, actor=ACTOR)
        connection.close()

    def fold_and_look(_: int) -> None:
        fold(limit=11)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert books(acme)[0] == recorded(acme)
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(write if number % 3 else fold_and_look, number) for number in range(60)]
        for one in work:
            one.result(timeout=90)
    while _left(acme):
        fold(limit=50)
    assert books(acme)[0] == recorded(acme)
    ((records, quantity),) = rows(
        acme, "SELECT count(*) FILTER (WHERE kind = 'usage'), sum(quantity) FROM usage_records"
    )
    voided = rows(acme, "SELECT count(*) FROM usage_reversals")[0][0]
    assert (records, 0 < voided <= 40) == (len({n % 9 for n in range(60) if n % 3}) * 20, True)
    assert quantity == sum((day[3] for day in books(acme)[0]), Decimal(0))


def _left(company: Company) -> int:
    return int(rows(company, "SELECT count(*) FROM usage_summary_deltas")[0][0])
