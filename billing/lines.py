"""The lines of an invoice, from what a period costs. Pure: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from common.money import plain
from usage.models import BillingPeriod
from usage.rating import PricingModel, Rate
from usage.selectors import Fee, PeriodUsage, RatedLine


@dataclass(frozen=True)
class LineValues:
    """A line before it is stored; `amount` is rounded."""

    kind: str
    description: str
    service_start: date
    service_end: date
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    detail: str = ""
    channel: str = ""
    resource_type: str = ""
    rate_id: UUID | None = None


def lines_of(usage: PeriodUsage, fees: Sequence[Fee] = ()) -> list[LineValues]:
    """Return the lines of a period's invoice: fees first, which are owed in advance, then what was used."""
    return [*(_fee_line(fee) for fee in fees), *(usage_line(line, usage.period) for line in usage.lines)]


def _fee_line(fee: Fee) -> LineValues:
    days = fee.days
    whole = days.is_whole and not fee.from_plan
    return LineValues(
        kind="fee",
        description=f"Change from {fee.from_plan} to {fee.plan}" if fee.from_plan else f"{fee.plan} plan, monthly fee",
        detail="" if whole else f"{days.count} of {days.cycle} days of {plain(fee.monthly)} a month",
        service_start=days.first,
        service_end=days.last,
        quantity=Decimal(1),
        unit="month" if whole else "part of a month",
        unit_price=fee.amount,
        amount=fee.amount,
    )


def usage_line(line: RatedLine, period: BillingPeriod) -> LineValues:
    """Return the line of one meter and rate version, of the period or of a late day."""
    meter, rate = line.meter, line.rate
    name = _describe(meter.name, rate)
    return LineValues(
        kind="usage",
        description=f"{name}, late usage of {line.late_day}" if line.is_late_alone else name,
        detail=_explain(line),
        service_start=line.late_day or period.period_start,
        service_end=line.late_day if line.late_day and line.is_late_alone else period.period_end,
        quantity=line.units,
        unit=meter.unit if line.units == 1 else meter.unit_plural,
        unit_price=rate.unit_price if rate.model is PricingModel.FLAT else None,
        amount=line.amount,
        channel=meter.channel,
        resource_type=meter.resource_type,
        rate_id=rate.id,
    )


def _describe(name: str, rate: Rate) -> str:
    """Return e.g. `Voice, outbound to +1`."""
    direction = f", {rate.direction}" if rate.direction else ""
    return f"{name}{direction}" + (f" to +{rate.destination_prefix}" if rate.destination_prefix else "")


def _explain(line: RatedLine) -> str:
    """Return how calls were counted; nothing where the quantity says it all."""
    rate = line.rate
    if not rate.initial_seconds:
        return ""
    calls = "1 call" if line.record_count == 1 else f"{line.record_count:,} calls"
    return f"{calls}, billed {rate.initial_seconds}/{rate.step_seconds} s"
