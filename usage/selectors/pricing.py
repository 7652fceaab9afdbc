"""What is on offer, and which rates may apply."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery

from usage.errors import NoRate
from usage.models import Meter, PricingPlan, PricingRate
from usage.rating import Rate, choose_rate
from usage.selectors.periods import current_period


def offered_plans() -> QuerySet[PricingPlan]:
    """Return the plans on offer with features and rates, in their order; three queries."""
    return PricingPlan.objects.filter(is_offered=True).prefetch_related("features", "rates").order_by("position")


def meters_by_key() -> dict[tuple[str, str], Meter]:
    """Return all meters by (channel, resource type); one query."""
    return {(meter.channel, meter.resource_type): meter for meter in Meter.objects.all()}


def rates_for(
    *, tenant_id: UUID, plan_id: UUID, currency: str, channel: str, resource_type: str, destination: str = ""
) -> list[Rate]:
    """Return every rate of the plan and of the tenant itself that might apply to a destination; one query."""
    digits = destination.removeprefix("+")[:15]
    rates = PricingRate.objects.filter(
        Q(plan_id=plan_id) | Q(tenant_id=tenant_id),
        channel=channel,
        resource_type=resource_type,
        currency=currency,
        destination_prefix__in=[digits[:length] for length in range(len(digits) + 1)],
    )
    return [row.as_rate(price_per=price_per) for row, price_per in _with_price_per(rates)]


def rate_for(
    *,
    tenant_id: UUID,
    channel: str,
    resource_type: str,
    now: datetime,
    direction: str = "",
    destination: str = "",
) -> Rate:
    """Return the rate that would apply now, e.g. before a call is placed; raise NoRate where nothing is priced."""
    period = current_period(tenant_id=tenant_id, now=now)
    subscription = period.subscription
    rates = rates_for(
        tenant_id=tenant_id,
        plan_id=subscription.plan_id,
        currency=subscription.currency,
        channel=channel,
        resource_type=resource_type,
        destination=destination,
    )
    rate = choose_rate(rates, on=period.day_of(now), direction=direction, destination=destination)
    if rate is None:
        raise NoRate(f"There is no rate for {channel}/{resource_type} {direction} to {destination or 'any'}.")
    return rate


def rates_by_id(*, ids: Iterable[UUID]) -> dict[UUID, Rate]:
    """Return rate versions by their ids; one query."""
    rows = _with_price_per(PricingRate.objects.filter(pk__in=list(ids)))
    return {row.pk: row.as_rate(price_per=price_per) for row, price_per in rows}


def _with_price_per(rates: QuerySet[PricingRate]) -> list[tuple[PricingRate, int]]:
    meter = Meter.objects.filter(channel=OuterRef("channel"), resource_type=OuterRef("resource_type"))
    price_per = Subquery(meter.values("price_per"), output_field=IntegerField())
    return [(row, row.price_per) for row in rates.annotate(price_per=price_per)]
