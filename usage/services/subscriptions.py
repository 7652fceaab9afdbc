"""Begin a subscription: the plan, its first period, its credit, and its limits as data for the rooms below."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from accounts.models import Tenant
from common.errors import Conflict, Invalid
from usage.models import Meter, PricingPlan, PricingRate, Subscription
from usage.services.credits import grant_trial_credit
from usage.services.periods import open_first_period


def start_subscription(*, tenant: Tenant, plan_slug: str, now: datetime) -> Subscription:
    """Subscribe a tenant that has no subscription; everything or nothing is stored.

    Raises Invalid for an unknown plan, another currency or a meter without a price, Conflict when there is one already.
    """
    plan = _plan(plan_slug)
    _check_prices(plan, tenant.currency)
    subscription = _store(tenant, plan, now)
    grant_trial_credit(open_first_period(tenant=tenant, subscription=subscription, now=now))
    tenant.plan = plan.slug
    tenant.limits = {feature.slug: feature.value for feature in plan.features.all()}
    tenant.save(update_fields=["plan", "limits"])
    return subscription


def _plan(slug: str) -> PricingPlan:
    plan = PricingPlan.objects.filter(slug=slug, is_offered=True).first()
    if plan is None:
        raise Invalid(f"There is no plan {slug[:40]!r}.", code="unknown-plan", pointer="/plan")
    return plan


def _check_prices(plan: PricingPlan, currency: str) -> None:
    """Refuse a plan whose fee is in another currency or that leaves a meter without any price."""
    if plan.currency != currency:
        message = f"The plan {plan.slug} is priced in {plan.currency}, not in {currency}."
        raise Invalid(message, code="other-currency", pointer="/currency")
    rates = PricingRate.objects.filter(plan=plan, currency=currency).values_list("channel", "resource_type")
    meters = Meter.objects.values_list("channel", "resource_type")
    if unpriced := sorted(set(meters) - set(rates)):
        names = ", ".join("/".join(meter) for meter in unpriced)
        raise Invalid(
            f"The plan {plan.slug} has no price for {names}; 0 would be one.", code="no-rate", pointer="/plan"
        )


def _store(tenant: Tenant, plan: PricingPlan, now: datetime) -> Subscription:
    trial_ends_at = now + timedelta(days=plan.trial_days) if plan.trial_days else None
    try:
        with transaction.atomic():
            return Subscription.objects.create(
                tenant=tenant,
                plan=plan,
                status=Subscription.Status.TRIALING if trial_ends_at else Subscription.Status.ACTIVE,
                currency=plan.currency,
                started_at=now,
                trial_ends_at=trial_ends_at,
            )
    except IntegrityError as error:
        raise Conflict("The tenant has a subscription already.", code="subscribed") from error
