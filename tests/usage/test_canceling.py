"""A subscription becomes smaller, ends, and is taken up again; nobody gets more, or pays more, by doing it often."""

from datetime import date

import pytest

from accounts.audit import SYSTEM
from accounts.leaving.services import close
from accounts.tenancy import tenant_scope
from common.errors import Conflict, Invalid
from tests.factories import Company
from tests.usage.helpers import at, periods, record
from tests.usage.subscribing import (
    MID_APRIL,
    D,
    balance,
    cancel,
    choose,
    fees,
    go_on,
    live,
    spans,
    subscription,
    tenant,
)
from usage.changes import Takes, When
from usage.errors import NoSubscription
from usage.selectors import current_period
from usage.services import (
    start_subscription,
)


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

    def test_on_the_last_day_takes_the_bigger_plan_s_credit_back(self, starter: Company) -> None:
        choose(starter, "enterprise", now=at(2026, 4, 29))
        go_on(starter, at(2026, 4, 30, 12))
        for plan, credit in (
            ("starter", 10),
            ("enterprise", 200),
            ("starter", 10),
            ("professional", 50),
            ("starter", 10),
        ):
            choose(starter, plan, now=at(2026, 4, 30, 13))
            go_on(starter, at(2026, 4, 30, 13))
            assert live(starter, at(2026, 5, 1, 1)) == credit, plan


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

    def test_comes_with_the_closing_of_the_company(self, starter: Company) -> None:
        close(tenant_id=starter.tenant.pk, actor=SYSTEM, now=MID_APRIL)
        assert subscription(starter).ends_at == at(2026, 5, 1, 0)
        assert fees(starter, -1) == []

    def test_now_ends_with_today(self, starter: Company) -> None:
        cancel(starter, When.NOW, MID_APRIL)
        assert spans(starter)[-1] == ("2026-04-01", "2026-04-16", "starter")
        assert subscription(starter).ends_at == at(2026, 4, 17, 0)

    def test_on_the_last_day_stops_the_period_opened_ahead(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        cancel(starter, now=at(2026, 4, 30, 13))
        assert spans(starter)[-1] == ("2026-04-01", "2026-04-30", "starter")
        assert fees(starter, -1) == []
        assert live(starter, at(2026, 5, 1, 1)) == 0
        assert balance(starter) == live(starter, at(2026, 4, 30, 14))

    @pytest.mark.parametrize("when", When)
    def test_may_be_taken_back_without_paying_twice(self, starter: Company, when: When) -> None:
        before = spans(starter)
        cancel(starter, when, MID_APRIL)
        choose(starter, "starter", now=at(2026, 4, 16, 18))
        assert spans(starter) == before
        assert (subscription(starter).ends_at, fees(starter, -1)[0].amount) == (None, 29)

    def test_taken_back_on_the_last_day_opens_the_period_again_with_the_credit_it_had(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        credit, before = balance(starter), spans(starter)
        for _ in range(3):
            cancel(starter, now=at(2026, 4, 30, 13))
            choose(starter, "starter", now=at(2026, 4, 30, 14))
            go_on(starter, at(2026, 4, 30, 15))
        assert [period.state for period in periods(starter)[-2:]] == ["open", "open"]
        assert (balance(starter), spans(starter)) == (credit, before)

    def test_leaves_nothing_in_the_way_of_a_new_subscription(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        cancel(starter, now=at(2026, 4, 30, 13))
        go_on(starter, at(2026, 5, 1, 2))
        choose(starter, "starter", now=at(2026, 5, 1, 12))
        assert spans(starter)[-1] == ("2026-05-01", "2026-05-01", "starter")
        assert periods(starter)[-1].state == "open"
        record(starter, occurred_at=at(2026, 5, 1, 13))

    def test_keeps_a_period_opened_ahead_that_has_usage(self, starter: Company) -> None:
        go_on(starter, at(2026, 4, 30, 12))
        record(starter, occurred_at=at(2026, 5, 1, 0, 2))
        cancel(starter, now=at(2026, 4, 30, 23, 58))
        assert [period.state for period in periods(starter)[-2:]] == ["open", "closed"]
        choose(starter, "starter", now=at(2026, 4, 30, 23, 59))
        assert [period.state for period in periods(starter)[-2:]] == ["open", "open"]

    @pytest.mark.parametrize("when", When)
    def test_a_bigger_plan_chosen_instead_pays_for_all_the_days_that_are_left(
        self, starter: Company, when: When
    ) -> None:
        cancel(starter, when, MID_APRIL)
        change = choose(starter, "enterprise", now=at(2026, 4, 16, 18))
        assert change.days is not None
        assert (change.days.count, change.charge) == (15, D(235))  # (499 - 29) * 15 / 30
        assert spans(starter)[-1] == ("2026-04-01", "2026-04-30", "starter")

    def test_a_smaller_plan_chosen_instead_begins_after_the_whole_period(self, starter: Company) -> None:
        choose(starter, "professional", now=MID_APRIL)
        cancel(starter, When.NOW, MID_APRIL)
        change = choose(starter, "starter", now=at(2026, 4, 16, 18))
        assert (change.takes, change.effective_date) == (Takes.NEXT_PERIOD, date(2026, 5, 1))

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
