"""From one billing period to the next.

Every transaction that records usage shares its tenant's lock and reads which periods are open; closing takes the lock
alone, only to flip the state. So no record is ever written to a period that closed before it.
"""

import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from psycopg.errors import LockNotAvailable

from accounts.models import Tenant
from common.errors import Invalid
from common.periods import A_DAY, day_start, local_day, period_containing
from usage.changes import whole_end
from usage.errors import NoSubscription, PeriodBusy
from usage.models import BillingPeriod, PricingPlan, Subscription, UsageSummary, UsageSummaryDelta
from usage.proration import days_of_cycle
from usage.selectors.fees import is_last, plan_after
from usage.services.credits import grant_included_credit, withdraw_included_credit
from usage.services.locking import lock_key, share_periods

GRACE = timedelta(hours=1)  # a call that ended just before midnight is recorded just after
LAST_GRACE = timedelta(days=1)  # no period follows the last one: what comes late has nowhere else to go
AHEAD = timedelta(days=1)
FARTHEST = timedelta(days=400)
CLOSE_WAITS_SECONDS = 2.0
# Whoever records while the lock is waited for, waits too: so it is asked for in short turns, with as long between them.
TURN_SECONDS = 0.1
ZERO = Decimal(0)


def hold_periods_alone(*, tenant_id: UUID) -> None:
    """Hold the tenant's periods against everybody who records usage, until the transaction ends.

    Waits at most 2 s for those who are recording, then raises PeriodBusy: try again.
    """
    give_up_at = time.monotonic() + CLOSE_WAITS_SECONDS
    while not _take_alone(tenant_id):
        if time.monotonic() >= give_up_at:
            raise PeriodBusy(f"Usage is being recorded; no turn came within {CLOSE_WAITS_SECONDS:g} s. Try again.")
        time.sleep(TURN_SECONDS)


def open_first_period(*, tenant: Tenant, subscription: Subscription, now: datetime) -> BillingPeriod:
    """Store the period a subscription begins with: from today, in the tenant's zone, to the end of its cycle.

    A plan with a fee begins tomorrow, for the invoice of a period bills the next one's fee: today is a period of its own,
    without a fee. A subscription that ended later today is followed without a gap.
    """
    today = local_day(now, tenant.timezone)
    before = BillingPeriod.objects.for_tenant(tenant).order_by("-ends_at").first()
    starts_at = day_start(today, tenant.timezone)
    is_paid = subscription.status == Subscription.Status.ACTIVE and bool(subscription.plan.monthly_fee)
    return _store(
        tenant=tenant,
        subscription=subscription,
        plan=subscription.plan,
        first=today,
        last=today if is_paid else period_containing(today, tenant.billing_cycle_day)[1],
        starts_at=max(starts_at, before.ends_at) if before else starts_at,
        is_free=True,
    )


def open_next_period(*, after: BillingPeriod, until: datetime) -> BillingPeriod:
    """Store the period that follows `after`, in the zone and cycle the tenant has now; a repeat returns the stored one.

    `until` is the moment it is needed for; one more than 400 days ahead is refused. Raises NoSubscription when the
    subscription ends with `after`. The caller shares the tenant's periods, or holds them alone.
    """
    if until - after.ends_at > FARTHEST:
        raise Invalid(f"{until.isoformat()} is too far ahead.", code="too-far-ahead", pointer="/occurred_at")
    subscriptions = Subscription.objects.for_tenant(after.tenant_id).select_related("plan", "next_plan", "tenant")
    subscription = subscriptions.get(pk=after.subscription_id)
    if is_last(after, subscription):
        raise NoSubscription("The subscription has ended; choose a plan to go on.")
    first = after.period_end + A_DAY
    return _store(
        tenant=subscription.tenant,
        subscription=subscription,
        plan=plan_after(after, subscription),
        first=first,
        last=period_containing(first, subscription.tenant.billing_cycle_day)[1],
        starts_at=after.ends_at,
    )


def end_period_today(*, tenant_id: UUID, now: datetime) -> BillingPeriod:
    """Let the running period end with today, in its zone, and return it; where the next is stored already, as it was to.

    The caller holds the periods alone. Raises NoSubscription when no period is open.
    """
    period = running_period(tenant_id=tenant_id, now=now)
    today = max(period.day_of(now), period.period_start)
    has_next = BillingPeriod.objects.for_tenant(tenant_id).filter(starts_at__gte=period.ends_at).exists()
    if today < period.period_end and not has_next:
        period.period_end = today
        period.ends_at = day_start(today + A_DAY, period.timezone)
        period.save(update_fields=["period_end", "ends_at"])
    return period


def prolong_period(period: BillingPeriod) -> None:
    """Let a period that was cut short run to the end of its cycle again; the caller holds the periods alone."""
    tenant = Tenant.objects.get(pk=period.tenant_id)
    period.period_end = whole_end(period, cycle_day=tenant.billing_cycle_day)
    period.ends_at = day_start(period.period_end + A_DAY, period.timezone)
    period.save(update_fields=["period_end", "ends_at"])


def running_period(*, tenant_id: UUID, now: datetime) -> BillingPeriod:
    """Return the open period that holds `now`, else the last open one; raise NoSubscription."""
    open_ones = BillingPeriod.objects.for_tenant(tenant_id).filter(state=BillingPeriod.State.OPEN, starts_at__lte=now)
    period = open_ones.select_related("plan", "subscription__plan").order_by("-starts_at").first()
    if period is None:
        raise NoSubscription("This tenant has no open billing period.")
    return period


