"""Whatever the zone, the day, the currency and the price: each moment has one day and one period, each sum one price."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from common.money import exponent, round_money
from common.periods import local_day
from tests.factories import Company, make_company
from tests.usage.helpers import periods, record, rows
from usage.models import BillingPeriod
from usage.rating import PricingModel, Rate, Tier, billed_seconds, total_cost
from usage.services import open_next_period, roll_periods

MICROSECOND, A_DAY = timedelta(microseconds=1), timedelta(days=1)
# Clocks that jump at midnight, by half an hour, the other way round, not at all, and the widest offsets there are.
ZONES = st.sampled_from(
    [
        "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Asia/Beirut",
        "Asia/Gaza", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue", "Pacific/Chatham",
    ]
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
# Each example is a company with its invoice: seconds, on a busy machine.
pytestmark = pytest.mark.timeout(300)
in_a_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=6)


def company_in(zone: str, cycle_day: int, now: datetime) -> Company:
    company = make_company("Any", owner="O", agent="A", finance="F", timezone=zone, now=now)
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(billing_cycle_day=cycle_day)
    return company


class TestDays:
    @in_a_fixture
    @given(zone=ZONES, cycle_day=st.integers(1, 31), now=MOMENTS)
    @example(
        zone="America/Havana", cycle_day=8, now=datetime(2026, 2, 1, 12, tzinfo=UTC)
    )  # 00:00 on 8 March is skipped
    @example(zone="Africa/Cairo", cycle_day=24, now=datetime(2026, 3, 26, tzinfo=UTC))  # so is that of 24 April
    @example(zone="Asia/Beirut", cycle_day=29, now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    @example(zone="Europe/Berlin", cycle_day=31, now=datetime(2024, 1, 31, 23, tzinfo=UTC))
    def test_a_year_of_periods_has_neither_gap_nor_overlap(
        self, db: None, zone: str, cycle_day: int, now: datetime
    ) -> None:
        with transaction.atomic():
            company = company_in(zone, cycle_day, now)
            with tenant_scope(company.tenant.pk):
                for _ in range(13):
                    last = periods(company)[-1]
                    open_next_period(after=last, until=last.ends_at)
            found = periods(company)
            for one, following in pairwise(found):
                assert one.ends_at == following.starts_at
                assert one.period_end + A_DAY == following.period_start
                assert local_day(one.ends_at, zone) == following.period_start
                assert local_day(one.ends_at - MICROSECOND, zone) == one.period_end
            days = sum(((one.period_end - one.period_start).days + 1 for one in found), 0)
            assert days == (found[-1].period_end - found[0].period_start).days + 1
            # A month that has the day begins on it, a shorter one on its last.
            for one in found[2:]:
                is_short = (one.period_start + A_DAY).day == 1 and one.period_start.day < cycle_day
                assert one.period_start.day == cycle_day or is_short
            transaction.set_rollback(True)

    @in_a_fixture
    @given(zone=ZONES, cycle_day=st.integers(1, 31), now=MOMENTS, hours=st.integers(-30 * 24, 30 * 24))
    @example(zone="America/Havana", cycle_day=8, now=datetime(2026, 3, 1, 12, tzinfo=UTC), hours=0)
    @example(zone="Australia/Lord_Howe", cycle_day=1, now=datetime(2026, 4, 2, 12, tzinfo=UTC), hours=60)
    def test_an_event_at_the_edge_of_a_day_is_of_one_day_and_one_period(
        self, db: None, zone: str, cycle_day: int, now: datetime, hours: int
    ) -> None:
        """The last microsecond of a period and of any day, and the first of the next, each on its own side."""
        with transaction.atomic():
            company = company_in(zone, cycle_day, now)
            first = periods(company)[0]
            inside = max(first.starts_at, min(first.ends_at - MICROSECOND, now + timedelta(hours=hours)))
            moments = {first.ends_at - MICROSECOND, first.ends_at, first.starts_at, inside}
            for moment in moments:
                record(company, occurred_at=moment, dedup_key=f"at:{moment.isoformat()}")
            by_id = {period.pk: period for period in periods(company)}
            stored = rows(company, "SELECT occurred_at, usage_date, billing_period_id FROM usage_records")
            assert {moment for moment, _, _ in stored} == moments
            for moment, day, period_id in stored:
                period: BillingPeriod = by_id[period_id]
                assert period.starts_at <= moment < period.ends_at
                assert period.period_start <= day <= period.period_end
                assert day == moment.astimezone(UTC).date() if zone == "UTC" else day == local_day(moment, zone)
            transaction.set_rollback(True)

    @in_a_fixture
    @given(st.lists(ZONES, min_size=1, max_size=3), MOMENTS, st.integers(1, 31))
    def test_a_tenant_that_moves_loses_no_moment_and_has_none_twice(
        self, db: None, moves: list[str], now: datetime, cycle_day: int
    ) -> None:
        """A new zone holds from the next period on: its first day may be short or long, never missing."""
        with transaction.atomic():
            company = company_in("UTC", 1, now)
            for zone in moves:
                with system_access("test"):
                    Tenant.objects.filter(pk=company.tenant.pk).update(timezone=zone, billing_cycle_day=cycle_day)
                last = periods(company)[-1]
                with tenant_scope(company.tenant.pk):
                    roll_periods(tenant_id=company.tenant.pk, now=last.ends_at + timedelta(hours=1))
            found = periods(company)
            assert [period.timezone for period in found][1:] == moves
            for one, following in pairwise(found):
                assert one.ends_at == following.starts_at
                assert one.period_end + A_DAY == following.period_start
                assert following.first_day <= following.day_of(following.starts_at)
            transaction.set_rollback(True)


PRICES = st.decimals("0", "9.9999999999", places=10)
UNITS = st.decimals("0", "5000", places=6)
CURRENCIES = st.sampled_from(["JPY", "KRW", "USD", "EUR", "KWD", "BHD"])
TIERS = st.lists(st.integers(1, 2000), min_size=0, max_size=3, unique=True).flatmap(
    lambda ends: st.tuples(
        *(
            st.builds(Tier, st.just(end), PRICES, st.sampled_from([Decimal(0), Decimal("1.005")]))
            for end in [*(Decimal(end) for end in sorted(ends)), None]
        )
    )
)
RATES = st.builds(
    Rate,
    id=st.just(UUID(int=1)),
    channel=st.just("sms"),
    resource_type=st.just("message"),
    currency=CURRENCIES,
    unit_price=PRICES,
    model=st.sampled_from(list(PricingModel)),
    tiers=TIERS,
    price_per=st.sampled_from([Decimal(1), Decimal(60), Decimal(7)]),
    package_size=st.sampled_from([Decimal(1), Decimal(100), Decimal("2.5")]),
    connect_fee=st.sampled_from([Decimal(0), Decimal("0.0049999999")]),
    included_quantity=st.sampled_from([Decimal(0), Decimal(60), Decimal("99.999999")]),
    minimum_amount=st.sampled_from([Decimal(0), Decimal("4.995")]),
)


def by_fractions(rate: Rate, billed: Decimal, events: int) -> Fraction:
    """Work out a cost with exact fractions, as the guide describes it: nothing is taken from the code."""
    of = Fraction
    fees = of(rate.connect_fee) * events
    paid = max(of(0), of(billed) - of(rate.included_quantity))
    units = paid / of(rate.price_per)
    if rate.model is PricingModel.FLAT:
        cost = units * of(rate.unit_price)
    elif rate.model is PricingModel.PACKAGE:
        cost = -(-units // of(rate.package_size)) * of(rate.unit_price)
    elif rate.model is PricingModel.VOLUME:
        reached = [tier for tier in rate.tiers if tier.up_to is None or units <= of(tier.up_to)][:1] if units else []
        cost = sum((units * of(tier.unit_price) + of(tier.flat_amount) for tier in reached), of(0))
    else:
        start = cost = of(0)
        for tier in rate.tiers:
            if units > start:
                end = units if tier.up_to is None else min(units, of(tier.up_to))
                cost += (end - start) * of(tier.unit_price) + of(tier.flat_amount)
            start = units if tier.up_to is None else of(tier.up_to)
    return max(of(rate.minimum_amount), cost + fees)


class TestPrices:
    @settings(deadline=None, max_examples=300)
    @given(rate=RATES, billed=UNITS, events=st.integers(0, 40))
    def test_a_line_is_the_exact_cost_rounded_once_half_up(self, rate: Rate, billed: Decimal, events: int) -> None:
        digits = exponent(rate.currency)
        exact = by_fractions(rate, billed, events)
        expected = Fraction(floor(exact * 10**digits + Fraction(1, 2)), 10**digits)
        rounded = round_money(total_cost(rate, billed=billed, events=events), rate.currency)
        assert Fraction(rounded) == expected
        assert -rounded.as_tuple().exponent == digits  # type: ignore[operator] # finite

    @settings(deadline=None, max_examples=200)
    @given(rate=RATES, parts=st.lists(UNITS, min_size=1, max_size=6))
    def test_more_is_never_cheaper_within_flat_and_graduated_prices(self, rate: Rate, parts: list[Decimal]) -> None:
        if rate.model not in (PricingModel.FLAT, PricingModel.GRADUATED, PricingModel.PACKAGE):
            return
        so_far = Decimal(-1)
        for number in range(len(parts) + 1):
            cost = total_cost(rate, billed=sum(parts[:number], Decimal(0)), events=number)
            assert cost >= so_far
            so_far = cost

    @settings(deadline=None, max_examples=200)
    @given(seconds=st.integers(0, 10_000), initial=st.integers(1, 120), step=st.integers(1, 120))
    def test_a_call_is_billed_no_less_than_it_took_and_less_than_a_step_more(
        self, seconds: int, initial: int, step: int
    ) -> None:
        billed = billed_seconds(seconds, initial=initial, step=step)
        if seconds == 0:
            assert billed == 0
        else:
            assert max(seconds, initial) <= billed < max(seconds + step, initial + 1)
            assert (billed - initial) % step == 0

    @settings(deadline=None, max_examples=200)
    @given(amount=st.decimals("-1e9", "1e9", places=12), currency=CURRENCIES)
    def test_rounding_is_half_away_from_zero_and_never_a_negative_zero(self, amount: Decimal, currency: str) -> None:
        unit = Fraction(1, 10 ** exponent(currency))
        rounded = round_money(amount, currency)
        sign = -1 if amount < 0 else 1
        assert Fraction(rounded) == sign * floor(abs(Fraction(amount)) / unit + Fraction(1, 2)) * unit
        assert str(rounded).lstrip("0.") != "-"
        assert not (rounded == 0 and rounded.is_signed())
