"""Begin a subscription, change its plan, cancel it, and move it on when its time comes."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.models import Tenant
from common.errors import Conflict, Invalid
from usage.changes import Change, Takes, When, change_of, is_paid_for
from usage.models import BillingPeriod, Meter, PricingPlan, PricingRate, Subscription, SubscriptionCharge
from usage.selectors.periods import live_subscription
from usage.services.auditing import Actor, audit
from usage.services.credits import grant_included_credit, grant_trial_credit
from usage.services.entitling import copy_limits
from usage.services.periods import (
    drop_period_ahead,
    end_period_today,
    hold_periods_alone,
    open_first_period,
    prolong_period,
    running_period,
    set_terms,
)

STATES = BillingPeriod.State


def start_subscription(*, tenant: Tenant, plan_slug: str, now: datetime) -> Subscription:
    """Subscribe a tenant that has no subscription; everything or nothing is stored.

    Raises Invalid for an unknown plan, another currency or a meter without a price, Conflict when there is one already.
    """
    plan = offered_plan(plan_slug, currency=tenant.currency)
    subscription = _store(tenant, plan, now)
    grant_trial_credit(open_first_period(tenant=tenant, subscription=subscription, now=now))
    _copy_plan(subscription, now)
    return subscription


def preview_change(*, tenant_id: UUID, plan_slug: str, when: When | None, now: datetime) -> Change:
    """Return what choosing a plan would do and cost; nothing is changed. Raises as `change_plan` does."""
    tenant = Tenant.objects.get(pk=tenant_id)
    plan = offered_plan(plan_slug, currency=tenant.currency)
    subscription = _live(tenant_id, now)
    period = running_period(tenant_id=tenant_id, now=now) if subscription else None
    return change_of(tenant=tenant, subscription=subscription, period=period, plan=plan, when=when, now=now)


def change_plan(
    *, tenant_id: UUID, plan_slug: str, when: When | None = None, now: datetime, actor: Actor | None = None
) -> Change:
    """Choose a plan: go on with another one, keep the one there is, or begin anew. A repeat changes nothing more.

    A bigger plan holds at once: the rest of the period is charged by days, limits rise, usage keeps its prices until the
    period ends. A smaller one holds from the next period. During the trial the plan begins when the trial ends, or
    tomorrow if `when` is now. Raises Invalid for a plan that is not on offer or cannot begin then, PeriodBusy.
    """
    with transaction.atomic():
        hold_periods_alone(tenant_id=tenant_id)
        change = preview_change(tenant_id=tenant_id, plan_slug=plan_slug, when=when, now=now)
        subscription = change.subscription
        if subscription is None:
            _end_those_over(tenant_id, now)
            subscription = start_subscription(tenant=change.tenant, plan_slug=plan_slug, now=now)
        else:
            _apply(change, subscription, now)
        if actor:
            changes = {"plan": plan_slug, "from": change.effective_date.isoformat(), "charge": str(change.charge)}
            audit(
                tenant_id=tenant_id,
                action="subscription.change",
                object_id=subscription.pk,
                changes=changes,
                actor=actor,
            )
    return change


def cancel_subscription(
    *, tenant_id: UUID, when: When = When.PERIOD_END, now: datetime, actor: Actor | None = None
) -> Subscription:
    """Let the subscription end: with its period, or with today in the tenant's zone. A repeat changes nothing.

    The last invoice bills usage and no further fee; a fee that was paid is not given back. A trial ends by itself: its end
    is its period's end. Raises NoSubscription, PeriodBusy.
    """
    with transaction.atomic():
        hold_periods_alone(tenant_id=tenant_id)
        subscription = live_subscription(tenant_id=tenant_id)
        if when is When.NOW:
            _end_with(subscription, end_period_today(tenant_id=tenant_id, now=now), now)
        elif subscription.status == Subscription.Status.TRIALING:
            _choose(subscription, None)
        elif subscription.ends_at is None:
            _end_with(subscription, running_period(tenant_id=tenant_id, now=now), now)
        if actor:
            audit(
                tenant_id=tenant_id,
                action="subscription.cancel",
                object_id=subscription.pk,
                changes={"when": when.value},
                actor=actor,
            )
    return subscription


def advance_subscription(*, tenant_id: UUID, now: datetime) -> None:
    """Do what is due: end a trial, let the chosen plan take over, end what was canceled. A repeat changes nothing.

    Raises PeriodBusy.
    """
    subscription = Subscription.objects.for_tenant(tenant_id).exclude(status=Subscription.Status.CANCELED).first()
    if subscription is None or not _is_due(subscription, now):
        return
    with transaction.atomic():
        hold_periods_alone(tenant_id=tenant_id)
        subscription = live_subscription(tenant_id=tenant_id)
        if subscription.ends_at is not None:
            if subscription.ends_at <= now:
                _end(subscription, now)
        elif subscription.status == Subscription.Status.TRIALING:
            _end_trial(subscription, now)
        elif subscription.next_plan == running_period(tenant_id=tenant_id, now=now).plan:
            _take_over(subscription, now)


def offered_plan(slug: str, *, currency: str) -> PricingPlan:
    """Return a plan on offer that prices every meter in a currency; raise Invalid."""
    plan = PricingPlan.objects.filter(slug=slug, is_offered=True).first()
    if plan is None:
        raise Invalid(f"There is no plan {slug[:40]!r}.", code="unknown-plan", pointer="/plan")
    _check_prices(plan, currency)
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


def _live(tenant_id: UUID, now: datetime) -> Subscription | None:
    """Return the subscription that goes on; one whose end has come is ended first."""
    live = Subscription.objects.for_tenant(tenant_id).exclude(status=Subscription.Status.CANCELED)
    subscription = live.select_related("plan", "next_plan", "tenant").first()
    if subscription and subscription.ends_at and subscription.ends_at <= now:
        return None
    return subscription


def _is_due(subscription: Subscription, now: datetime) -> bool:
    if subscription.ends_at is not None:
        return subscription.ends_at <= now
    if subscription.status == Subscription.Status.TRIALING:
        return subscription.trial_ends_at is not None and subscription.trial_ends_at <= now
    return subscription.next_plan_id is not None


def _apply(change: Change, subscription: Subscription, now: datetime) -> None:
    assert change.period is not None
    _resume(subscription, change.period, now)
    match change.takes:
        case Takes.AT_ONCE:
            _charge(change, subscription, now)
            _move_to(subscription, change.plan, change.period, now)
        case Takes.TOMORROW:
            period = end_period_today(tenant_id=subscription.tenant_id, now=now)
            subscription.status = Subscription.Status.ACTIVE
            _move_to(subscription, change.plan, period, now)
        case Takes.NEXT_PERIOD:
            _choose(subscription, change.plan)
            if subscription.status == Subscription.Status.ACTIVE:
                _set_following(change.period, change.plan, now)
        case Takes.NOTHING:
            _choose(subscription, None)
            _set_following(change.period, subscription.plan, now)


def _charge(change: Change, subscription: Subscription, now: datetime) -> None:
    """Put the rest of the period's fee on its invoice, and grant the rest of its credit."""
    period, days = change.period, change.days
    assert period is not None
    assert days is not None
    charge = SubscriptionCharge(
        tenant_id=subscription.tenant_id,
        subscription=subscription,
        billing_period=period,
        from_plan=subscription.plan,
        plan=change.plan,
        service_start=days.first,
        service_end=days.last,
        cycle_days=days.cycle,
        amount=change.charge,
        created_at=now,
    )
    SubscriptionCharge.objects.bulk_create([charge], ignore_conflicts=True)
    period.included_credit += change.credit
    period.save(update_fields=["included_credit"])
    grant_included_credit(period)


