"""A period closes while its tenant is recording: nobody waits long, and each event is billed exactly once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import count
from threading import Event

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tenancy import system_access, tenant_scope
from tests.factories import Company, make_company
from tests.usage.helpers import at, call, periods, record, rows
from usage.errors import PeriodBusy
from usage.models import BillingPeriod
from usage.selectors import period_usage
from usage.selectors.agreement import differences
from usage.services import check_period, close_period, fold_deltas, roll_periods
from usage.services import periods as service

WRITES_A_SECOND, WRITERS, SECONDS = 500, 4, 2.0
LAST_HOUR = at(2026, 3, 31, 23)
AFTER = at(2026, 4, 1, 1)


def close(company: Company) -> float:
    """Close the company's March; return for how many seconds the lock was held or waited for."""
    march = periods(company)[0]
    began = time.perf_counter()
    with tenant_scope(company.tenant.pk):
        assert close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=AFTER)
    return time.perf_counter() - began


def and_disconnect(run: Callable[[], float]) -> float:
    try:
        return run()
    finally:
        connection.close()


def test_writers_hardly_notice(committed_db: None, acme: Company) -> None:
    record(acme, occurred_at=LAST_HOUR)
    began, numbers = time.perf_counter(), count()

    def write(_: int) -> list[float]:
        """Write at a steady pace; return how long each took from the moment it was due."""
        took = []
        while (due := began + next(numbers) / WRITES_A_SECOND) < began + SECONDS:
            time.sleep(max(0.0, due - time.perf_counter()))
            start = time.perf_counter()
            record(acme, occurred_at=LAST_HOUR)
            took.append(time.perf_counter() - start)
        connection.close()
        return took

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        writers = [pool.submit(write, number) for number in range(WRITERS)]
        time.sleep(SECONDS / 2)
        pool.submit(and_disconnect, lambda: close(acme)).result(timeout=30)
        took = sorted(second for writer in writers for second in writer.result(timeout=60))
    assert took[int(len(took) * 0.99)] < 0.25
    assert rows(acme, "SELECT count(*) FROM usage_records") == [(len(took) + 1,)]
    with tenant_scope(acme.tenant.pk):
        assert check_period(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=AFTER)


def test_the_lock_is_held_for_milliseconds(committed_db: None) -> None:
    """The fastest of a few: what the statements cost, whatever else this machine is busy with."""
    companies = [make_company(f"C{number}", owner="O", agent="A", finance="F") for number in range(5)]
    held = []
    for company in companies:
        march = periods(company)[0]
        with tenant_scope(company.tenant.pk):
            roll_periods(tenant_id=company.tenant.pk, now=LAST_HOUR)  # the next one is there a day ahead
        with tenant_scope(company.tenant.pk):
            service.hold_periods_alone(tenant_id=company.tenant.pk)
            began = time.perf_counter()
            assert close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=AFTER)
        held.append(time.perf_counter() - began)
    assert min(held) < 0.02


def test_a_writer_that_takes_long_delays_others_by_a_turn_only(
    committed_db: None, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the lock is waited for, new writers queue behind it: each for one turn at most, not until it gives up."""
    monkeypatch.setattr(service, "CLOSE_WAITS_SECONDS", 1.0)
    slow_is_in, let_go = Event(), Event()

    def slow() -> float:
        with transaction.atomic():
            record(acme, occurred_at=LAST_HOUR)
            slow_is_in.set()
            let_go.wait(10)
        return 0.0

    def quick() -> float:
        began = time.perf_counter()
        record(acme, occurred_at=LAST_HOUR)
        return time.perf_counter() - began

    with ThreadPoolExecutor(3) as pool:
        holder = pool.submit(and_disconnect, slow)
        assert slow_is_in.wait(10)
        closing = pool.submit(and_disconnect, lambda: close(acme))
        waits = [pool.submit(and_disconnect, quick).result(timeout=30) for _ in range(5)]
        with pytest.raises(PeriodBusy):
            closing.result(timeout=30)
        let_go.set()
        holder.result(timeout=30)
    assert sorted(waits)[2] < 0.5
    close(acme)


class TestWhateverTheOrder:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
    @given(
        events=st.lists(st.tuples(st.integers(10, 31), st.integers(1, 400), st.booleans()), min_size=1, max_size=12),
        closes_after=st.integers(0, 12),
        folds=st.sets(st.integers(0, 12), max_size=3),
        data=st.data(),
    )
    def test_the_same_events_cost_the_same(
        self,
        db: None,
        events: list[tuple[int, int, bool]],
        closes_after: int,
        folds: set[int],
        data: st.DataObject,
    ) -> None:
        """In any order, folded at any time, with the period closing in between: each is billed once, and the sum is the same."""
        one = self._billed(list(events), len(events), set())
        shuffled = data.draw(st.permutations(events))
        assert self._billed(shuffled, closes_after, folds) == one

    def _billed(
        self, events: list[tuple[int, int, bool]], closes_after: int, folds: set[int]
    ) -> dict[tuple[str, str], tuple[Decimal, int]]:
        company = make_company("Any", owner="O", agent="A", finance="F")
        for number, (day, quantity, is_call) in enumerate(events):
            if number == closes_after:
                close(company)
            if number in folds:
                with system_access("test"):
                    fold_deltas(limit=2)
            moment = at(2026, 3, day)
            if is_call:
                call(company, quantity, occurred_at=moment)
            else:
                record(company, quantity=Decimal(quantity), occurred_at=moment)
        if closes_after >= len(events):
            close(company)
        billed: dict[tuple[str, str], tuple[Decimal, int]] = {}
        with tenant_scope(company.tenant.pk):
            assert differences(tenant_id=company.tenant.pk) == []
            for period in BillingPeriod.objects.for_tenant(company.tenant).select_related("subscription__plan"):
                usage = period_usage(tenant_id=company.tenant.pk, period=period, now=AFTER + timedelta(days=2))
                for line in usage.lines:
                    key = line.meter.channel, line.rate.destination_prefix
                    units, events_so_far = billed.get(key, (Decimal(0), 0))
                    billed[key] = (units + line.units, events_so_far + line.record_count)
                assert usage.total_cost == sum((line.amount for line in usage.lines), Decimal(0))
        return billed