def set_terms(period: BillingPeriod, plan: PricingPlan, *, cycle_day: int, now: datetime) -> None:
    """Let a period that has not begun be of another plan, with the credit that plan includes: no more and no less."""
    days = days_of_cycle(period.period_start, period.period_end, cycle_day=cycle_day)
    period.plan, period.fee = plan, days.share(plan.monthly_fee, plan.currency)
    period.included_credit = _included(plan, days.share(plan.included_credit, plan.currency))
    period.save(update_fields=["plan", "fee", "included_credit"])
    grant_included_credit(period)
    withdraw_included_credit(period, keep=period.included_credit, now=now)


def drop_period_ahead(period: BillingPeriod, *, now: datetime) -> bool:
    """Delete a period that was opened ahead and will not begin, with its credit; False when usage is in it already.

    The caller holds the periods alone.
    """
    of_it = {"tenant_id": period.tenant_id, "billing_period_id": period.pk}
    if UsageSummaryDelta.unscoped.filter(**of_it).exists() or UsageSummary.unscoped.filter(**of_it).exists():
        return False
    withdraw_included_credit(period, keep=ZERO, now=now)
    period.delete()
    return True


def close_period(*, tenant_id: UUID, period_id: UUID, now: datetime) -> bool:
    """Close an open period; False when it was closed already. Usage of its days that comes later is billed in the next.

    Waits at most 2 s for transactions that are recording, then raises PeriodBusy: try again. What it was closed with is
    checked afterwards, without the lock (usage.services.closing).
    """
    with transaction.atomic():
        hold_periods_alone(tenant_id=tenant_id)
        if _close_before_the_next(tenant_id, period_id, now):
            return True
        period = BillingPeriod.objects.for_tenant(tenant_id).select_related("subscription").get(pk=period_id)
        if not is_last(period, period.subscription):
            open_next_period(after=period, until=period.ends_at)
        is_open = BillingPeriod.objects.for_tenant(tenant_id).filter(pk=period_id, state=BillingPeriod.State.OPEN)
        return is_open.update(state=BillingPeriod.State.CLOSED, closed_at=now) == 1


def roll_periods(*, tenant_id: UUID, now: datetime) -> int:
    """Close what ended an hour ago and have the next period ready a day ahead; return how many were closed."""
    periods = list(
        BillingPeriod.objects.for_tenant(tenant_id)
        .filter(state=BillingPeriod.State.OPEN, ends_at__lte=now + AHEAD)
        .select_related("subscription")
        .order_by("starts_at")
    )
    # Closing comes first: to wait for the lock with a fresh period uncommitted could wait for one who waits for that row.
    ended = [period for period in periods if _closes_at(period) <= now]
    closed = sum(close_period(tenant_id=tenant_id, period_id=period.pk, now=now) for period in ended)
    share_periods(tenant_id=tenant_id)
    for period in periods:
        if not is_last(period, period.subscription):
            open_next_period(after=period, until=period.ends_at)
    return closed


def _close_before_the_next(tenant_id: UUID, period_id: UUID, now: datetime) -> bool:
    """Close a period whose next one is there already, as it is a day ahead: one statement, for everybody waits meanwhile."""
    periods = BillingPeriod.objects.for_tenant(tenant_id)
    following = periods.filter(subscription_id=OuterRef("subscription_id"), starts_at=OuterRef("ends_at"))
    is_open = periods.filter(Exists(following), pk=period_id, state=BillingPeriod.State.OPEN)
    return is_open.update(state=BillingPeriod.State.CLOSED, closed_at=now) == 1


def _closes_at(period: BillingPeriod) -> datetime:
    return period.ends_at + (LAST_GRACE if is_last(period, period.subscription) else GRACE)


def _store(
    *,
    tenant: Tenant,
    subscription: Subscription,
    plan: PricingPlan,
    first: date,
    last: date,
    starts_at: datetime,
    is_free: bool = False,
) -> BillingPeriod:
    """Store a period with its terms and grant its credit; where one starts then already, return that."""
    days = days_of_cycle(first, last, cycle_day=tenant.billing_cycle_day)
    included = ZERO if is_free and plan.monthly_fee else days.share(plan.included_credit, plan.currency)
    period = BillingPeriod(
        tenant_id=tenant.pk,
        subscription=subscription,
        plan=plan,
        period_start=first,
        period_end=last,
        starts_at=starts_at,
        ends_at=day_start(last + A_DAY, tenant.timezone),
        timezone=tenant.timezone,
        fee=ZERO if is_free else days.share(plan.monthly_fee, plan.currency),
        included_credit=_included(plan, included),
    )
    BillingPeriod.objects.bulk_create([period], ignore_conflicts=True)
    stored = BillingPeriod.objects.for_tenant(tenant).select_related("plan", "subscription__plan")
    period = stored.get(starts_at=starts_at)
    grant_included_credit(period)
    return period


def _included(plan: PricingPlan, amount: Decimal) -> Decimal:
    return ZERO if plan.is_credit_once else amount


def _take_alone(tenant_id: UUID) -> bool:
    """Ask for the lock for a moment; a turn that did not come leaves the transaction as it was."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{TURN_SECONDS * 1000:.0f}ms"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(tenant_id)])
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise
    return True
