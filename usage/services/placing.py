"""Where events belong: the open period each is billed in, its local day, and the rate that prices it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from usage.errors import NoSubscription
from usage.event import UsageEvent
from usage.ratebook import Home, OpenTerms, closed_homes, open_terms, rates_of_meters
from usage.rating import Rate, choose_for_period
from usage.selectors import period_of
from usage.services.periods import open_next_period


@dataclass(frozen=True)
class Calendar:
    """A tenant's open periods, the earliest first, and the closed ones that events of a batch lie in."""

    periods: Sequence[OpenTerms]
    closed: Sequence[Home]

    def place(self, moment: datetime) -> tuple[OpenTerms, date]:
        """Return the period a moment is billed in and the moment's local day.

        A moment of a closed period keeps its day and is billed in the earliest open one.
        """
        for period in self.periods:
            if period.holds(moment):
                return period, period.day_of(moment)
        first = self.periods[0]
        return first, next((home for home in self.closed if home.holds(moment)), first).day_of(moment)


def calendar(*, tenant_id: UUID, first: datetime, last: datetime) -> Calendar:
    """Return the periods that moments from `first` to `last` need; those after the last open one are opened.

    One query, a second where a moment lies before the open periods. Raises NoSubscription. The caller holds the periods
    (`share_periods`).
    """
    periods = open_terms(tenant_id=tenant_id)
    if not periods:
        raise NoSubscription("This tenant has no open billing period.")
    while last >= periods[-1].ends_at:
        after = period_of(tenant_id=tenant_id, period_id=periods[-1].period_id)
        open_next_period(after=after, until=last)
        periods = open_terms(tenant_id=tenant_id)
    is_late = first < periods[0].starts_at
    return Calendar(periods, closed_homes(tenant_id=tenant_id, first=first, last=last) if is_late else ())


class PriceList:
    """The rates a batch may need, read by one query; each combination of meter, day and destination is chosen once."""

    def __init__(self, *, tenant_id: UUID, periods: Sequence[OpenTerms], events: Sequence[UsageEvent]) -> None:
        self._rates = rates_of_meters(
            tenant_id=tenant_id,
            terms=periods,
            meters={(event.channel, event.resource_type) for event in events},
            destinations={event.destination for event in events},
        )
        self._chosen: dict[tuple[str, str, str, str, UUID, date], Rate | None] = {}

    def rate(self, event: UsageEvent, terms: OpenTerms, day: date) -> Rate | None:
        """Return the rate of an event; None where nothing is priced."""
        key = (event.channel, event.resource_type, event.direction, event.destination, terms.period_id, day)
        if key not in self._chosen:
            self._chosen[key] = self._choose(event, terms, day)
        return self._chosen[key]

    def _choose(self, event: UsageEvent, terms: OpenTerms, day: date) -> Rate | None:
        rates = [
            rate
            for plan_id, rate in self._rates.get((event.channel, event.resource_type), ())
            if rate.currency == terms.currency and plan_id in (None, terms.plan_id)
        ]
        return choose_for_period(
            rates,
            day=day,
            period_start=terms.day_of(terms.starts_at),
            direction=event.direction,
            destination=event.destination,
        )
