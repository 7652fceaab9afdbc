"""Which subscription and which billing periods a tenant has."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Tenant
from common.columns import Columns
from common.db import prepared
from common.errors import NotFound
from usage.errors import NoSubscription
from usage.models import BillingPeriod, PricingPlan, Subscription

PERIOD, SUBSCRIPTION, PLAN = Columns(BillingPeriod), Columns(Subscription), Columns(PricingPlan)
TENANT = Columns(Tenant)
# Every fact that is metered, every page about usage and every invoice asks for it: written, not built by the ORM each time.
WITH_TERMS = f"""
    SELECT {PERIOD.sql("p")}, {SUBSCRIPTION.sql("s")}, {PLAN.sql("own")}, {PLAN.sql("agreed")}, {PLAN.sql("following")},
        {TENANT.sql("t")}
    FROM billing_periods p
    JOIN subscriptions s ON s.id = p.subscription_id
    JOIN pricing_plans own ON own.id = p.plan_id
    JOIN pricing_plans agreed ON agreed.id = s.plan_id
    LEFT JOIN pricing_plans following ON following.id = s.next_plan_id
    JOIN tenants t ON t.id = p.tenant_id
    WHERE p.tenant_id = %s
"""  # noqa: S608 - columns of the models
OPEN = f"{WITH_TERMS} AND p.state = 'open' ORDER BY p.starts_at"
LAST = f"{WITH_TERMS} ORDER BY p.starts_at DESC LIMIT 1"
BY_ID = f"{WITH_TERMS} AND p.id = %s"


def live_subscription(*, tenant_id: UUID) -> Subscription:
    """Return the tenant's subscription with its plan; raise NoSubscription."""
    live = Subscription.objects.for_tenant(tenant_id).exclude(status=Subscription.Status.CANCELED)
    found = live.select_related("plan", "next_plan", "tenant").first()
    if found is None:
        raise NoSubscription("This tenant has no subscription.")
    return found


def latest_subscription(*, tenant_id: UUID) -> Subscription:
    """Return the tenant's subscription, the last one where all have ended, with its plans; raise NoSubscription."""
    subscriptions = Subscription.objects.for_tenant(tenant_id).select_related("plan", "next_plan")
    found = subscriptions.order_by("-started_at", "-id").first()
    if found is None:
        raise NoSubscription("This tenant has no subscription.")
    return found


def open_periods(*, tenant_id: UUID) -> list[BillingPeriod]:
    """Return the open periods, the earliest first, with all that bills them; one query."""
    return _periods(OPEN, [tenant_id])


def current_period(*, tenant_id: UUID, now: datetime) -> BillingPeriod:
    """Return the open period that holds `now`; else the latest open one, or after the subscription ended its last one.

    Raises NoSubscription where there never was one.
    """
    periods = open_periods(tenant_id=tenant_id) or _periods(LAST, [tenant_id])
    if not periods:
        raise NoSubscription("This tenant has no billing period.")
    return next((period for period in periods if period.starts_at <= now < period.ends_at), periods[-1])


def home_of(*, tenant_id: UUID, moment: datetime) -> BillingPeriod | None:
    """Return the period, open or closed, that a moment lies in."""
    return BillingPeriod.objects.for_tenant(tenant_id).filter(starts_at__lte=moment, ends_at__gt=moment).first()


def period_of(*, tenant_id: UUID, period_id: UUID) -> BillingPeriod:
    """Return a period with all that bills it: plan, subscription, its plans and its tenant; raise NotFound. One query."""
    found = _periods(BY_ID, [tenant_id, period_id])
    if not found:
        raise NotFound("There is no such billing period.")
    return found[0]


def _periods(query: str, values: list[UUID]) -> list[BillingPeriod]:
    return [_period(iter(row)) for row in prepared(query, values)]


def _period(values: Iterator[Any]) -> BillingPeriod:
    """Return a row's period with what it points to."""
    period, subscription = PERIOD.take(values), SUBSCRIPTION.take(values)
    own, agreed, following, tenant = PLAN.take(values), PLAN.take(values), PLAN.take(values), TENANT.take(values)
    assert period is not None  # inner joins: what is not `following` is there
    assert subscription is not None
    assert own is not None
    assert agreed is not None
    assert tenant is not None
    period.plan, period.subscription, period.tenant = own, subscription, tenant
    subscription.plan, subscription.next_plan, subscription.tenant = agreed, following, tenant
    return period


def tenants_due(*, now: datetime, ahead: timedelta) -> list[UUID]:
    """Return the tenants whose periods end within `ahead` or whose subscriptions have something due. Needs system access."""
    periods = BillingPeriod.unscoped.filter(state=BillingPeriod.State.OPEN, ends_at__lte=now + ahead)
    live = Subscription.unscoped.exclude(status=Subscription.Status.CANCELED)
    trials = live.filter(status=Subscription.Status.TRIALING, trial_ends_at__lte=now, ends_at__isnull=True)
    found = periods.values_list("tenant_id").union(
        live.filter(ends_at__lte=now).values_list("tenant_id"), trials.values_list("tenant_id")
    )
    return sorted(tenant_id for (tenant_id,) in found)


def periods_to_check() -> list[tuple[UUID, UUID]]:
    """Return (tenant, period) of what is closed and not checked, the earliest closed first. Needs system access."""
    closed = BillingPeriod.unscoped.filter(state=BillingPeriod.State.CLOSED, checked_at__isnull=True)
    return list(closed.order_by("closed_at", "id").values_list("tenant_id", "id"))
