"""The subscription: which plan holds, what another one would cost, choosing and canceling it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import MemberRequest, member_page
from common.errors import DomainError, NotFound
from irisx.portal.actors import actor_of
from usage import selectors, services
from usage.changes import Change, Takes, When
from usage.models import Meter, PricingPlan, Subscription

OTHERWISE = {Takes.AT_ONCE: When.PERIOD_END, Takes.TOMORROW: When.PERIOD_END, Takes.NEXT_PERIOD: When.NOW}


@dataclass(frozen=True)
class Offer:
    """A plan on offer with what it costs per unit and allows, in words."""

    plan: PricingPlan
    prices: tuple[tuple[Meter, Any], ...]
    features: tuple[tuple[str, str], ...]
    is_current: bool
    is_next: bool


@require_safe
@member_page("billing.read")
def subscription(request: MemberRequest) -> HttpResponse:
    """Show the subscription and the plans on offer; with `?plan=`, what choosing that one would do."""
    tenant_id, now = request.tenant.pk, timezone.now()
    found = selectors.latest_subscription(tenant_id=tenant_id)
    may_manage = request.principal.may("billing.manage")
    change, refusal = _preview(request) if may_manage and request.GET.get("plan") else (None, "")
    context = {
        "subscription": found,
        "period": selectors.current_period(tenant_id=tenant_id, now=now),
        "offers": _offers(found),
        "may_manage": may_manage,
        "change": change,
        "refusal": refusal,
        "when": request.GET.get("when", ""),
        "otherwise": _otherwise(request, change),
        "is_ending": found.ends_at is not None or found.status == Subscription.Status.CANCELED,
    }
    return render(request, "portal/subscription.html", context)


@require_POST
@member_page("billing.manage")
def change(request: MemberRequest) -> HttpResponseBase:
    """Choose a plan."""
    try:
        chosen = services.change_plan(
            tenant_id=request.tenant.pk,
            plan_slug=request.POST.get("plan", ""),
            when=_when(request.POST.get("when")),
            now=timezone.now(),
            actor=actor_of(request),
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _said(chosen))
    return redirect("portal-subscription")


@require_POST
@member_page("billing.manage")
def cancel(request: MemberRequest) -> HttpResponseBase:
    """Let the subscription end, with its period or with today."""
    when = _when(request.POST.get("when")) or When.PERIOD_END
    try:
        services.cancel_subscription(
            tenant_id=request.tenant.pk, when=when, now=timezone.now(), actor=actor_of(request)
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The subscription is canceled. Choose its plan again to take that back.")
    return redirect("portal-subscription")


def _preview(request: MemberRequest) -> tuple[Change | None, str]:
    """Return what choosing the asked plan does, or why it cannot be."""
    when = _when(request.GET.get("when"))
    try:
        found = services.preview_change(
            tenant_id=request.tenant.pk, plan_slug=request.GET["plan"], when=when, now=timezone.now()
        )
    except DomainError as error:
        return None, error.message
    return found, ""


def _otherwise(request: MemberRequest, change: Change | None) -> str:
    """Return the other moment at which the plan could begin too; "" where there is none."""
    if change is None or change.subscription is None or change.takes not in OTHERWISE:
        return ""
    other = OTHERWISE[change.takes]
    try:
        found = services.preview_change(
            tenant_id=request.tenant.pk, plan_slug=change.plan.slug, when=other, now=timezone.now()
        )
    except DomainError:
        return ""
    return other.value if found.effective_date != change.effective_date else ""


def _offers(subscription: Subscription) -> list[Offer]:
    meters = selectors.meters_by_key()
    is_live = subscription.status != Subscription.Status.CANCELED
    return [
        Offer(
            plan=plan,
            prices=_prices(plan, meters),
            features=tuple((_words(feature.slug), _value(feature.value)) for feature in plan.features.all()),
            is_current=is_live and plan.pk == subscription.plan_id,
            is_next=is_live and plan.pk == subscription.next_plan_id,
        )
        for plan in selectors.offered_plans()
        if not plan.trial_days or plan.pk == subscription.plan_id
    ]


def _prices(plan: PricingPlan, meters: dict[tuple[str, str], Meter]) -> tuple[tuple[Meter, Any], ...]:
    """Return the highest price of each meter that costs something, in the catalogue's order."""
    found: dict[tuple[str, str], Any] = {}
    for rate in plan.rates.all():
        if rate.unit_price and not rate.destination_prefix:
            key = rate.channel, rate.resource_type
            found[key] = max(found.get(key, rate.unit_price), rate.unit_price)
        elif rate.unit_price:
            found.setdefault((rate.channel, rate.resource_type), rate.unit_price)
    ordered = sorted(found, key=lambda key: meters[key].position)
    return tuple((meters[key], found[key]) for key in ordered)


def _words(slug: str) -> str:
    return slug.replace("_", " ").replace("api", "API").capitalize() if "api" not in slug else "API requests a minute"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unlimited" if value is None else f"{value:,}"


def _when(text: str | None) -> When | None:
    """Return when a change is wished for; raise NotFound for a word that means nothing."""
    if not text:
        return None
    if text not in list(When):
        raise NotFound("A change takes effect now or at the period's end.")
    return When(text)


def _said(chosen: Change) -> str:
    if chosen.takes is Takes.NOTHING:
        return f"{chosen.plan.name} stays your plan."
    if chosen.takes is Takes.AT_ONCE:
        return f"{chosen.plan.name} is your plan now."
    return f"{chosen.plan.name} is your plan from {chosen.effective_date:%-d %B %Y}."
