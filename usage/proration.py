"""Shares of a monthly amount: by days, of the whole cycle they lie in, rounded once. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.money import round_money
from common.periods import period_containing


@dataclass(frozen=True)
class Days:
    """Some days, `first` to `last` inclusive, of a cycle of `cycle` days."""

    first: date
    last: date
    cycle: int

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_whole(self) -> bool:
        return self.count >= self.cycle

    def share(self, monthly: Decimal, currency: str) -> Decimal:
        """Return what a monthly amount comes to for these days; all of it for a whole cycle."""
        return round_money(monthly if self.is_whole else monthly * self.count / self.cycle, currency)


def days_of_cycle(first: date, last: date | None = None, *, cycle_day: int) -> Days:
    """Return the days `first` to `last` of the monthly cycle that holds `first`; to its end where `last` is not said."""
    start, end = period_containing(first, cycle_day)
    return Days(first, last or end, (end - start).days + 1)