def _move_to(subscription: Subscription, plan: PricingPlan, period: BillingPeriod, now: datetime) -> None:
    """Let a plan hold from now on; the running period keeps its prices, one that is stored already has not begun."""
    subscription.plan, subscription.next_plan = plan, None
    subscription.save(update_fields=["plan", "next_plan", "status", "ends_at"])
    _set_following(period, plan, now)
    _copy_plan(subscription, now)


def _choose(subscription: Subscription, plan: PricingPlan | None) -> None:
    subscription.next_plan = plan
    subscription.save(update_fields=["next_plan", "ends_at"])


def _take_over(subscription: Subscription, now: datetime) -> None:
    assert subscription.next_plan is not None
    subscription.plan, subscription.next_plan = subscription.next_plan, None
    subscription.save(update_fields=["plan", "next_plan"])
    _copy_plan(subscription, now)


def _end_trial(subscription: Subscription, now: datetime) -> None:
    """Let the chosen plan begin tomorrow; without one, usage ends with today."""
    period = end_period_today(tenant_id=subscription.tenant_id, now=now)
    if subscription.next_plan is None:
        _end_with(subscription, period, now)
    else:
        subscription.status = Subscription.Status.ACTIVE
        _move_to(subscription, subscription.next_plan, period, now)


def _end_with(subscription: Subscription, period: BillingPeriod, now: datetime) -> None:
    """Let a period be the last. The next, if it is stored already, goes; where usage came ahead of it, it is closed."""
    subscription.next_plan, subscription.ends_at = None, period.ends_at
    subscription.save(update_fields=["next_plan", "ends_at"])
    for following in _following(period).filter(state=STATES.OPEN):
        if not drop_period_ahead(following, now=now):
            _following(period).filter(pk=following.pk).update(state=STATES.CLOSED, closed_at=now)


