"""Business hours: when somebody is there. Pure; `now` is aware, zones are IANA names.

Hours are `{"mon": [["09:00", "12:00"], ["13:00", "17:00"]], …}` on the clock of a zone, each pair half-open; `24:00` ends a day.
No hours at all (`{}`) mean always open; with some, a day not named is closed. Where the clock is put back an hour counts twice,
where it is put forward the skipped hour does not come.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from common.errors import FieldProblem, Invalid
from common.periods import A_DAY, zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 10
CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
Hours = Mapping[str, Sequence[Sequence[str]]]
# A week, and a day that a zone may skip.
LOOK_AHEAD_DAYS = 9


def is_open(hours: Hours, zone_name: str, now: datetime) -> bool:
    """Say whether `now` lies in business hours."""
    return not hours or _covers(hours, now.astimezone(zone(zone_name)))


def next_opening(hours: Hours, zone_name: str, now: datetime) -> datetime | None:
    """Return the moment (UTC) the hours next begin; None when they are open at `now`, or never begin."""
    if is_open(hours, zone_name, now):
        return None
    where = zone(zone_name)
    today = now.astimezone(where).date()
    for ahead in range(LOOK_AHEAD_DAYS):
        moments = [moment for moment in _turns(hours, where, today + ahead * A_DAY) if moment > now]
        if opening := [moment for moment in moments if _covers(hours, moment.astimezone(where))]:
            return min(opening)
    return None


def checked(hours: Any, pointer: str = "/business_hours") -> dict[str, list[list[str]]]:
    """Return hours with each day's pairs in order; raise Invalid with a pointer to every mistake."""
    problems = list(_mistakes(hours, pointer))
    if problems:
        raise Invalid.many(problems)
    return {day: sorted([start, end] for start, end in hours[day]) for day in DAYS if day in hours}


def _covers(hours: Hours, local: datetime) -> bool:
    clock = local.strftime("%H:%M")
    return any(start <= clock < end for start, end in hours.get(DAYS[local.weekday()], ()))


def _turns(hours: Hours, where: ZoneInfo, day: date) -> Iterator[datetime]:
    """Yield the moments of a local day at which hours can begin: each pair's start, and where the clock is changed."""
    for start, _ in hours.get(DAYS[day.weekday()], ()):
        wall = datetime.combine(day, time.fromisoformat(start))
        for fold in (0, 1):
            moment = wall.replace(tzinfo=where, fold=fold).astimezone(UTC)
            if moment.astimezone(where).replace(tzinfo=None) == wall:
                yield moment
    yield from _clock_change(where, day)


def _clock_change(where: ZoneInfo, day: date) -> Iterator[datetime]:
    before = datetime.combine(day, time.min, where).astimezone(UTC)
    after = datetime.combine(day + A_DAY, time.min, where).astimezone(UTC)
    old = before.astimezone(where).utcoffset()
    if after.astimezone(where).utcoffset() == old:
        return
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if middle.astimezone(where).utcoffset() == old else (before, middle)
    yield after


def _mistakes(hours: Any, pointer: str) -> Iterator[FieldProblem]:
    if not isinstance(hours, Mapping):
        yield FieldProblem(pointer, "invalid", 'Hours are an object of days, e.g. {"mon": [["09:00", "17:00"]]}.')
        return
    for day, spans in hours.items():
        here = f"{pointer}/{str(day).replace('~', '~0').replace('/', '~1')[:60]}"
        if day not in DAYS:
            yield FieldProblem(here, "unknown-day", f"Days are {', '.join(DAYS)}.")
        elif not isinstance(spans, (list, tuple)) or len(spans) > MOST_SPANS:
            yield FieldProblem(here, "invalid", f"A day is a list of at most {MOST_SPANS} pairs of times.")
        else:
            yield from _mistakes_of_day(spans, here)


def _mistakes_of_day(spans: Sequence[Any], pointer: str) -> Iterator[FieldProblem]:
    mistaken = False
    for index, span in enumerate(spans):
        if not _is_span(span):
            mistaken = True
            yield FieldProblem(
                f"{pointer}/{index}", "invalid", 'A pair is ["09:00", "17:00"], the end after the start.'
            )
    if mistaken:
        return
    in_order = sorted(range(len(spans)), key=lambda index: list(spans[index]))
    for earlier, later in pairwise(in_order):
        if spans[later][0] < spans[earlier][1]:
            yield FieldProblem(f"{pointer}/{later}", "overlap", "The pairs of a day must not overlap.")


def _is_span(span: Any) -> bool:
    if not isinstance(span, (list, tuple)) or len(span) != 2:
        return False
    if not all(isinstance(clock, str) and CLOCK.fullmatch(clock) for clock in span):
        return False
    return bool(span[0] < span[1])
