"""Days and billing periods in the tenant's zone, across daylight saving and month ends."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Invalid
from common.periods import bounds, day_start, local_day, period_containing

ZONES = ["UTC", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "America/Havana", "Pacific/Apia", "Europe/Berlin"]


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2026, 3, 1, 4, 59, 59, tzinfo=UTC), "America/New_York", date(2026, 2, 28)),
        (datetime(2026, 3, 1, 5, 0, 0, tzinfo=UTC), "America/New_York", date(2026, 3, 1)),
        (datetime(2026, 2, 28, 18, 15, tzinfo=UTC), "Asia/Kathmandu", date(2026, 3, 1)),
        (datetime(2026, 2, 28, 18, 14, tzinfo=UTC), "Asia/Kathmandu", date(2026, 2, 28)),
    ],
)
def test_counts_days_where_the_tenant_lives(moment: datetime, zone: str, day: date) -> None:
    assert local_day(moment, zone) == day


def test_refuses_a_moment_without_an_offset() -> None:
    with pytest.raises(Invalid) as refusal:
        local_day(datetime(2026, 1, 1), "UTC")
    assert refusal.value.code == "naive-time"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "a" * 300])
def test_refuses_an_unknown_zone(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        day_start(date(2026, 1, 1), name)
    assert refusal.value.code == "unknown-zone"


@pytest.mark.parametrize(
    ("day", "cycle_day", "first", "last"),
    [
        (date(2026, 1, 1), 1, date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 12, 31), 1, date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 1, 14), 15, date(2025, 12, 15), date(2026, 1, 14)),
        (date(2026, 1, 15), 15, date(2026, 1, 15), date(2026, 2, 14)),
        (date(2026, 1, 31), 31, date(2026, 1, 31), date(2026, 2, 27)),
        (date(2026, 2, 28), 31, date(2026, 2, 28), date(2026, 3, 30)),
        (date(2028, 2, 28), 31, date(2028, 1, 31), date(2028, 2, 28)),
        (date(2028, 2, 29), 31, date(2028, 2, 29), date(2028, 3, 30)),
        (date(2026, 4, 30), 31, date(2026, 4, 30), date(2026, 5, 30)),
        (date(2026, 3, 1), 30, date(2026, 2, 28), date(2026, 3, 29)),
    ],
)
def test_knows_the_period_of_a_day(day: date, cycle_day: int, first: date, last: date) -> None:
    assert period_containing(day, cycle_day) == (first, last)


@pytest.mark.parametrize("cycle_day", [0, 32, -1])
def test_refuses_a_cycle_day_no_month_has(cycle_day: int) -> None:
    with pytest.raises(Invalid):
        period_containing(date(2026, 1, 1), cycle_day)


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(1, 31))
def test_periods_follow_each_other_without_gap_or_overlap(day: date, cycle_day: int) -> None:
    first, last = period_containing(day, cycle_day)
    assert first <= day <= last
    assert 27 <= (last - first).days <= 30
    assert period_containing(first, cycle_day) == period_containing(last, cycle_day) == (first, last)
    assert period_containing(last + timedelta(days=1), cycle_day)[0] == last + timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "last", "zone", "hours"),
    [
        (date(2026, 3, 8), date(2026, 3, 8), "America/New_York", 23),
        (date(2026, 11, 1), date(2026, 11, 1), "America/New_York", 25),
        (date(2026, 3, 1), date(2026, 3, 31), "Europe/Berlin", 31 * 24 - 1),
        (date(2026, 10, 1), date(2026, 10, 31), "Europe/Berlin", 31 * 24 + 1),
        (date(2026, 3, 1), date(2026, 3, 31), "Asia/Kolkata", 31 * 24),
    ],
)
def test_bounds_span_short_and_long_days(first: date, last: date, zone: str, hours: int) -> None:
    start, end = bounds(first, last, zone)
    assert end - start == timedelta(hours=hours)


def test_a_day_whose_midnight_is_skipped_starts_at_the_jump() -> None:
    start = day_start(date(2026, 4, 24), "Africa/Cairo")  # 23:59:59 is followed by 01:00
    assert start == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert start.astimezone(ZoneInfo("Africa/Cairo")).hour == 1


def test_a_day_that_never_was_starts_with_the_next() -> None:
    assert day_start(date(2011, 12, 30), "Pacific/Apia") == day_start(date(2011, 12, 31), "Pacific/Apia")


def test_a_midnight_that_comes_twice_starts_the_day_the_first_time() -> None:
    assert day_start(date(2026, 11, 1), "America/Havana") == datetime(2026, 11, 1, 4, tzinfo=UTC)


@given(st.dates(date(2005, 1, 1), date(2037, 1, 1)), st.sampled_from(ZONES))
def test_a_day_starts_exactly_where_the_one_before_ends(day: date, zone: str) -> None:
    start = day_start(day, zone)
    assert local_day(start, zone) >= day
    assert local_day(start - timedelta(seconds=1), zone) < day