def _resume(subscription: Subscription, period: BillingPeriod, now: datetime) -> None:
    """Take a cancellation back: the period is as long as it was, a next one that has usage takes more of it."""
    if subscription.ends_at is None:
        return
    subscription.ends_at = None
    subscription.save(update_fields=["ends_at"])
    following = _following(period).filter(state=STATES.CLOSED, starts_at__gt=now)
    if not following.update(state=STATES.OPEN, closed_at=None, checked_at=None) and is_paid_for(period):
        prolong_period(period)


def _end_those_over(tenant_id: UUID, now: datetime) -> None:
    over = Subscription.objects.for_tenant(tenant_id).filter(ends_at__lte=now)
    for subscription in over.exclude(status=Subscription.Status.CANCELED):
        _end(subscription, now)


def _end(subscription: Subscription, now: datetime) -> None:
    subscription.status, subscription.canceled_at = Subscription.Status.CANCELED, now
    subscription.save(update_fields=["status", "canceled_at"])


def _set_following(period: BillingPeriod, plan: PricingPlan, now: datetime) -> None:
    cycle_day = Tenant.objects.values_list("billing_cycle_day", flat=True).get(pk=period.tenant_id)
    for following in _following(period).filter(state=STATES.OPEN).exclude(plan=plan):
        set_terms(following, plan, cycle_day=cycle_day, now=now)


def _following(period: BillingPeriod) -> QuerySet[BillingPeriod]:
    periods = BillingPeriod.objects.for_tenant(period.tenant_id).select_related("plan")
    return periods.filter(subscription_id=period.subscription_id, starts_at__gte=period.ends_at)


def _copy_plan(subscription: Subscription, now: datetime) -> None:
    """Tell the rooms below, as data, which plan holds and what it allows."""
    tenant = subscription.tenant
    tenant.plan, tenant.trial_ends_at = subscription.plan.slug, subscription.trial_ends_at
    if subscription.status == Subscription.Status.ACTIVE and tenant.status == Tenant.Status.TRIAL:
        tenant.status = Tenant.Status.ACTIVE
    tenant.save(update_fields=["plan", "trial_ends_at", "status"])
    copy_limits(tenant_id=tenant.pk, now=now)
    tenant.refresh_from_db(fields=["limits"])
