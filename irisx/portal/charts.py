"""Bars by day as numbers a template can draw in SVG: no script, no inline style."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from usage.sums import DaySum

WIDTH, HEIGHT, GAP, WIDEST, NAMED = 720, 160, 0.3, 32.0, 5
A_DAY = timedelta(days=1)
Number = Decimal | int


@dataclass(frozen=True)
class Segment:
    """One channel's part of a bar, in SVG units."""

    channel: str
    y: float
    height: float
    amount: Number


@dataclass(frozen=True)
class Bar:
    """One day."""

    day: date
    x: float
    width: float
    total: Number
    segments: tuple[Segment, ...]
    is_named: bool


@dataclass(frozen=True)
class Chart:
    """Bars, the highest day, and the channels in the order they are stacked."""

    bars: tuple[Bar, ...]
    most: Number
    channels: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def rows(self) -> list[tuple[date, list[Number], Number]]:
        """Return the days on which there is something: each channel's part, in the order of `channels`, and the sum."""
        return [
            (bar.day, [_part(bar, channel) for channel in self.channels], bar.total) for bar in self.bars if bar.total
        ]


def events(row: DaySum) -> Number:
    """Measure a day's meter by its events."""
    return row.record_count


def cost(row: DaySum) -> Number:
    """Measure a day's meter by what it costs at flat prices, unrounded."""
    return row.total_cost


def by_day(sums: Sequence[DaySum], *, first: date, last: date, measure: Callable[[DaySum], Number] = events) -> Chart:
    """Return what was used on each day, first to last inclusive, stacked by channel; what takes back is no bar."""
    amounts: dict[date, dict[str, Number]] = {}
    for row in sums:
        day = amounts.setdefault(row.day, {})
        day[row.channel] = day.get(row.channel, 0) + measure(row)
    amounts = {day: {name: max(value, 0) for name, value in parts.items()} for day, parts in amounts.items()}
    channels = tuple(sorted({name for parts in amounts.values() for name, value in parts.items() if value}))
    most = max((sum(parts.values()) for parts in amounts.values()), default=0)
    days = [first + A_DAY * number for number in range((last - first).days + 1)]
    bars = tuple(_bar(day, amounts.get(day, {}), number, days, channels, most) for number, day in enumerate(days))
    return Chart(bars, most, channels)


def _bar(
    day: date, amounts: dict[str, Number], number: int, days: Sequence[date], channels: Sequence[str], most: Number
) -> Bar:
    step = WIDTH / len(days)
    segments, top = [], float(HEIGHT)
    for channel in channels:
        height = round(float(HEIGHT * amounts.get(channel, 0) / most), 2) if most else 0.0
        top -= height
        if height:
            segments.append(Segment(channel, round(top, 2), height, amounts[channel]))
    is_named = number % -(-len(days) // NAMED) == 0
    width = min(WIDEST, step * (1 - GAP))
    left = number * step + (step - width) / 2
    return Bar(day, round(left, 2), round(width, 2), sum(amounts.values()), tuple(segments), is_named)


def _part(bar: Bar, channel: str) -> Number:
    return next((part.amount for part in bar.segments if part.channel == channel), 0)
