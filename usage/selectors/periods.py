"""Which subscription and which billing periods a tenant has."""

from datetime import datetime, timedelta
from uuid import UUID

from common.errors import NotFound
from usage.errors import NoSubscription
from usage.models import BillingPeriod, Subscription


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
    """Return the open periods, the earliest first, with subscription; one query."""
    periods = BillingPeriod.objects.for_tenant(tenant_id).filter(state=BillingPeriod.State.OPEN)
    return list(periods.select_related("plan", "subscription__plan").order_by("starts_at"))


def current_period(*, tenant_id: UUID, now: datetime) -> BillingPeriod:
    """Return the open period that holds `now`; else the latest open one, or after the subscription ended its last one.

    Raises NoSubscription where there never was one.
    """
    periods = open_periods(tenant_id=tenant_id)
    if not periods:
        return _last_period(tenant_id)
    return next((period for period in periods if period.starts_at <= now < period.ends_at), periods[-1])


def _last_period(tenant_id: UUID) -> BillingPeriod:
    periods = BillingPeriod.objects.for_tenant(tenant_id).select_related("plan", "subscription__plan")
    last = periods.order_by("-starts_at").first()
    if last is None:
        raise NoSubscription("This tenant has no billing period.")
    return last


def home_of(*, tenant_id: UUID, moment: datetime) -> BillingPeriod | None:
    """Return the period, open or closed, that a moment lies in."""
    return BillingPeriod.objects.for_tenant(tenant_id).filter(starts_at__lte=moment, ends_at__gt=moment).first()


def period_of(*, tenant_id: UUID, period_id: UUID) -> BillingPeriod:
    """Return a period with subscription and plan; raise NotFound."""
    periods = BillingPeriod.objects.for_tenant(tenant_id).select_related("plan", "subscription__plan")
    found = periods.filter(pk=period_id).first()
    if found is None:
        raise NotFound("There is no such billing period.")
    return found


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
