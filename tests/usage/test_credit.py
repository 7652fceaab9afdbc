"""Credit covers what usage costs, in order, and never more than there is."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.tenancy import system_access, tenant_scope
from common.errors import Invalid
from tests.factories import NOW, Company
from tests.usage.credit_helpers import balance, burn, entries, give
from tests.usage.helpers import at, periods, record
from usage import services
from usage.credit import PREPAID, Charge, Grant, Taken, cover, draw
from usage.errors import CreditGranted
from usage.models import CreditBurn, CreditEntry
from usage.selectors import PeriodUsage, period_usage
from usage.services import close_period

D = Decimal
MONTH = timedelta(days=30)


def grant(
    amount: str, *, priority: int = 10, days: int | None = 30, start: int = 0, source: str = "promotional"
) -> Grant:
    starts_at = NOW + timedelta(days=start)
    ends_at = starts_at + timedelta(days=days) if days else None
    return Grant(uuid4(), source, D(amount), priority, starts_at, ends_at, NOW)


def prepaid(amount: str) -> Grant:
    return grant(amount, priority=30, days=None, source="prepaid")


def charge(amount: str, month: int = 0) -> Charge:
    return Charge(uuid4(), NOW + month * MONTH, NOW + (month + 1) * MONTH, D(amount))


class TestDraw:
    def test_takes_by_priority_then_expiry_then_age(self) -> None:
        for_ever, soon, first = grant("5", days=None), grant("5", days=3), grant("5", priority=1, days=None)
        assert [(part.grant_id, part.amount) for part in draw([for_ever, soon, first], D(12))] == [
            (first.id, 5),
            (soon.id, 5),
            (for_ever.id, 2),
        ]

    def test_takes_no_more_than_there_is(self) -> None:
        only = grant("5")
        assert draw([only], D(9)) == [Taken(only.id, "promotional", D(5))]

    def test_takes_nothing_for_nothing(self) -> None:
        assert draw([grant("5")], D(0)) == []


class TestCover:
    def test_uses_the_lower_priority_first(self) -> None:
        first, second, owed = grant("5", priority=10), grant("5", priority=20), charge("6")
        covered = cover([second, first], [owed], now=NOW)
        assert covered.covered[owed.period_id] == 6
        assert (covered.left[first.id], covered.left[second.id]) == (0, 4)

    def test_uses_what_expires_first(self) -> None:
        for_ever, soon, owed = grant("5", days=None), grant("5", days=3), charge("6")
        left = cover([for_ever, soon], [owed], now=NOW).left
        assert (left[soon.id], left[for_ever.id]) == (0, 4)

    def test_covers_earlier_periods_first(self) -> None:
        lasting, first, second = grant("5", days=None), charge("4", 0), charge("4", 1)
        covered = cover([lasting], [second, first], now=NOW).covered
        assert (covered[first.period_id], covered[second.period_id]) == (4, 1)

    def test_an_expired_grant_covers_nothing_later(self) -> None:
        once, later = grant("5", days=30), charge("4", 1)
        covered = cover([once], [later], now=NOW)
        assert (covered.covered[later.period_id], covered.left[once.id]) == (0, 5)

    def test_prepaid_credit_pays_what_is_left_and_is_no_allowance(self) -> None:
        given_, paid, owed = grant("5"), prepaid("10"), charge("8")
        coverage = cover([paid, given_], [owed], now=NOW)
        assert coverage.covered[owed.period_id] == 5
        assert (coverage.left[given_.id], coverage.left[paid.id]) == (0, 7)

    def test_reversals_alone_take_nothing(self) -> None:
        some, less = grant("5"), charge("-3")
        coverage = cover([some], [less], now=NOW)
        assert (coverage.covered[less.period_id], coverage.left[some.id]) == (0, 5)

    @given(
        st.lists(st.builds(grant, st.sampled_from(["1", "2.5", "10"]), priority=st.integers(1, 3)), max_size=5),
        st.lists(st.builds(charge, st.sampled_from(["0", "1", "7.25"]), st.integers(0, 2)), max_size=5),
    )
    def test_never_covers_more_than_was_granted_or_owed(self, grants: list[Grant], charges: list[Charge]) -> None:
        coverage = cover(grants, charges, now=NOW)
        used = sum((one.amount - coverage.left[one.id] for one in grants), D(0))
        assert used == sum(coverage.covered.values(), D(0))
        assert all(left >= 0 for left in coverage.left.values())
        assert all(0 <= coverage.covered[one.period_id] <= one.amount for one in charges)


class TestRemaining:
    def usage(self, company: Company, number: int = 0, now: datetime = NOW) -> PeriodUsage:
        with tenant_scope(company.tenant.pk):
            period = periods(company)[number]
            return period_usage(tenant_id=company.tenant.pk, period=period, now=now)

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
        give(acme, "50", source="promotional", expires_at=at(2026, 4, 10), priority=1)
        record(acme, quantity=D(4000))
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=at(2026, 4, 1, 2))
        record(acme, quantity=D(4000), occurred_at=at(2026, 4, 2))
        assert self.usage(acme, 0, at(2026, 4, 2)).covered == 30
        april = self.usage(acme, 1, at(2026, 4, 2))
        assert (april.total_cost, april.covered, april.credit_remaining) == (30, 20, 0)

    def test_counts_an_invoiced_period_by_what_it_burned(self, acme: Company) -> None:
        give(acme, "40", source="promotional", expires_at=None, priority=1)
        record(acme, quantity=D(4000))
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=at(2026, 4, 1, 2))
        burn(acme, "25", at=at(2026, 4, 2), period_id=march.pk)
        assert self.usage(acme, 0, at(2026, 4, 2)).covered == 25
        april = self.usage(acme, 1, at(2026, 4, 2))
        assert (april.covered, april.credit_remaining) == (0, 15)

    def test_prepaid_credit_is_left_over_and_covers_no_line(self, acme: Company) -> None:
        give(acme, "100")
        record(acme, quantity=D(8000))
        usage = self.usage(acme)
        assert (usage.total_cost, usage.covered, usage.credit_remaining) == (60, 50, 90)


class TestGrant:
    def test_is_one_line_and_counted(self, acme: Company) -> None:
        give(acme, "20")
        assert entries(acme) == [("grant", "trial", 50), ("grant", "prepaid", 20)]
        assert balance(acme) == (0, 0, 70)

    def test_twice_with_one_key_is_one(self, acme: Company) -> None:
        assert give(acme, "20").pk == give(acme, "20").pk
        assert balance(acme) == (0, 0, 70)

    def test_refuses_a_key_used_for_something_else(self, acme: Company) -> None:
        give(acme, "20")
        with pytest.raises(CreditGranted):
            give(acme, "21")

    @pytest.mark.parametrize(
        ("amount", "currency", "expires_at"),
        [("0", "USD", None), ("-1", "USD", None), ("0.005", "USD", None), ("1", "EUR", None), ("1", "USD", NOW)],
    )
    def test_refuses_nonsense(self, acme: Company, amount: str, currency: str, expires_at: datetime | None) -> None:
        with pytest.raises(Invalid):
            give(acme, amount, currency=currency, expires_at=expires_at)
        assert balance(acme) == (0, 0, 50)


class TestBurn:
    def test_uses_allowances_before_the_invoice_is_paid_by_prepaid_credit(self, acme: Company) -> None:
        give(acme, "20")
        march = periods(acme)[0]
        assert burn(acme, "60", key="invoice:1:allowance", period_id=march.pk) == [("trial", 50)]
        assert burn(acme, "12.10", key="invoice:1:prepaid", sources=PREPAID) == [("prepaid", D("12.10"))]
        assert balance(acme) == (0, 0, D("7.90"))

    def test_twice_with_one_key_is_once(self, acme: Company) -> None:
        assert burn(acme, "30") == burn(acme, "30") == [("trial", 30)]
        assert balance(acme) == (0, 0, 20)

    def test_a_repeat_after_nothing_was_there_takes_nothing_of_what_came_later(self, acme: Company) -> None:
        assert burn(acme, "5", sources=PREPAID) == []
        give(acme, "20")
        assert burn(acme, "5", sources=PREPAID) == []
        assert balance(acme) == (0, 0, 70)

    def test_of_a_period_uses_what_was_valid_then_though_it_ended(self, acme: Company) -> None:
        march = periods(acme)[0]
        assert burn(acme, "30", at=at(2026, 4, 2), period_id=march.pk) == [("trial", 30)]

    def test_of_a_moment_uses_only_what_is_live(self, acme: Company) -> None:
        assert burn(acme, "30", at=at(2026, 4, 2)) == []

    def test_refuses_less_than_nothing(self, acme: Company) -> None:
        with pytest.raises(Invalid):
            burn(acme, "-1")
        assert entries(acme) == [("grant", "trial", 50)]

    def test_is_undone_with_its_transaction(self, acme: Company) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            burn(acme, "30")
            raise RuntimeError
        assert entries(acme) == [("grant", "trial", 50)]
        assert balance(acme) == (0, 0, 50)


class TestExpiry:
    def expire(self, company: Company, now: datetime) -> Decimal:
        with tenant_scope(company.tenant.pk):
            return services.expire_credit(tenant_id=company.tenant.pk, now=now)

    def test_waits_for_the_invoice_of_the_period(self, acme: Company) -> None:
        march, later = periods(acme)[0], at(2026, 4, 2)
        assert self.expire(acme, later) == 0
        burn(acme, "30", at=later, period_id=march.pk)
        assert self.expire(acme, later) == 20
        assert entries(acme)[1:] == [("burn", "trial", -30), ("expiry", "trial", -20)]
        assert balance(acme) == (0, 0, 0)

    def test_a_repeat_finds_nothing(self, acme: Company) -> None:
        burn(acme, "0", period_id=periods(acme)[0].pk)
        assert [self.expire(acme, at(2026, 4, 2)) for _ in range(2)] == [50, 0]

    def test_leaves_what_lasts(self, acme: Company) -> None:
        give(acme, "20")
        burn(acme, "0", period_id=periods(acme)[0].pk)
        self.expire(acme, at(2026, 4, 2))
        assert balance(acme) == (0, 0, 20)


class TestTheLedger:
    @pytest.mark.parametrize("table", ["credit_entries", "credit_burns"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET key = 'x'", "DELETE FROM {}"])
    def test_nobody_changes_a_line(self, acme: Company, table: str, statement: str) -> None:
        burn(acme, "1")
        refused = pytest.raises(DatabaseError, match="never changes")
        with system_access("test"), connection.cursor() as cursor, refused, transaction.atomic():
            cursor.execute(statement.format(table))
        assert entries(acme) == [("grant", "trial", 50), ("burn", "trial", -1)]

    def test_mallory_burns_nothing_of_acme_s(self, acme: Company, globex: Company) -> None:
        with tenant_scope(globex.tenant.pk):
            assert CreditBurn.objects.for_tenant(acme.tenant).count() == 0
            assert CreditEntry.objects.for_tenant(acme.tenant).count() == 0
