"""What a period costs: the one computation behind `/current-period`, the draft invoice and its lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from django.db.models import Q

from common.money import round_money
from usage import sums
from usage.credit import Charge, Coverage, Grant, cover
from usage.models import BillingPeriod, CreditEntry, Meter
from usage.ratebook import rates_by_id
from usage.rating import Rate, total_cost
from usage.selectors.pricing import meters_by_key
from usage.sums import DayRateSum, DaySum, RateSum

ZERO = Decimal(0)
SHOWN = 6  # decimals of a quantity shown in priced units


@dataclass(frozen=True)
class RatedLine:
    """What one rate version costs in a period, rounded once. `units` are priced units: minutes, messages."""

    meter: Meter
    rate: Rate
    units: Decimal
    record_count: int
    amount: Decimal


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


def rated_lines(rows: Sequence[DayRateSum], *, currency: str) -> tuple[RatedLine, ...]:
    """Return what each meter and rate version costs: the lines of an invoice, in its order; two queries at most."""
    totals = sums.by_rate(rows)
    if not totals:
        return ()
    rates = rates_by_id(ids={total.rate_id for total in totals})
    meters = meters_by_key()
    lines = (_rated(row, rates[row.rate_id], meters[row.channel, row.resource_type], currency) for row in totals)
    return tuple(sorted(lines, key=_line_order))


def period_usage(*, tenant_id: UUID, period: BillingPeriod, now: datetime) -> PeriodUsage:
    """Return what a period costs, how much of it credit covers, and the credit left at `now`."""
    currency = period.subscription.currency
    rows = sums.of_period(tenant_id=tenant_id, period_id=period.pk)
    lines = rated_lines(rows, currency=currency)
    amount = _total(lines, currency)
    grants = _grants(tenant_id=tenant_id, period=period)
    coverage = _coverage(tenant_id, grants, period, amount)
    live = [coverage.left[grant.id] for grant in grants if grant.is_live(now)]
    return PeriodUsage(
        period=period,
        lines=lines,
        days=tuple(sums.by_meter_and_day(rows)),
        covered=round_money(coverage.covered[period.pk], currency),
        credit_remaining=round_money(sum(live, ZERO), currency),
    )


def shown_units(billed_quantity: Decimal, price_per: Decimal | int) -> Decimal:
    """Return metered units as priced ones, to six decimals: 90 seconds are 1.5 minutes."""
    return round(billed_quantity / price_per, SHOWN)


def _rated(row: RateSum, rate: Rate, meter: Meter, currency: str) -> RatedLine:
    cost = total_cost(rate, billed=row.billed_quantity, events=row.record_count)
    units = shown_units(row.billed_quantity, rate.price_per)
    return RatedLine(meter, rate, units, row.record_count, round_money(cost, currency))


def _line_order(line: RatedLine) -> tuple[int, str, str, str, str, date, int]:
    meter, rate = line.meter, line.rate
    key = rate.direction, rate.destination_prefix, rate.effective_from, rate.version
    return meter.position, meter.channel, meter.resource_type, *key


def _meter_total(meter: Meter, lines: Sequence[RatedLine]) -> MeterTotal:
    return MeterTotal(
        meter=meter,
        units=sum((line.units for line in lines), ZERO),
        record_count=sum(line.record_count for line in lines),
        amount=sum((line.amount for line in lines), ZERO),
    )


def _total(lines: Iterable[RatedLine], currency: str) -> Decimal:
    return round_money(sum((line.amount for line in lines), ZERO), currency)


def _grants(*, tenant_id: UUID, period: BillingPeriod) -> list[Grant]:
    """Return the grants that are valid at some moment of the period; one query."""
    entries = CreditEntry.objects.for_tenant(tenant_id).filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=period.starts_at), starts_at__lt=period.ends_at
    )
    return [Grant(row.pk, row.amount, row.priority, row.starts_at, row.expires_at, row.created_at) for row in entries]


def _coverage(tenant_id: UUID, grants: Sequence[Grant], period: BillingPeriod, amount: Decimal) -> Coverage:
    """Cover the period after the earlier ones that used the same grants."""
    charges = [Charge(period.pk, period.starts_at, period.ends_at, amount)]
    since = min((grant.starts_at for grant in grants), default=period.starts_at)
    if since < period.starts_at:
        earlier = BillingPeriod.objects.for_tenant(tenant_id).filter(starts_at__lt=period.starts_at, ends_at__gt=since)
        for one in earlier.select_related("subscription"):
            charges.append(Charge(one.pk, one.starts_at, one.ends_at, _cost_of(one)))
    return cover(grants, charges)


def _cost_of(period: BillingPeriod) -> Decimal:
    rows = sums.of_period(tenant_id=period.tenant_id, period_id=period.pk)
    currency = period.subscription.currency
    return _total(rated_lines(rows, currency=currency), currency)
