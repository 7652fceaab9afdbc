"""What a period's invoice bills besides usage: the fee of the period after it, and changes of plan within it."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from common.periods import A_DAY
from usage.models import BillingPeriod, PricingPlan, Subscription, SubscriptionCharge
from usage.proration import Days, days_of_cycle


@dataclass(frozen=True)
class Fee:
    """A fee for some days; `amount` is rounded. `from_plan` names the plan before, when it is for a change."""

    plan: str
    monthly: Decimal
    days: Days
    amount: Decimal
    from_plan: str = ""


def fees_of(*, tenant_id: UUID, period: BillingPeriod) -> list[Fee]:
    """Return the fees on a period's invoice, changes first; four queries at most.

    The next period's fee is as that was opened, or as it would be opened now.
    """
    charges = SubscriptionCharge.objects.for_tenant(tenant_id).filter(billing_period=period)
    changes = [_change(charge) for charge in charges.select_related("plan", "from_plan").order_by("created_at", "id")]
    coming = _coming(period, period.subscription)
    return [*changes, coming] if coming and coming.amount else changes


def is_last(period: BillingPeriod, subscription: Subscription) -> bool:
    """Say whether the subscription ends with this period."""
    return subscription.ends_at is not None and subscription.ends_at <= period.ends_at


def plan_after(period: BillingPeriod, subscription: Subscription) -> PricingPlan:
    """Return the plan of the period that follows: the chosen one, for a trial only once it is over."""
    goes_on_trying = subscription.status == Subscription.Status.TRIALING and (
        subscription.trial_ends_at is None or subscription.trial_ends_at > period.ends_at
    )
    return subscription.plan if goes_on_trying else subscription.next_plan or subscription.plan


def _coming(period: BillingPeriod, subscription: Subscription) -> Fee | None:
    if is_last(period, subscription):
        return None
    cycle_day = subscription.tenant.billing_cycle_day
    following = BillingPeriod.objects.for_tenant(period.tenant_id).filter(
        subscription_id=period.subscription_id, starts_at__gte=period.ends_at
    )
    stored = following.select_related("plan").order_by("starts_at").first()
    if stored:
        days = days_of_cycle(stored.period_start, stored.period_end, cycle_day=cycle_day)
        return Fee(stored.plan.name, stored.plan.monthly_fee, days, stored.fee)
    plan = plan_after(period, subscription)
    days = days_of_cycle(period.period_end + A_DAY, cycle_day=cycle_day)
    return Fee(plan.name, plan.monthly_fee, days, days.share(plan.monthly_fee, plan.currency))


def _change(charge: SubscriptionCharge) -> Fee:
    days = Days(charge.service_start, charge.service_end, charge.cycle_days)
    monthly = charge.plan.monthly_fee - charge.from_plan.monthly_fee
    return Fee(charge.plan.name, monthly, days, charge.amount, charge.from_plan.name)
