"""A subscription is changed, ended, taken up again, and moves on when its time comes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import Conflict, Invalid
from tests.factories import NOW, Company, make_company
from tests.usage.helpers import at, call, periods, record
from usage import tasks
from usage.changes import Change, Takes, When
from usage.errors import NoSubscription
from usage.models import CreditEntry, Subscription, SubscriptionCharge
from usage.proration import days_of_cycle
from usage.selectors import Fee, current_period, fees_of
from usage.services import (
    advance_subscription,
    cancel_subscription,
    change_plan,
    preview_change,
    roll_periods,
    start_subscription,
)

D = Decimal


def choose(company: Company, plan: str, when: When | None = None, now: datetime = NOW) -> Change:
    with tenant_scope(company.tenant.pk):
        return change_plan(tenant_id=company.tenant.pk, plan_slug=plan, when=when, now=now)


def cancel(company: Company, when: When = When.PERIOD_END, now: datetime = NOW) -> None:
    with tenant_scope(company.tenant.pk):
        cancel_subscription(tenant_id=company.tenant.pk, when=when, now=now)


def go_on(company: Company, now: datetime) -> None:
    """Let what the task does every five minutes happen at `now`."""
    with tenant_scope(company.tenant.pk):
        advance_subscription(tenant_id=company.tenant.pk, now=now)
        roll_periods(tenant_id=company.tenant.pk, now=now)


def subscription(company: Company) -> Subscription:
    with tenant_scope(company.tenant.pk):
        found = Subscription.objects.for_tenant(company.tenant).select_related("plan", "next_plan")
        latest = found.order_by("-started_at", "-id").first()
    assert latest is not None
    return latest


def tenant(company: Company) -> Tenant:
    with tenant_scope(company.tenant.pk):
        return Tenant.objects.get(pk=company.tenant.pk)


def fees(company: Company, index: int) -> list[Fee]:
    with tenant_scope(company.tenant.pk):
        return fees_of(tenant_id=company.tenant.pk, period=periods(company)[index])


def spans(company: Company) -> list[tuple[str, str, str]]:
    return [(str(p.period_start), str(p.period_end), p.plan.slug) for p in periods(company)]


def included(company: Company) -> list[Decimal]:
    with tenant_scope(company.tenant.pk):
        grants = CreditEntry.objects.for_tenant(company.tenant).filter(source="included", kind="grant")
        return [grant.amount for grant in grants.order_by("starts_at", "id")]


@pytest.fixture
def starter(acme: Company) -> Company:
    """Acme pays for Starter; it is 15 April, in its second month."""
    choose(acme, "starter", When.NOW)
    for now in (at(2026, 3, 11, 2), at(2026, 3, 31, 12), at(2026, 4, 1, 2)):
        go_on(acme, now)
    return acme


MID_APRIL = at(2026, 4, 16)


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


class TestDowngrade:
    def test_waits_for_the_period_s_end(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        change = choose(starter, "starter", now=at(2026, 4, 20))
        assert (change.takes, change.effective_date, change.charge) == (Takes.NEXT_PERIOD, date(2026, 5, 1), 0)
        assert tenant(starter).plan == "professional"
        go_on(starter, at(2026, 4, 30, 12))
        go_on(starter, at(2026, 5, 1, 0))
        assert (tenant(starter).plan, subscription(starter).next_plan) == ("starter", None)
        assert spans(starter)[-1] == ("2026-05-01", "2026-05-31", "starter")

    def test_is_refused_at_once(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        with pytest.raises(Invalid) as refusal:
            choose(starter, "starter", When.NOW, now=MID_APRIL)
        assert refusal.value.errors[0].pointer == "/when"

    def test_is_taken_back_by_choosing_the_plan_there_is(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        choose(starter, "starter", now=MID_APRIL)
        choose(starter, "professional", now=MID_APRIL)
        assert subscription(starter).next_plan is None

    def test_on_the_last_day_reaches_the_period_opened_ahead(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        go_on(starter, at(2026, 4, 30, 12))
        choose(starter, "starter", now=at(2026, 4, 30, 13))
        assert spans(starter)[-1][2] == "starter"
        assert fees(starter, -2)[-1].amount == 29


class TestCancel:
    def test_ends_with_the_period_and_bills_no_further_fee(self, starter: Company) -> None:
        cancel(starter, now=MID_APRIL)
        assert subscription(starter).ends_at == at(2026, 5, 1, 0)
        assert fees(starter, -1) == []
        record(starter, occurred_at=at(2026, 4, 30, 23))
        with pytest.raises(NoSubscription):
            record(starter, occurred_at=at(2026, 5, 1, 0))
        go_on(starter, at(2026, 5, 1, 0))
        go_on(starter, at(2026, 5, 2, 0))
        assert (subscription(starter).status, periods(starter)[-1].state) == ("canceled", "closed")

    def test_now_ends_with_today(self, starter: Company) -> None:
        cancel(starter, When.NOW, MID_APRIL)
        assert spans(starter)[-1] == ("2026-04-01", "2026-04-16", "starter")
        assert subscription(starter).ends_at == at(2026, 4, 17, 0)

    def test_on_the_last_day_stops_the_period_opened_ahead(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        cancel(starter, now=at(2026, 4, 30, 13))
        assert [period.state for period in periods(starter)[-2:]] == ["open", "closed"]
        assert fees(starter, -2) == []

    @pytest.mark.parametrize("when", When)
    def test_may_be_taken_back_without_paying_twice(self, starter: Company, when: When) -> None:
        before = spans(starter)
        cancel(starter, when, MID_APRIL)
        choose(starter, "starter", now=at(2026, 4, 16, 18))
        assert spans(starter) == before
        assert (subscription(starter).ends_at, fees(starter, -1)[0].amount) == (None, 29)

    def test_taken_back_on_the_last_day_opens_the_period_again_with_the_credit_it_had(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        credit = included(starter)
        for _ in range(3):
            cancel(starter, now=at(2026, 4, 30, 13))
            choose(starter, "starter", now=at(2026, 4, 30, 14))
        assert [period.state for period in periods(starter)[-2:]] == ["open", "open"]
        assert included(starter) == credit

    def test_a_repeat_changes_nothing(self, starter: Company) -> None:
        cancel(starter, now=MID_APRIL)
        cancel(starter, now=at(2026, 4, 17))
        assert subscription(starter).ends_at == at(2026, 5, 1, 0)

    def test_reads_go_on_after_the_end(self, starter: Company) -> None:
        cancel(starter, When.NOW, MID_APRIL)
        go_on(starter, at(2026, 4, 18))
        with tenant_scope(starter.tenant.pk):
            assert current_period(tenant_id=starter.tenant.pk, now=at(2026, 6, 1)) == periods(starter)[-1]


class TestAgain:
    def test_a_new_subscription_begins_with_a_day_without_fee(self, starter: Company) -> None:
        cancel(starter, When.NOW, MID_APRIL)
        change = choose(starter, "professional", now=at(2026, 4, 20))
        assert (change.takes, change.effective_date) == (Takes.TOMORROW, date(2026, 4, 21))
        assert spans(starter)[-1] == ("2026-04-20", "2026-04-20", "professional")
        assert [(fee.amount, fee.days.count) for fee in fees(starter, -1)] == [(D(33), 10)]  # 99 * 10 / 30
        assert subscription(starter).status == "active"

    def test_one_at_a_time(self, starter: Company) -> None:
        with pytest.raises(Conflict), tenant_scope(starter.tenant.pk):
            start_subscription(tenant=starter.tenant, plan_slug="professional", now=MID_APRIL)

    def test_usage_of_the_gap_is_refused(self, starter: Company) -> None:
        cancel(starter, When.NOW, MID_APRIL)
        go_on(starter, at(2026, 4, 18))
        with pytest.raises(NoSubscription):
            record(starter, occurred_at=at(2026, 4, 18))


class TestTask:
    def test_moves_every_tenant_on(self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        choose(acme, "starter")
        monkeypatch.setattr(tasks.timezone, "now", lambda: at(2026, 3, 24, 13))
        tasks.roll_periods()
        assert subscription(acme).plan.slug == "starter"
        assert subscription(globex).ends_at == at(2026, 3, 25, 0)


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
