"""The lines of an invoice, from what a period costs. Pure: values in, values out."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from common.money import round_money
from common.periods import A_DAY, period_containing
from usage.rating import PricingModel, Rate
from usage.selectors import PeriodUsage, RatedLine


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


def lines_of(usage: PeriodUsage, *, cycle_day: int) -> list[LineValues]:
    """Return the fee for the period after this one, which is owed in advance, and this period's usage."""
    return [*_fees(usage, cycle_day), *(_usage_line(line, usage) for line in usage.lines)]


def _fees(usage: PeriodUsage, cycle_day: int) -> list[LineValues]:
    subscription = usage.period.subscription
    plan = subscription.plan
    if not plan.monthly_fee or subscription.canceled_at is not None:
        return []
    first = usage.period.period_end + A_DAY
    return [
        LineValues(
            kind="fee",
            description=f"{plan.name} plan, monthly fee",
            service_start=first,
            service_end=period_containing(first, cycle_day)[1],
            quantity=Decimal(1),
            unit="month",
            unit_price=plan.monthly_fee,
            amount=round_money(plan.monthly_fee, usage.currency),
        )
    ]


def _usage_line(line: RatedLine, usage: PeriodUsage) -> LineValues:
    meter, rate = line.meter, line.rate
    return LineValues(
        kind="usage",
        description=_describe(meter.name, rate),
        detail=_explain(line),
        service_start=usage.period.period_start,
        service_end=usage.period.period_end,
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
