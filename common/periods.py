"""Days and billing periods as a tenant lives them: cycles run from one local midnight to another, DST-safe.

A period is two dates, both inclusive. Its bounds are two moments, the second exclusive.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.errors import Invalid

A_DAY = timedelta(days=1)


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; raise Invalid for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name[:60]!r} is not a time zone; use an IANA name, e.g. Europe/Berlin."
        raise Invalid(message, code="unknown-zone", pointer="/timezone") from None


def local_day(moment: datetime, zone_name: str) -> date:
    """Return the day an aware moment falls on in a zone."""
    if moment.tzinfo is None:
        raise Invalid(f"{moment.isoformat()} has no UTC offset; add one, e.g. Z.", code="naive-time")
    return moment.astimezone(zone(zone_name)).date()


def days_asked_for(query: Mapping[str, str], *, today: date, most_days: int) -> tuple[date, date]:
    """Return `start_date` and `end_date` of a query, both inclusive: 30 days until today unless it says otherwise.

    Raises Invalid for what is no date, backwards or longer than `most_days`.
    """
    last = asked_day(query, "end_date") or today
    first = asked_day(query, "start_date") or last - timedelta(days=29)
    if not timedelta(0) <= last - first < timedelta(days=most_days):
        raise Invalid(f"From start_date to end_date are 1 to {most_days} days.", pointer="/start_date")
    return first, last


def asked_day(query: Mapping[str, str], name: str) -> date | None:
    """Return the day a query names, None for none; raise Invalid for what is no date."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    # Beyond these years a zone's midnight, or the day after, has no date in Python.
    if day is None or not 1970 <= day.year <= 9000:
        raise Invalid(f"{name} must be a date like 2026-03-31.", pointer=f"/{name}")
    return day


def period_containing(day: date, cycle_day: int) -> tuple[date, date]:
    """Return the first and last day (inclusive) of the monthly cycle that holds `day`.

    A cycle starts on `cycle_day`, 1 to 31, or on the last day of a month that is shorter.
    """
    if not 1 <= cycle_day <= 31:
        raise Invalid(f"A billing cycle starts on a day from 1 to 31, not {cycle_day}.", pointer="/billing_cycle_day")
    first = _cycle_start(day.year, day.month, cycle_day)
    if day < first:
        return _cycle_start(*_month_before(day), cycle_day), first - A_DAY
    return first, _cycle_start(*_month_after(day), cycle_day) - A_DAY


def bounds(first: date, last: date, zone_name: str) -> tuple[datetime, datetime]:
    """Return the moments (UTC) at which day `first` begins and the day after `last` begins: half-open."""
    return day_start(first, zone_name), day_start(last + A_DAY, zone_name)


def day_start(day: date, zone_name: str) -> datetime:
    """Return the first moment (UTC) of a local day, also where its midnight, or the whole day, was skipped."""
    where = zone(zone_name)
    wall = datetime.combine(day, time.min)
    moment = wall.replace(tzinfo=where).astimezone(UTC)
    if moment.astimezone(where).replace(tzinfo=None) == wall:
        return moment
    return _first_moment_on_or_after(day, where, moment)


def _first_moment_on_or_after(day: date, where: ZoneInfo, near: datetime) -> datetime:
    """Find the jump that skipped a midnight, to the second; jumps are shorter than two days."""
    before, after = near - 2 * A_DAY, near + 2 * A_DAY
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (before, middle) if middle.astimezone(where).date() >= day else (middle, after)
    return after


def _cycle_start(year: int, month: int, cycle_day: int) -> date:
    return date(year, month, min(cycle_day, monthrange(year, month)[1]))


def _month_before(day: date) -> tuple[int, int]:
    return (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)


def _month_after(day: date) -> tuple[int, int]:
    return (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
