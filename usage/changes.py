"""What choosing a plan means: when it holds, what it costs, which credit comes with it. Reads; changes nothing."""

from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from accounts.models import Tenant
from common.errors import Invalid
from common.periods import A_DAY, local_day
from usage.models import BillingPeriod, PricingPlan, Subscription, SubscriptionCharge
from usage.proration import Days, days_of_cycle

ZERO = Decimal(0)


class When(StrEnum):
    """When a change is wished for; of a trial, its end is its period's end."""

    NOW = "now"
    PERIOD_END = "period_end"


class Takes(StrEnum):
    """When a plan takes effect."""

    NOTHING = "nothing"  # it is the plan already: what was scheduled is taken back
    AT_ONCE = "at_once"
    TOMORROW = "tomorrow"
    NEXT_PERIOD = "next_period"


@dataclass(frozen=True)
class Change:
    """Choosing a plan. `charge` is for `days`, on the running period's invoice; `first_fee` for `first_days`, before them.

    `subscription` and `period` are the live ones; None where there is none and a new one begins.
    """

    tenant: Tenant
    subscription: Subscription | None
    period: BillingPeriod | None
    plan: PricingPlan
    takes: Takes
    effective_date: date
    first_days: Days
    first_fee: Decimal
    days: Days | None = None
    charge: Decimal = ZERO
    credit: Decimal = ZERO


def change_of(
    *,
    tenant: Tenant,
    subscription: Subscription | None,
    period: BillingPeriod | None,
    plan: PricingPlan,
    when: When | None,
    now: datetime,
) -> Change:
    """Return what choosing `plan` does; raise Invalid where it cannot begin then. Two queries at most.

    A subscription that was to end goes on, and its period is whole again: that is what the rest of it is charged by.
    """
    if subscription is None or period is None:
        return _begin(tenant, plan, when, now)
    if subscription.ends_at is not None:
        period = _resumed(tenant, period)
    if plan == subscription.plan:
        return _of(tenant, subscription, period, plan, Takes.NOTHING, _next_day(period))
    if plan.trial_days:
        raise Invalid("A trial is for new companies.", code="trial-used", pointer="/plan")
    if subscription.status == Subscription.Status.TRIALING:
        return _after_trial(tenant, subscription, period, plan, when, now)
    is_bigger = plan.monthly_fee > subscription.plan.monthly_fee
    if when is When.NOW and not is_bigger:
        message = "A smaller plan begins with the next period: this one is paid for."
        raise Invalid(message, code="not-now", pointer="/when")
    if when is When.PERIOD_END or not is_bigger:
        return _of(tenant, subscription, period, plan, Takes.NEXT_PERIOD, _next_day(period))
    if _is_before_fees(subscription, period):
        return _of(tenant, subscription, period, plan, Takes.TOMORROW, _tomorrow(period, now))
    return _upgrade(tenant, subscription, period, plan, now)


def _begin(tenant: Tenant, plan: PricingPlan, when: When | None, now: datetime) -> Change:
    if when is When.PERIOD_END:
        raise Invalid("There is no period to wait for.", code="no-period", pointer="/when")
    if plan.trial_days:
        raise Invalid("A trial is for new companies.", code="trial-used", pointer="/plan")
    today = local_day(now, tenant.timezone)
    takes, first = (Takes.TOMORROW, today + A_DAY) if plan.monthly_fee else (Takes.AT_ONCE, today)
    return _of(tenant, None, None, plan, takes, first)


def _after_trial(
    tenant: Tenant,
    subscription: Subscription,
    period: BillingPeriod,
    plan: PricingPlan,
    when: When | None,
    now: datetime,
) -> Change:
    """Return the change at the trial's end; tomorrow when that is wished, or the trial was canceled."""
    trial_ends_at = subscription.trial_ends_at
    if when is When.NOW or subscription.ends_at or trial_ends_at is None or trial_ends_at <= now:
        return _of(tenant, subscription, period, plan, Takes.TOMORROW, _tomorrow(period, now))
    first = local_day(trial_ends_at, tenant.timezone) + A_DAY
    return _of(tenant, subscription, period, plan, Takes.NEXT_PERIOD, first)


def _upgrade(
    tenant: Tenant, subscription: Subscription, period: BillingPeriod, plan: PricingPlan, now: datetime
) -> Change:
    today = min(max(period.day_of(now), period.period_start), period.period_end)
    days = days_of_cycle(today, period.period_end, cycle_day=tenant.billing_cycle_day)
    before, currency = subscription.plan, subscription.currency
    more_credit = ZERO if plan.is_credit_once else max(plan.included_credit - before.included_credit, ZERO)
    return _of(
        tenant,
        subscription,
        period,
        plan,
        Takes.AT_ONCE,
        today,
        days=days,
        charge=days.share(plan.monthly_fee - before.monthly_fee, currency),
        credit=days.share(more_credit, currency),
    )


def _of(
    tenant: Tenant,
    subscription: Subscription | None,
    period: BillingPeriod | None,
    plan: PricingPlan,
    takes: Takes,
    effective_date: date,
    *,
    days: Days | None = None,
    charge: Decimal = ZERO,
    credit: Decimal = ZERO,
) -> Change:
    first = _next_day(period) if period and takes is Takes.AT_ONCE else effective_date
    first_days = days_of_cycle(first, cycle_day=tenant.billing_cycle_day)
    first_fee = first_days.share(plan.monthly_fee, plan.currency)
    return Change(
        tenant, subscription, period, plan, takes, effective_date, first_days, first_fee, days, charge, credit
    )


def _is_before_fees(subscription: Subscription, period: BillingPeriod) -> bool:
    """Say whether the plan's first fee is still to come: a trial's last day, or the day a paid plan was chosen."""
    return bool(subscription.plan.monthly_fee) and not is_paid_for(period)


def is_paid_for(period: BillingPeriod) -> bool:
    """Say whether a fee was billed for days of a period: its own in advance, or a change of plan; one query at most."""
    charges = SubscriptionCharge.objects.for_tenant(period.tenant_id).filter(billing_period=period)
    return bool(period.fee) or charges.exists()


def whole_end(period: BillingPeriod, *, cycle_day: int) -> date:
    """Return the last day of a period that was cut short, had it not been."""
    return max(period.period_end, days_of_cycle(period.period_start, cycle_day=cycle_day).last)


def _resumed(tenant: Tenant, period: BillingPeriod) -> BillingPeriod:
    """Return the period as it is once its subscription goes on; what is stored stays as it is."""
    if not is_paid_for(period):
        return period
    whole = copy(period)
    whole.period_end = whole_end(period, cycle_day=tenant.billing_cycle_day)
    return whole


def _next_day(period: BillingPeriod) -> date:
    return period.period_end + A_DAY


def _tomorrow(period: BillingPeriod, now: datetime) -> date:
    return min(max(period.day_of(now), period.period_start), period.period_end) + A_DAY
