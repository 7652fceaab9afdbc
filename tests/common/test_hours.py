"""Business hours, on days of every length."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.errors import Invalid
from common.hours import DAYS, checked, is_open, next_opening

BERLIN = "Europe/Berlin"
OFFICE = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in DAYS[:5]}


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-10T08:59:59.999999", False),
        ("2026-03-10T09:00:00", True),
        ("2026-03-10T11:59:59.999999", True),
        ("2026-03-10T12:00:00", False),
        ("2026-03-10T13:00:00", True),
        ("2026-03-10T17:00:00", False),
        ("2026-03-14T10:00:00", False),
    ],
)
def test_spans_are_half_open_on_the_clock_of_the_zone(moment: str, expected: bool) -> None:
    assert is_open(OFFICE, BERLIN, at(moment, BERLIN)) is expected


def test_no_hours_are_always_open() -> None:
    assert is_open({}, BERLIN, at("2026-03-14T03:00:00"))
    assert next_opening({}, BERLIN, at("2026-03-14T03:00:00")) is None


def test_a_day_ends_at_24() -> None:
    late = {"mon": [["22:00", "24:00"]], "tue": [["00:00", "02:00"]]}
    assert is_open(late, "UTC", at("2026-03-09T23:59:59.999999"))
    assert is_open(late, "UTC", at("2026-03-10T00:00:00"))
    assert not is_open(late, "UTC", at("2026-03-10T02:00:00"))


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-03-10T07:00:00", "2026-03-10T09:00:00"),
        ("2026-03-10T12:00:00", "2026-03-10T13:00:00"),
        ("2026-03-10T17:00:00", "2026-03-11T09:00:00"),
        ("2026-03-13T17:00:00", "2026-03-16T09:00:00"),
        # The clock is put forward in the night between: still nine o'clock there.
        ("2026-03-27T18:00:00", "2026-03-30T09:00:00"),
    ],
)
def test_the_next_opening_is_a_moment_in_the_zone(moment: str, opening: str) -> None:
    assert next_opening(OFFICE, BERLIN, at(moment, BERLIN)) == at(opening, BERLIN)


def test_there_is_no_next_opening_while_open_or_when_nothing_ever_opens() -> None:
    assert next_opening(OFFICE, BERLIN, at("2026-03-10T10:00:00", BERLIN)) is None
    assert not is_open({"mon": []}, BERLIN, at("2026-03-09T10:00:00", BERLIN))
    assert next_opening({"mon": []}, BERLIN, at("2026-03-09T10:00:00", BERLIN)) is None


def test_a_week_ahead_is_found() -> None:
    tuesdays = {"tue": [["09:00", "10:00"]]}
    assert next_opening(tuesdays, "UTC", at("2026-03-10T10:00:00")) == at("2026-03-17T09:00:00")


def test_a_skipped_start_opens_when_the_clock_has_jumped() -> None:
    nights = {"sun": [["02:30", "03:30"]]}
    jump = at("2026-03-29T03:00:00", BERLIN)
    assert next_opening(nights, BERLIN, jump - timedelta(minutes=5)) == jump
    assert is_open(nights, BERLIN, jump)


def test_a_span_that_is_skipped_whole_does_not_open() -> None:
    nights = {"sun": [["02:10", "02:50"]]}
    before = at("2026-03-29T01:00:00", BERLIN)
    assert next_opening(nights, BERLIN, before) == at("2026-04-05T02:10:00", BERLIN)


def test_a_repeated_hour_opens_twice() -> None:
    nights = {"sun": [["02:10", "02:30"]]}
    first, second = (at("2026-10-25T02:10:00", BERLIN, fold) for fold in (0, 1))
    assert second - first == timedelta(hours=1)
    assert next_opening(nights, BERLIN, first - timedelta(minutes=20)) == first
    assert next_opening(nights, BERLIN, first + timedelta(minutes=20)) == second


def test_a_clock_put_back_into_hours_opens_them_again() -> None:
    nights = {"sun": [["01:00", "02:15"]]}
    closed_first = at("2026-10-25T02:15:00", BERLIN, 0)
    assert not is_open(nights, BERLIN, closed_first)
    assert next_opening(nights, BERLIN, closed_first) == at("2026-10-25T02:00:00", BERLIN, 1)


def test_a_day_a_zone_skipped_is_passed_over() -> None:
    # Samoa went from Thursday 29 December 2011 to Saturday 31.
    hours = {"fri": [["09:00", "10:00"]], "sat": [["08:00", "12:00"]]}
    before = at("2011-12-29T12:00:00", "Pacific/Apia")
    assert next_opening(hours, "Pacific/Apia", before) == at("2011-12-31T08:00:00", "Pacific/Apia")


def test_checked_hours_are_in_order() -> None:
    assert checked({"tue": [["13:00", "17:00"], ["09:00", "12:00"]], "mon": []}) == {
        "mon": [],
        "tue": [["09:00", "12:00"], ["13:00", "17:00"]],
    }


@pytest.mark.parametrize(
    ("hours", "pointer", "code"),
    [
        ([], "/business_hours", "invalid"),
        ("mon", "/business_hours", "invalid"),
        (None, "/business_hours", "invalid"),
        ({"monday": []}, "/business_hours/monday", "unknown-day"),
        ({"a/b~": []}, "/business_hours/a~1b~0", "unknown-day"),
        ({"mon": "09:00"}, "/business_hours/mon", "invalid"),
        ({"mon": [["09:00", "09:01"]] * 11}, "/business_hours/mon", "invalid"),
        ({"mon": [["09:00"]]}, "/business_hours/mon/0", "invalid"),
        ({"mon": [["09:00", "10:00"], ["9:00", "17:00"]]}, "/business_hours/mon/1", "invalid"),
        ({"mon": [["09:00", "24:01"]]}, "/business_hours/mon/0", "invalid"),
        ({"mon": [["17:00", "09:00"]]}, "/business_hours/mon/0", "invalid"),
        ({"mon": [["09:00", "09:00"]]}, "/business_hours/mon/0", "invalid"),
        ({"mon": [[9, 17]]}, "/business_hours/mon/0", "invalid"),
        ({"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}, "/business_hours/mon/1", "overlap"),
    ],
)
def test_a_mistake_is_pointed_at(hours: Any, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(hours)
    assert [(problem.pointer, problem.code) for problem in refused.value.errors] == [(pointer, code)]
