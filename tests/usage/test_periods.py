"""Periods follow each other in the tenant's zone, and one that closed takes no more usage."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Event

import pytest
from django.db import connection, transaction

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from tests.factories import NOW, Company, make_company
from tests.usage.helpers import at, periods, record, rows
from usage import tasks
from usage.errors import PeriodBusy
from usage.models import BillingPeriod, CreditEntry
from usage.services import close_period, open_next_period, roll_periods
from usage.services import periods as service


def close(company: Company, period: BillingPeriod, now: datetime = NOW) -> bool:
    with tenant_scope(company.tenant.pk):
        return close_period(tenant_id=company.tenant.pk, period_id=period.pk, now=now)


def change(company: Company, **columns: object) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(**columns)


def next_of(company: Company) -> BillingPeriod:
    last = periods(company)[-1]
    with tenant_scope(company.tenant.pk):
        return open_next_period(after=last, until=last.ends_at)


class TestFirst:
    def test_runs_from_today_to_the_end_of_the_cycle(self, acme: Company) -> None:
        (first,) = periods(acme)
        assert (first.period_start, first.period_end) == (date(2026, 3, 10), date(2026, 3, 31))
        assert (first.starts_at, first.ends_at) == (at(2026, 3, 10, 0), at(2026, 4, 1, 0))
        assert (first.state, first.timezone) == ("open", "UTC")

    def test_begins_at_the_tenant_s_midnight(self, make_tokyo: Callable[[], Company]) -> None:
        (first,) = periods(make_tokyo())
        assert (first.starts_at, first.ends_at) == (at(2026, 3, 9, 15), at(2026, 3, 31, 15))


class TestNext:
    def test_begins_where_the_last_ended(self, acme: Company) -> None:
        following = next_of(acme)
        assert following.starts_at == periods(acme)[0].ends_at
        assert (following.period_start, following.period_end) == (date(2026, 4, 1), date(2026, 4, 30))

    def test_a_repeat_finds_the_stored_one(self, acme: Company) -> None:
        last = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            both = {open_next_period(after=last, until=last.ends_at).pk for _ in range(2)}
        assert len(both) == 1
        assert len(periods(acme)) == 2

    def test_many_at_once_open_one(self, committed_db: None, acme: Company) -> None:
        def open_and_close(_: int) -> None:
            record(acme, occurred_at=at(2026, 4, 2))
            connection.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(open_and_close, range(12)))
        assert len(periods(acme)) == 2
        assert rows(acme, "SELECT count(DISTINCT billing_period_id), count(*) FROM usage_records") == [(1, 12)]

    def test_spans_daylight_saving_in_local_days(self, db: None) -> None:
        company = make_company(
            "Gotham", owner="Olga", agent="Pia", finance="Quin", timezone="America/New_York", now=at(2026, 3, 1)
        )
        (march,) = periods(company)
        assert march.ends_at - march.starts_at == timedelta(hours=31 * 24 - 1)

    def test_a_new_zone_takes_effect_without_gap_or_overlap(self, acme: Company) -> None:
        change(acme, timezone="America/New_York")
        assert periods(acme)[0].timezone == "UTC"
        following = next_of(acme)
        assert following.timezone == "America/New_York"
        assert following.starts_at == at(2026, 4, 1, 0)
        assert following.ends_at == at(2026, 5, 1, 4)

    def test_a_new_cycle_day_makes_one_short_period(self, acme: Company) -> None:
        change(acme, billing_cycle_day=15)
        spans = [next_of(acme) for _ in range(2)]
        assert [(p.period_start, p.period_end) for p in spans] == [
            (date(2026, 4, 1), date(2026, 4, 14)),
            (date(2026, 4, 15), date(2026, 5, 14)),
        ]


class TestClose:
    def test_flips_the_state_and_opens_the_next(self, acme: Company) -> None:
        march = periods(acme)[0]
        assert close(acme, march)
        closed, following = periods(acme)
        assert (closed.state, closed.closed_at, following.state) == ("closed", NOW, "open")

    def test_a_repeat_changes_nothing(self, acme: Company) -> None:
        march = periods(acme)[0]
        close(acme, march)
        assert not close(acme, march, now=NOW + timedelta(days=1))
        assert periods(acme)[0].closed_at == NOW

    def test_waits_for_whoever_is_recording_then_says_busy(
        self, committed_db: None, acme: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "CLOSE_WAITS_SECONDS", 0.05)
        march = periods(acme)[0]
        with transaction.atomic():
            record(acme)
            with ThreadPoolExecutor(1) as other, pytest.raises(PeriodBusy):
                other.submit(_close_and_disconnect, acme, march).result(timeout=10)
        assert periods(acme)[0].state == "open"
        assert close(acme, march)

    def test_another_tenant_s_recording_does_not_hold_it_up(
        self, committed_db: None, acme: Company, globex: Company
    ) -> None:
        march = periods(acme)[0]
        with transaction.atomic():
            record(globex)
            with ThreadPoolExecutor(1) as other:
                assert other.submit(_close_and_disconnect, acme, march).result(timeout=10)

    def test_usage_that_raced_the_close_is_in_exactly_one_open_period(self, committed_db: None, acme: Company) -> None:
        march, closed = periods(acme)[0], Event()
        record(acme)
        of_each = "SELECT count(*) FROM usage_records GROUP BY billing_period_id ORDER BY min(created_at)"

        def write(_: int) -> None:
            while not closed.is_set():
                record(acme, occurred_at=at(2026, 3, 31, 23))
            record(acme, occurred_at=at(2026, 3, 31, 23))
            connection.close()

        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(write, number) for number in range(3)]
            pool.submit(_close_and_disconnect, acme, march).result(timeout=30)
            in_march = rows(acme, of_each)[0]
            closed.set()
            for writer in writers:
                writer.result(timeout=30)
        written = rows(acme, of_each)
        assert written[0] == in_march
        assert written[1][0] >= 3


class TestRoll:
    def test_has_the_next_ready_a_day_ahead_and_closes_after_the_grace(self, acme: Company) -> None:
        def roll(now: datetime) -> list[tuple[date, str]]:
            with tenant_scope(acme.tenant.pk):
                roll_periods(tenant_id=acme.tenant.pk, now=now)
            return [(period.period_start, period.state) for period in periods(acme)]

        march, april = date(2026, 3, 10), date(2026, 4, 1)
        assert roll(at(2026, 3, 30, 23)) == [(march, "open")]
        assert roll(at(2026, 3, 31, 0)) == [(march, "open"), (april, "open")]
        assert roll(at(2026, 4, 1, 0, 59)) == [(march, "open"), (april, "open")]
        assert roll(at(2026, 4, 1, 1)) == [(march, "closed"), (april, "open")]

    def test_the_task_goes_on_past_a_tenant_that_is_busy(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy_for_acme(*, tenant_id: object, now: datetime) -> int:
            if tenant_id == acme.tenant.pk:
                raise PeriodBusy("busy")
            return roll_periods(tenant_id=globex.tenant.pk, now=now)

        monkeypatch.setattr(tasks.services, "roll_periods", busy_for_acme)
        monkeypatch.setattr(tasks.timezone, "now", lambda: at(2026, 4, 2, 1))  # the trial's end and its grace are over
        tasks.roll_periods()
        assert [period.state for period in periods(acme)] == ["open"]
        assert [period.state for period in periods(globex)] == ["closed"]


class TestIncludedCredit:
    def test_is_granted_with_each_period_and_expires_with_it(self, acme: Company) -> None:
        with system_access("test"):
            plan = periods(acme)[0].subscription.plan
            type(plan).objects.filter(pk=plan.pk).update(is_credit_once=False)
        following = next_of(acme)
        with tenant_scope(acme.tenant.pk):
            grant = CreditEntry.objects.for_tenant(acme.tenant).get(source="included")
        assert (grant.amount, grant.starts_at, grant.expires_at) == (50, following.starts_at, following.ends_at)


def _close_and_disconnect(company: Company, period: BillingPeriod) -> bool:
    try:
        return close(company, period)
    finally:
        connection.close()
