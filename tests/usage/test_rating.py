"""Rating is exact, whatever the order, the split or the increments."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import round_money
from usage.rating import (
    PricingModel,
    Rate,
    Tier,
    billed_quantity,
    billed_seconds,
    call_seconds,
    choose_for_period,
    choose_rate,
    event_cost,
    total_cost,
)

D = Decimal
TODAY = date(2026, 3, 10)


def rate(price: str = "0.0140", **changes: object) -> Rate:
    base = Rate(id=uuid4(), channel="voice", resource_type="minute", currency="USD", unit_price=D(price))
    return replace(base, **changes)  # type: ignore[arg-type] # the test names the fields


def voice(initial: int, step: int, price: str = "0.0140", **changes: object) -> Rate:
    return rate(price, initial_seconds=initial, step_seconds=step, price_per=D(60), **changes)


class TestCallIncrements:
    @pytest.mark.parametrize(
        ("initial", "step", "microseconds", "billed"),
        [
            (60, 60, 80_000_000, 120),
            (6, 6, 8_000_000, 12),
            (30, 6, 10_000_000, 30),
            (30, 6, 31_000_000, 36),
            (30, 6, 45_000_000, 48),
            (1, 1, 12_200_000, 13),
            (60, 1, 61_000_000, 61),
            (60, 1, 5_000_000, 60),
            (6, 6, 3_020_000, 6),
            (60, 60, 0, 60),
            (60, 60, None, 0),
            (60, 60, 60_000_000, 60),
            (60, 60, 60_000_001, 120),
        ],
    )
    def test_bills_initial_then_steps(self, initial: int, step: int, microseconds: int | None, billed: int) -> None:
        assert billed_seconds(call_seconds(microseconds), initial=initial, step=step) == billed

    @pytest.mark.parametrize(("limit", "billed"), [(60, 60), (None, 120)])
    def test_our_own_limit_caps_the_seconds(self, limit: int | None, billed: int) -> None:
        seconds = call_seconds(60_020_000, limit_seconds=limit)
        assert billed_seconds(seconds, initial=60, step=60) == billed

    def test_a_rate_without_increments_bills_the_quantity_itself(self) -> None:
        assert billed_quantity(rate(), D("2.5")) == D("2.5")

    def test_a_part_of_a_second_counts_whole(self) -> None:
        assert billed_quantity(voice(1, 1), D("12.2")) == 13

    @given(st.integers(1, 100_000), st.integers(1, 120), st.integers(1, 120))
    def test_never_bills_less_than_was_used_nor_a_step_too_much(self, seconds: int, initial: int, step: int) -> None:
        billed = billed_seconds(seconds, initial=initial, step=step)
        assert max(seconds, initial) <= billed < max(seconds, initial) + step
        assert billed == initial or (billed - initial) % step == 0


class TestFlat:
    def test_prices_a_call_by_its_billed_minutes(self) -> None:
        assert event_cost(voice(60, 60), D(120)) == D("0.028")

    def test_adds_the_connect_fee_once_per_call(self) -> None:
        with_fee = voice(60, 60, connect_fee=D("0.05"))
        assert event_cost(with_fee, D(60)) == D("0.064")
        assert total_cost(with_fee, billed=D(180), events=2) == D("0.142")

    def test_thirds_of_a_minute_are_not_cut_before_they_add_up(self) -> None:
        by_second = voice(1, 1, "0.0100")
        assert event_cost(by_second, D(1)) == D("0.000166666667")
        assert total_cost(by_second, billed=D(60), events=60) == D("0.01")

    def test_gives_back_what_was_reversed_in_a_later_period(self) -> None:
        with_fee = voice(60, 60, connect_fee=D("0.05"))
        assert total_cost(with_fee, billed=D(-120), events=-1) == -total_cost(with_fee, billed=D(120), events=1)

    def test_an_explicit_zero_costs_nothing(self) -> None:
        assert event_cost(rate("0"), D(5)) == 0

    @given(st.lists(st.integers(1, 7200), min_size=1, max_size=40), st.randoms())
    def test_neither_order_nor_split_changes_the_sum(self, seconds: list[int], random: object) -> None:
        six = voice(6, 6)
        billed = [billed_quantity(six, D(s)) for s in seconds]
        costs = [event_cost(six, quantity) for quantity in reversed(billed)]
        assert sum(cost for cost in costs if cost is not None) == total_cost(
            six, billed=sum(billed, D(0)), events=len(billed)
        )


class TestOtherModels:
    TIERS = (Tier(D(100), D("0.10")), Tier(D(1000), D("0.05"), D(2)), Tier(None, D("0.01")))

    @pytest.mark.parametrize(
        ("units", "cost"),
        [("0", "0"), ("1", "0.10"), ("100", "10"), ("101", "12.05"), ("1000", "57"), ("1500", "62")],
    )
    def test_graduated_prices_each_unit_by_its_tier(self, units: str, cost: str) -> None:
        graduated = rate(model=PricingModel.GRADUATED, tiers=self.TIERS)
        assert total_cost(graduated, billed=D(units), events=1) == D(cost)

    @pytest.mark.parametrize(
        ("units", "cost"),
        [("0", "0"), ("1", "0.10"), ("100", "10"), ("101", "7.05"), ("1000", "52"), ("1500", "15")],
    )
    def test_volume_prices_all_units_by_the_tier_reached(self, units: str, cost: str) -> None:
        volume = rate(model=PricingModel.VOLUME, tiers=self.TIERS)
        assert total_cost(volume, billed=D(units), events=1) == D(cost)

    @pytest.mark.parametrize(
        ("units", "cost"), [("0", "0"), ("1", "5"), ("1000", "5"), ("1000.5", "10"), ("2001", "15")]
    )
    def test_package_prices_begun_packages(self, units: str, cost: str) -> None:
        package = rate("5", model=PricingModel.PACKAGE, package_size=D(1000))
        assert total_cost(package, billed=D(units), events=1) == D(cost)

    @pytest.mark.parametrize(("units", "cost"), [("10", "0"), ("100", "0"), ("101", "0.014"), ("200", "1.4")])
    def test_included_quantity_is_free(self, units: str, cost: str) -> None:
        assert total_cost(rate(included_quantity=D(100)), billed=D(units), events=1) == D(cost)

    def test_a_minimum_is_charged_when_usage_costs_less(self) -> None:
        least = rate(minimum_amount=D(5))
        assert total_cost(least, billed=D(1), events=1) == 5
        assert total_cost(least, billed=D(1000), events=1) == 14

    def test_tiers_of_calls_are_counted_in_minutes(self) -> None:
        graduated = voice(60, 60, model=PricingModel.GRADUATED, tiers=self.TIERS)
        assert total_cost(graduated, billed=D(101 * 60), events=9) == D("12.05")

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": PricingModel.GRADUATED, "tiers": TIERS},
            {"model": PricingModel.VOLUME, "tiers": TIERS},
            {"model": PricingModel.PACKAGE},
            {"included_quantity": D(1)},
            {"minimum_amount": D(1)},
        ],
    )
    def test_a_single_event_has_no_cost_of_its_own(self, changes: dict[str, object]) -> None:
        assert event_cost(rate(**changes), D(1)) is None

    @given(st.lists(st.decimals(0, 10_000, places=3), min_size=2, max_size=8))
    def test_graduated_never_gets_cheaper_with_more(self, quantities: list[Decimal]) -> None:
        graduated = rate(model=PricingModel.GRADUATED, tiers=self.TIERS)
        costs = [total_cost(graduated, billed=units, events=1) for units in sorted(quantities)]
        assert all(less <= more for less, more in pairwise(costs))


class TestChoice:
    def test_the_longest_prefix_wins(self) -> None:
        usa, jamaica = rate(destination_prefix="1"), rate(destination_prefix="1876")
        assert choose_rate([usa, jamaica], on=TODAY, destination="+18765550100") is jamaica
        assert choose_rate([jamaica, usa], on=TODAY, destination="+12125550100") is usa

    def test_a_destination_without_a_prefix_has_no_rate(self) -> None:
        assert choose_rate([rate(destination_prefix="1")], on=TODAY, destination="+4930555010") is None

    def test_the_tenant_s_own_rate_goes_before_a_longer_prefix_of_the_plan(self) -> None:
        own, plan = rate(destination_prefix="1", is_override=True), rate(destination_prefix="1212")
        assert choose_rate([plan, own], on=TODAY, destination="+12125550100") is own

    def test_the_plan_s_rate_serves_where_the_tenant_s_own_does_not_reach(self) -> None:
        own, plan = rate(destination_prefix="44", is_override=True), rate(destination_prefix="1")
        assert choose_rate([own, plan], on=TODAY, destination="+12125550100") is plan

    def test_effective_days_are_inclusive(self) -> None:
        march = rate(effective_from=date(2026, 3, 1), effective_until=date(2026, 3, 31))
        chosen = [choose_rate([march], on=day) for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31))]
        assert chosen == [None, march, march]
        assert choose_rate([march], on=date(2026, 4, 1)) is None

    def test_the_newest_version_wins_on_its_first_day(self) -> None:
        old = rate(version=1, effective_from=date(2026, 1, 1))
        new = rate(version=2, effective_from=TODAY)
        assert choose_rate([old, new], on=TODAY) is new
        assert choose_rate([old, new], on=date(2026, 3, 9)) is old

    def test_a_rate_of_the_direction_goes_before_one_for_any(self) -> None:
        any_way, inbound = rate(), rate(direction="inbound")
        assert choose_rate([any_way, inbound], on=TODAY, direction="inbound") is inbound
        assert choose_rate([any_way, inbound], on=TODAY, direction="outbound") is any_way

    def test_a_rate_of_the_other_direction_never_applies(self) -> None:
        assert choose_rate([rate(direction="inbound")], on=TODAY, direction="outbound") is None

    def test_a_flat_price_changes_from_one_day_to_the_next(self) -> None:
        old, new = rate(effective_from=date(2026, 1, 1)), rate(effective_from=TODAY, version=2)
        assert [
            choose_for_period([old, new], day=day, period_start=date(2026, 3, 1)) for day in (date(2026, 3, 9), TODAY)
        ] == [old, new]

    def test_a_price_of_the_period_s_sum_changes_at_its_boundary(self) -> None:
        flat = rate(effective_from=date(2026, 1, 1), effective_until=date(2026, 3, 9))
        tiered = rate(effective_from=TODAY, model=PricingModel.PACKAGE, version=2)
        march, april = date(2026, 3, 1), date(2026, 4, 1)
        assert choose_for_period([flat, tiered], day=date(2026, 3, 20), period_start=march) is flat
        assert choose_for_period([flat, tiered], day=date(2026, 4, 20), period_start=april) is tiered

    def test_a_meter_without_a_price_at_the_period_s_start_takes_the_first_it_gets(self) -> None:
        tiered = rate(effective_from=TODAY, model=PricingModel.PACKAGE)
        assert choose_for_period([tiered], day=TODAY, period_start=date(2026, 3, 1)) is tiered
        assert choose_for_period([tiered], day=date(2026, 3, 9), period_start=date(2026, 3, 1)) is None

    def test_another_destination_s_tiers_do_not_hold_a_flat_price_back(self) -> None:
        tiered = rate(destination_prefix="44", model=PricingModel.PACKAGE)
        old, new = rate(destination_prefix="1"), rate(destination_prefix="1", effective_from=TODAY, version=2)
        chosen = choose_for_period(
            [tiered, old, new], day=TODAY, period_start=date(2026, 3, 1), destination="+12125550100"
        )
        assert chosen is new

    @given(st.permutations(["", "1", "12", "121", "1212"]))
    def test_the_order_of_rates_does_not_matter(self, prefixes: list[str]) -> None:
        rates = [rate(destination_prefix=prefix, id=UUID(int=len(prefix))) for prefix in prefixes]
        chosen = choose_rate(rates, on=TODAY, destination="+12125550100")
        assert chosen is not None
        assert chosen.destination_prefix == "1212"


def test_one_rounding_per_line_not_per_event() -> None:
    sms = rate("0.0075")
    assert round_money(total_cost(sms, billed=D(3), events=3), "USD") == D("0.02")  # three rounded ones would be 0.03
