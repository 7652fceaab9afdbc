"""What a period costs: the one computation behind `/current-period`, the draft invoice and its lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from common.money import round_money
from usage import sums
from usage.credit import PREPAID, Charge, Grant, cover
from usage.models import BillingPeriod, Meter
from usage.ratebook import rates_by_id
from usage.rating import Rate, total_cost
from usage.selectors.credit import burned_for, credit_left, unbilled_periods
from usage.selectors.pricing import meters_by_key
from usage.sums import DayRateSum, DaySum, RateSum

ZERO = Decimal(0)
SHOWN = 6  # decimals of a quantity shown in priced units


@dataclass(frozen=True)
class RatedLine:
    """What one rate version costs in a period, rounded once. `units` are priced units: minutes, messages.

    What was used before the period and told too late for its own is a line of its own for each day, `late_day`; where only
    the period's sum has a price it is in the sum, and `late_day` is the first of those days.
    """

    meter: Meter
    rate: Rate
    units: Decimal
    record_count: int
    amount: Decimal
    late_day: date | None = None

    @property
    def is_late_alone(self) -> bool:
        """Say whether all of it was used on `late_day`."""
        return self.late_day is not None and self.rate.is_linear


@dataclass(frozen=True)
class MeterTotal:
    """What one meter costs in a period: the sum of its lines."""

    meter: Meter
    units: Decimal
    record_count: int
    amount: Decimal


@dataclass(frozen=True)
class PeriodUsage:
    """A period and what it would be billed at: the same lines as its invoice has. Lines and days are of one snapshot."""

    period: BillingPeriod
    lines: tuple[RatedLine, ...]
    days: tuple[DaySum, ...]
    covered: Decimal
    credit_remaining: Decimal

    @property
    def currency(self) -> str:
        return self.period.subscription.currency

    @property
    def total_cost(self) -> Decimal:
        """Return what usage costs before credit and fees."""
        return _total(self.lines, self.currency)

    def by_meter(self) -> list[MeterTotal]:
        """Return the lines' sums by meter, in the catalogue's order."""
        groups = groupby(self.lines, key=lambda line: line.meter)
        return [_meter_total(meter, list(lines)) for meter, lines in groups]


def rated_lines(rows: Sequence[DayRateSum], *, period: BillingPeriod) -> tuple[RatedLine, ...]:
    """Return what each meter and rate version costs: the lines of an invoice, in its order; two queries at most."""
    if not rows:
        return ()
    rates = rates_by_id(ids={row.rate_id for row in rows})
    return lines_of_rows(rows, rates=rates, meters=meters_by_key(), period=period)


def lines_of_rows(
    rows: Sequence[DayRateSum],
    *,
    rates: Mapping[UUID, Rate],
    meters: Mapping[tuple[str, str], Meter],
    period: BillingPeriod,
) -> tuple[RatedLine, ...]:
    """Rate a period's sums; no query."""
    first_day, currency = period.first_day, period.subscription.currency
    late: dict[date | None, list[DayRateSum]] = {}
    for row in rows:
        is_apart = row.day < first_day and rates[row.rate_id].is_linear
        late.setdefault(row.day if is_apart else None, []).append(row)
    lines = [
        _rated(total, rates[total.rate_id], meters[total.channel, total.resource_type], currency, first_day)
        for together in late.values()
        for total in sums.by_rate(together)
    ]
    return tuple(sorted(lines, key=_line_order))


def period_usage(*, tenant_id: UUID, period: BillingPeriod, now: datetime) -> PeriodUsage:
    """Return what a period costs, how much of it credit covers, and the credit left at `now`.

    Of a period whose invoice has had its credit, `covered` is what it had; of any other it is an estimate.
    """
    currency = period.subscription.currency
    rows = sums.of_period(tenant_id=tenant_id, period_id=period.pk)
    lines = rated_lines(rows, period=period)
    credit = credit_left(tenant_id=tenant_id, now=now)
    had = burned_for(tenant_id=tenant_id, period_id=period.pk) if period.state != BillingPeriod.State.OPEN else None
    charges = _earlier_charges(credit.grants, period)
    if had is None:
        charges.append(_charge(period, _total(lines, currency)))
    coverage = cover(credit.grants, charges, now=now)
    return PeriodUsage(
        period=period,
        lines=lines,
        days=tuple(sums.by_meter_and_day(rows)),
        covered=round_money(coverage.covered[period.pk] if had is None else had, currency),
        credit_remaining=round_money(max(coverage.left_at(credit.grants, now) - credit.held, ZERO), currency),
    )


def unbilled_charges(*, tenant_id: UUID, until: datetime) -> list[Charge]:
    """Return what each period begun before `until` costs, of those whose invoice has not had its credit."""
    periods = unbilled_periods(tenant_id=tenant_id, until=until)
    return [_charge(period, _cost_of(period)) for period in periods]


def shown_units(billed_quantity: Decimal, price_per: Decimal | int) -> Decimal:
    """Return metered units as priced ones, to six decimals: 90 seconds are 1.5 minutes."""
    return round(billed_quantity / price_per, SHOWN)


def _rated(row: RateSum, rate: Rate, meter: Meter, currency: str, first_day: date) -> RatedLine:
    cost = total_cost(rate, billed=row.billed_quantity, events=row.record_count)
    units = shown_units(row.billed_quantity, rate.price_per)
    late_day = row.first_day if row.first_day < first_day else None
    return RatedLine(meter, rate, units, row.record_count, round_money(cost, currency), late_day)


def _line_order(line: RatedLine) -> tuple[int, str, str, str, str, date, int, date]:
    """Order by the catalogue, then late usage, the earliest day first, behind the period's own."""
    meter, rate = line.meter, line.rate
    late = line.late_day if line.late_day and line.is_late_alone else date.min
    key = rate.direction, rate.destination_prefix, rate.effective_from, rate.version
    return meter.position, meter.channel, meter.resource_type, *key, late


def _meter_total(meter: Meter, lines: Sequence[RatedLine]) -> MeterTotal:
    return MeterTotal(
        meter=meter,
        units=sum((line.units for line in lines), ZERO),
        record_count=sum(line.record_count for line in lines),
        amount=sum((line.amount for line in lines), ZERO),
    )


def _total(lines: Iterable[RatedLine], currency: str) -> Decimal:
    return round_money(sum((line.amount for line in lines), ZERO), currency)


def _earlier_charges(grants: Sequence[Grant], period: BillingPeriod) -> list[Charge]:
    """Return what periods before this one take of the same grants; no query where no grant could be theirs."""
    if not any(grant.starts_at < period.starts_at or grant.source in PREPAID for grant in grants):
        return []
    return unbilled_charges(tenant_id=period.tenant_id, until=period.starts_at)


def _charge(period: BillingPeriod, amount: Decimal) -> Charge:
    return Charge(period.pk, period.starts_at, period.ends_at, amount)


def _cost_of(period: BillingPeriod) -> Decimal:
    rows = sums.of_period(tenant_id=period.tenant_id, period_id=period.pk)
    return _total(rated_lines(rows, period=period), period.subscription.currency)
