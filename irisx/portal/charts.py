"""Bars by day as numbers a template can draw in SVG: no script, no inline style."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from usage.sums import DaySum

WIDTH, HEIGHT, GAP, WIDEST, NAMED = 720, 160, 0.3, 32.0, 5
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Segment:
    """One channel's part of a bar, in SVG units."""

    channel: str
    y: float
    height: float
    count: int


@dataclass(frozen=True)
class Bar:
    """One day."""

    day: date
    x: float
    width: float
    total: int
    segments: tuple[Segment, ...]
    is_named: bool


@dataclass(frozen=True)
class Chart:
    """Bars, the highest day's count, and the channels in the order they are stacked."""

    bars: tuple[Bar, ...]
    most: int
    channels: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT


def by_day(sums: Sequence[DaySum], *, first: date, last: date) -> Chart:
    """Return the events of each day, first to last inclusive, stacked by channel."""
    counts: dict[date, dict[str, int]] = {}
    for row in sums:
        day = counts.setdefault(row.day, {})
        day[row.channel] = day.get(row.channel, 0) + row.record_count
    channels = tuple(sorted({row.channel for row in sums}))
    most = max((sum(day.values()) for day in counts.values()), default=0)
    days = [first + A_DAY * number for number in range((last - first).days + 1)]
    bars = tuple(_bar(day, counts.get(day, {}), number, days, channels, most) for number, day in enumerate(days))
    return Chart(bars, most, channels)


def _bar(
    day: date, counts: dict[str, int], number: int, days: Sequence[date], channels: Sequence[str], most: int
) -> Bar:
    step = WIDTH / len(days)
    segments, top = [], float(HEIGHT)
    for channel in channels:
        height = round(HEIGHT * counts.get(channel, 0) / most, 2) if most else 0.0
        top -= height
        if height:
            segments.append(Segment(channel, round(top, 2), height, counts[channel]))
    is_named = number % -(-len(days) // NAMED) == 0
    width = min(WIDEST, step * (1 - GAP))
    left = number * step + (step - width) / 2
    return Bar(day, round(left, 2), round(width, 2), sum(counts.values()), tuple(segments), is_named)
