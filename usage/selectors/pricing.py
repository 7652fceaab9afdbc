"""What is on offer, and which rates may apply."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from common.columns import Columns
from common.db import prepared
from usage.errors import NoRate
from usage.models import Meter, PricingPlan
from usage.ratebook import rates_for
from usage.rating import Rate, choose_for_period
from usage.selectors.periods import current_period

METER = Columns(Meter)
METERS = f"SELECT {METER.sql('m')} FROM usage_meters m ORDER BY position, channel, resource_type"  # noqa: S608


def offered_plans() -> QuerySet[PricingPlan]:
    """Return the plans on offer with features and rates, in their order; three queries."""
    return PricingPlan.objects.filter(is_offered=True).prefetch_related("features", "rates").order_by("position")


def meters_by_key() -> dict[tuple[str, str], Meter]:
    """Return all meters by (channel, resource type); one query."""
    found = (METER.take(iter(row)) for row in prepared(METERS, ()))
    return {(meter.channel, meter.resource_type): meter for meter in found if meter}


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
    rates = rates_for(
        tenant_id=tenant_id,
        plan_id=period.plan_id,
        currency=period.subscription.currency,
        channel=channel,
        resource_type=resource_type,
        destination=destination,
    )
    rate = choose_for_period(
        rates,
        day=period.day_of(now),
        period_start=period.period_start,
        direction=direction,
        destination=destination,
    )
    if rate is None:
        raise NoRate(f"There is no rate for {channel}/{resource_type} {direction} to {destination or 'any'}.")
    return rate
