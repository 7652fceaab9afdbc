"""Limits as bars a template can draw in SVG."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from usage.models import Feature
from usage.selectors.limits import LimitUse

FULL = Decimal(100)
TIGHT = 80  # percent: from here on the bar warns


@dataclass(frozen=True)
class Tick:
    """A threshold on a bar, in percent of it."""

    x: float
    label: str
    is_reached: bool


@dataclass(frozen=True)
class LimitBar:
    """A quota and what is used of it; `percent` may be more than 100, `width` not."""

    name: str
    unit: str
    used: Decimal
    limit: Decimal
    percent: int
    width: float
    tone: str
    ticks: tuple[Tick, ...]
    blocks: bool


@dataclass(frozen=True)
class Allowance:
    """What else a plan allows, in words."""

    name: str
    value: str


def bars_of(limits: Iterable[LimitUse]) -> list[LimitBar]:
    """Return a bar for each quota that has a number."""
    return [_bar(one, one.used or Decimal(0), one.allowed.limit) for one in limits if _is_counted(one)]


def allowances_of(limits: Iterable[LimitUse]) -> list[Allowance]:
    """Return what is allowed without being counted, in words."""
    return [
        Allowance(one.allowed.feature.name, _words(one))
        for one in limits
        if one.allowed.feature.kind != Feature.Kind.METERED
    ]


def _is_counted(one: LimitUse) -> bool:
    return one.allowed.feature.kind == Feature.Kind.METERED and one.allowed.limit is not None


def _bar(one: LimitUse, used: Decimal, limit: Decimal | None) -> LimitBar:
    whole = limit or Decimal(0)
    share = used / whole * FULL if whole else FULL
    tone = "bad" if share >= FULL else "warn" if share >= TIGHT else "good"
    marks = [(Decimal(percent), f"{percent} %") for percent in one.marks.percents]
    marks += [(amount / whole * FULL, f"{amount:f}") for amount in one.marks.amounts if whole]
    return LimitBar(
        name=one.allowed.feature.name,
        unit=one.allowed.feature.unit,
        used=used,
        limit=whole,
        percent=int(share),
        width=float(round(min(share, FULL), 2)),
        tone=tone,
        ticks=tuple(Tick(float(round(x, 2)), label, share >= x) for x, label in marks if x < FULL),
        blocks=one.allowed.blocks,
    )


def _words(one: LimitUse) -> str:
    value, unit = one.allowed.value, one.allowed.feature.unit
    if isinstance(value, bool):
        return "Included" if value else "Not in your plan"
    return "Unlimited" if value is None else f"{value:,} {unit}".strip()
