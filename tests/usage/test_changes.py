"""A subscription is changed, and moves on when its time comes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import Invalid
from tests.factories import NOW, Company, make_company
from tests.usage.helpers import at, call, periods, record
from tests.usage.subscribing import (
    MID_APRIL,
    D,
    cancel,
    choose,
    fees,
    go_on,
    included,
    spans,
    subscription,
    tenant,
)
from usage import tasks
from usage.changes import Takes, When
from usage.errors import NoSubscription
from usage.models import SubscriptionCharge
from usage.proration import days_of_cycle
from usage.services import (
    advance_subscription,
    preview_change,
)


class TestTrial:
    def test_ends_with_its_day_where_no_plan_was_chosen(self, acme: Company) -> None:
        go_on(acme, at(2026, 3, 24, 12, 5))
        assert spans(acme) == [("2026-03-10", "2026-03-24", "free_trial")]
        assert (subscription(acme).status, subscription(acme).ends_at) == ("trialing", at(2026, 3, 25, 0))
        record(acme, occurred_at=at(2026, 3, 24, 23, 59))
        with pytest.raises(NoSubscription):
            record(acme, occurred_at=at(2026, 3, 25, 0))
        go_on(acme, at(2026, 3, 25, 0))
        assert subscription(acme).status == "canceled"

    def test_takes_what_comes_late_for_a_day_then_closes(self, acme: Company) -> None:
        for now in (at(2026, 3, 24, 12), at(2026, 3, 25, 0), at(2026, 3, 25, 23, 59)):
            go_on(acme, now)
        call(acme, 60, occurred_at=at(2026, 3, 24, 23))
        go_on(acme, at(2026, 3, 26, 0))
        assert [period.state for period in periods(acme)] == ["closed"]
        with pytest.raises(NoSubscription):
            call(acme, 60, occurred_at=at(2026, 3, 24, 23))

    def test_is_not_over_a_second_early(self, acme: Company) -> None:
        go_on(acme, at(2026, 3, 24, 11, 59, 59))
        assert spans(acme) == [("2026-03-10", "2026-03-31", "free_trial")]

    def test_converts_to_the_chosen_plan_with_its_fee_in_advance(self, acme: Company) -> None:
        change = choose(acme, "starter")
        assert (change.takes, change.effective_date) == (Takes.NEXT_PERIOD, date(2026, 3, 25))
        assert (change.first_days.count, change.first_fee) == (7, D("6.55"))  # 29 * 7 / 31
        assert subscription(acme).next_plan.slug == "starter"  # type: ignore[union-attr] # chosen just now
        go_on(acme, at(2026, 3, 24, 12))
        go_on(acme, at(2026, 3, 25, 1))
        assert spans(acme) == [("2026-03-10", "2026-03-24", "free_trial"), ("2026-03-25", "2026-03-31", "starter")]
        assert (subscription(acme).status, subscription(acme).plan.slug) == ("active", "starter")
        assert [(fee.plan, fee.amount, fee.days.first) for fee in fees(acme, 0)] == [
            ("Starter", D("6.55"), date(2026, 3, 25))
        ]
        assert [fee.amount for fee in fees(acme, 1)] == [D(29)]
        assert included(acme) == [D("2.26")]  # 10 * 7 / 31

    def test_may_convert_before_it_ends(self, acme: Company) -> None:
        change = choose(acme, "professional", When.NOW)
        assert (change.takes, change.effective_date) == (Takes.TOMORROW, date(2026, 3, 11))
        assert (tenant(acme).plan, tenant(acme).status, tenant(acme).limits["seats"]) == ("professional", "active", 25)
        assert record(acme).total_cost == D("0.0075")  # the trial's price, until midnight
        assert record(acme, occurred_at=at(2026, 3, 11, 0)).total_cost == D("0.0070")

    def test_a_choice_may_be_taken_back_and_made_anew(self, acme: Company) -> None:
        choose(acme, "starter")
        cancel(acme)
        assert subscription(acme).next_plan is None
        choose(acme, "professional")
        go_on(acme, at(2026, 3, 24, 12))
        assert subscription(acme).plan.slug == "professional"

    def test_a_repeat_changes_nothing(self, acme: Company) -> None:
        for _ in range(3):
            go_on(acme, at(2026, 3, 24, 12))
        assert spans(acme) == [("2026-03-10", "2026-03-24", "free_trial")]

    def test_comes_only_once(self, acme: Company) -> None:
        choose(acme, "starter", When.NOW)
        with pytest.raises(Invalid) as refusal:
            choose(acme, "free_trial")
        assert refusal.value.code == "trial-used"


class TestUpgrade:
    def test_charges_the_rest_of_the_period_by_days(self, starter: Company) -> None:
        change = choose(starter, "professional", now=MID_APRIL)
        # 15 of April's 30 days are left, today among them.
        assert (change.takes, change.charge, change.credit) == (Takes.AT_ONCE, D(35), D(20))
        assert change.days is not None
        assert (change.days.first, change.days.last, change.days.count) == (date(2026, 4, 16), date(2026, 4, 30), 15)
        assert [(fee.from_plan, fee.plan, fee.amount) for fee in fees(starter, -1)] == [
            ("Starter", "Professional", D(35)),
            ("", "Professional", D(99)),
        ]

    def test_raises_limits_and_credit_at_once_and_prices_with_the_next_period(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        assert (tenant(starter).plan, tenant(starter).limits["seats"]) == ("professional", 25)
        assert included(starter)[-2:] == [D(10), D(20)]
        voice = [call(starter, 60, occurred_at=moment).total_cost for moment in (MID_APRIL, at(2026, 5, 1, 0))]
        assert voice == [D("0.0140"), D("0.0120")]

    def test_a_repeat_is_charged_once(self, starter: Company) -> None:
        for _ in range(2):
            choose(starter, "professional", now=MID_APRIL)
        assert len(fees(starter, -1)) == 2

    def test_many_at_once_are_charged_once(self, committed_db: None, starter: Company) -> None:
        def choose_and_close(_: int) -> None:
            choose(starter, "professional", now=MID_APRIL)
            connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(choose_and_close, range(8)))
        with tenant_scope(starter.tenant.pk):
            assert SubscriptionCharge.objects.for_tenant(starter.tenant).count() == 1
        assert included(starter)[-2:] == [D(10), D(20)]

    def test_one_after_another_adds_up(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        choose(starter, "enterprise", now=at(2026, 4, 30))
        assert [fee.amount for fee in fees(starter, -1)] == [D(35), D("13.33"), D(499)]

    def test_on_the_first_day_before_any_fee_costs_nothing_extra(self, acme: Company) -> None:
        choose(acme, "starter", When.NOW)
        change = choose(acme, "professional", When.NOW)
        assert (change.takes, change.charge) == (Takes.TOMORROW, 0)
        go_on(acme, at(2026, 3, 11, 2))
        assert [(fee.plan, fee.amount) for fee in fees(acme, 0)] == [("Professional", D("67.06"))]  # 99 * 21 / 31

    def test_holds_for_a_period_opened_ahead(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        choose(starter, "professional", now=at(2026, 4, 30, 13))
        assert spans(starter)[-1] == ("2026-05-01", "2026-05-31", "professional")
        assert [fee.amount for fee in fees(starter, -2)] == [D("2.33"), D(99)]
        assert included(starter)[-2:] == [D(10), D(40)]

    def test_a_preview_changes_nothing(self, starter: Company) -> None:
        with tenant_scope(starter.tenant.pk):
            change = preview_change(tenant_id=starter.tenant.pk, plan_slug="professional", when=None, now=MID_APRIL)
        assert change.charge == 35
        assert subscription(starter).plan.slug == "starter"
        assert len(fees(starter, -1)) == 1


class TestTask:
    def test_moves_every_tenant_on(self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        choose(acme, "starter")
        monkeypatch.setattr(tasks.timezone, "now", lambda: at(2026, 3, 24, 13))
        tasks.roll_periods()
        assert subscription(acme).plan.slug == "starter"
        assert subscription(globex).ends_at == at(2026, 3, 25, 0)

    def test_a_tenant_whose_data_breaks_keeps_no_other_waiting(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = sorted((acme, globex), key=lambda company: company.tenant.pk)

        def advance_or_break(*, tenant_id: UUID, now: datetime) -> None:
            if tenant_id == first.tenant.pk:
                raise IntegrityError("violates check constraint")
            advance_subscription(tenant_id=tenant_id, now=now)

        monkeypatch.setattr(tasks.services, "advance_subscription", advance_or_break)
        monkeypatch.setattr(tasks.timezone, "now", lambda: at(2026, 3, 24, 13))
        tasks.roll_periods()
        assert (subscription(first).ends_at, subscription(second).ends_at) == (None, at(2026, 3, 25, 0))


class TestDays:
    @given(
        first=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
        cycle_day=st.integers(1, 31),
        monthly=st.decimals(0, 5000, places=2),
        cut=st.integers(0, 30),
    )
    def test_two_shares_of_a_cycle_are_the_whole_to_a_cent(
        self, first: date, cycle_day: int, monthly: Decimal, cut: int
    ) -> None:
        whole = days_of_cycle(first, cycle_day=cycle_day)
        middle = min(first + timedelta(days=cut), whole.last)
        one = days_of_cycle(first, middle, cycle_day=cycle_day).share(monthly, "USD")
        rest = whole.share(monthly, "USD") - one
        if middle < whole.last:
            other = days_of_cycle(middle + timedelta(days=1), cycle_day=cycle_day).share(monthly, "USD")
            assert abs(other - rest) <= D("0.01")
        assert 0 <= one <= monthly

    @pytest.mark.parametrize(("currency", "amount"), [("JPY", "967"), ("USD", "966.67"), ("KWD", "966.667")])
    def test_are_rounded_to_the_currency(self, currency: str, amount: str) -> None:
        days = days_of_cycle(date(2026, 4, 2), cycle_day=1)
        assert days.share(D(1000), currency) == D(amount)


ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia", "America/Santiago", "Africa/Cairo", "Asia/Kolkata"]


class TestCalendar:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(ZONES), st.integers(1, 31), st.integers(0, 23)), min_size=3, max_size=8
        ),
        month=st.integers(1, 12),
    )
    def test_periods_leave_no_gap_whatever_changes(
        self, db: None, steps: list[tuple[str, int, int]], month: int
    ) -> None:
        """Each month the zone and the cycle's day may change: every moment is in one period, every day in one."""
        now = datetime(2026, month, 27, 5, tzinfo=NOW.tzinfo)
        company = make_company("Nomad", owner="N", agent="O", finance="P", now=now)
        choose(company, "starter", When.NOW, now)
        for zone, cycle_day, hour in steps:
            with system_access("test"):
                Tenant.objects.filter(pk=company.tenant.pk).update(timezone=zone, billing_cycle_day=cycle_day)
            now = periods(company)[-1].ends_at + timedelta(hours=hour)
            go_on(company, now - timedelta(hours=12))
            go_on(company, now + timedelta(hours=2))
        for one, following in pairwise(periods(company)):
            assert one.ends_at == following.starts_at
            assert one.period_end + timedelta(days=1) == following.period_start
            assert 0 <= following.fee <= 29
