"""Credit covers what usage costs, in order, and never more than there is."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from accounts.tenancy import tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import at, periods, record
from usage.credit import Charge, Grant, cover
from usage.models import CreditEntry
from usage.selectors import PeriodUsage, period_usage
from usage.services import close_period

D = Decimal
MONTH = timedelta(days=30)


def grant(amount: str, *, priority: int = 10, days: int | None = 30, start: int = 0) -> Grant:
    starts_at = NOW + timedelta(days=start)
    return Grant(uuid4(), D(amount), priority, starts_at, starts_at + timedelta(days=days) if days else None, NOW)


def charge(amount: str, month: int = 0) -> Charge:
    return Charge(uuid4(), NOW + month * MONTH, NOW + (month + 1) * MONTH, D(amount))


class TestCover:
    def test_uses_the_lower_priority_first(self) -> None:
        first, second, owed = grant("5", priority=10), grant("5", priority=20), charge("6")
        covered = cover([second, first], [owed])
        assert covered.covered[owed.period_id] == 6
        assert (covered.left[first.id], covered.left[second.id]) == (0, 4)

    def test_uses_what_expires_first(self) -> None:
        for_ever, soon, owed = grant("5", days=None), grant("5", days=3), charge("6")
        left = cover([for_ever, soon], [owed]).left
        assert (left[soon.id], left[for_ever.id]) == (0, 4)

    def test_covers_earlier_periods_first(self) -> None:
        lasting, first, second = grant("5", days=None), charge("4", 0), charge("4", 1)
        covered = cover([lasting], [second, first]).covered
        assert (covered[first.period_id], covered[second.period_id]) == (4, 1)

    def test_an_expired_grant_covers_nothing_later(self) -> None:
        once, later = grant("5", days=30), charge("4", 1)
        covered = cover([once], [later])
        assert (covered.covered[later.period_id], covered.left[once.id]) == (0, 5)

    @given(
        st.lists(st.builds(grant, st.sampled_from(["1", "2.5", "10"]), priority=st.integers(1, 3)), max_size=5),
        st.lists(st.builds(charge, st.sampled_from(["0", "1", "7.25"]), st.integers(0, 2)), max_size=5),
    )
    def test_never_covers_more_than_was_granted_or_owed(self, grants: list[Grant], charges: list[Charge]) -> None:
        coverage = cover(grants, charges)
        used = sum((one.amount - coverage.left[one.id] for one in grants), D(0))
        assert used == sum(coverage.covered.values(), D(0))
        assert all(left >= 0 for left in coverage.left.values())
        assert all(0 <= coverage.covered[one.period_id] <= one.amount for one in charges)


class TestRemaining:
    def usage(self, company: Company, number: int = 0, now: object = NOW) -> PeriodUsage:
        with tenant_scope(company.tenant.pk):
            period = periods(company)[number]
            return period_usage(tenant_id=company.tenant.pk, period=period, now=now)  # type: ignore[arg-type] # a moment

    def test_is_the_grant_less_what_was_used(self, acme: Company) -> None:
        assert self.usage(acme).credit_remaining == 50
        record(acme, quantity=D(1000))
        assert self.usage(acme).credit_remaining == D("42.50")

    def test_never_falls_below_zero(self, acme: Company) -> None:
        record(acme, quantity=D(100_000))
        usage = self.usage(acme)
        assert (usage.total_cost, usage.covered, usage.credit_remaining) == (750, 50, 0)

    def test_ends_with_the_trial(self, acme: Company) -> None:
        assert self.usage(acme, now=at(2026, 3, 25)).credit_remaining == 0

    def test_remembers_what_an_earlier_period_used(self, acme: Company) -> None:
        record(acme, quantity=D(4000))
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            CreditEntry.objects.for_tenant(acme.tenant).update(expires_at=at(2026, 4, 10))
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=at(2026, 4, 1, 2))
        record(acme, quantity=D(4000), occurred_at=at(2026, 4, 2))
        assert self.usage(acme, 0, at(2026, 4, 2)).covered == 30
        april = self.usage(acme, 1, at(2026, 4, 2))
        assert (april.total_cost, april.covered, april.credit_remaining) == (30, 20, 0)
