"""The subscription over HTTP: what it is, what a change would cost, changing and canceling it, what today would be billed."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from billing import services
from billing import subscription_schemas as schemas
from billing.lines import LineValues
from billing.services import Estimate
from common.clients import address_of
from common.money import plain, round_money
from common.timestamps import rfc3339
from usage import selectors as usage
from usage.changes import Change, When
from usage.models import BillingPeriod, Subscription
from usage.services import Actor, cancel_subscription, change_plan, preview_change


class SubscriptionViewSet(TenantViewSet):
    permissions = {
        "show": "billing.read",
        "estimate": "billing.read",
        "preview": "billing.manage",
        "change": "billing.manage",
        "cancel": "billing.manage",
    }

    @extend_schema(
        summary="The subscription and its period", responses={200: schemas.SubscriptionAnswer}, tags=["billing"]
    )
    def show(self, request: Request) -> Response:
        return self._subscription()

    @extend_schema(
        summary="What choosing a plan would do and cost",
        description="Changes nothing.",
        request=schemas.ChangeBody,
        responses={200: schemas.ChangeAnswer},
        examples=[
            OpenApiExample("Starter, at the period's end", {"plan": "starter", "when": "period_end"}, request_only=True)
        ],
        tags=["billing"],
    )
    def preview(self, request: Request) -> Response:
        tenant_id, body = self.principal.tenant_id, self.read(schemas.ChangeBody)
        change = preview_change(tenant_id=tenant_id, plan_slug=body["plan"], when=_when(body), now=self.now)
        return Response(present_change(change))

    @extend_schema(
        summary="Choose a plan",
        description="A bigger plan holds at once, the rest of the period is charged by days; a smaller one holds from the next "
        "period. During the trial it begins when that ends, or tomorrow with `when` now. Choosing the plan there is takes a "
        "scheduled change or cancellation back. A repeat changes nothing.",
        request=schemas.ChangeBody,
        responses={200: schemas.ChangeAnswer},
        examples=[OpenApiExample("Starter", {"plan": "starter"}, request_only=True)],
        tags=["billing"],
    )
    def change(self, request: Request) -> Response:
        tenant_id, body = self.principal.tenant_id, self.read(schemas.ChangeBody)

        def choose() -> Response:
            change = change_plan(
                tenant_id=tenant_id, plan_slug=body["plan"], when=_when(body), now=self.now, actor=self._actor()
            )
            return Response(present_change(change))

        return self.once(choose)

    @extend_schema(
        summary="Cancel the subscription",
        description="With the period, or with `when` now at the end of today. The last invoice bills usage and no further fee.",
        request=schemas.CancelBody,
        responses={200: schemas.SubscriptionAnswer},
        examples=[OpenApiExample("With the period", {"when": "period_end"}, request_only=True)],
        tags=["billing"],
    )
    def cancel(self, request: Request) -> Response:
        when = _when(self.read(schemas.CancelBody)) or When.PERIOD_END

        def end() -> Response:
            cancel_subscription(tenant_id=self.principal.tenant_id, when=when, now=self.now, actor=self._actor())
            return self._subscription()

        return self.once(end)

    @extend_schema(
        summary="What today would be billed",
        description="The running period's invoice as if it ended now, fees in advance and tax included.",
        responses={200: schemas.EstimateAnswer},
        tags=["billing"],
    )
    def estimate(self, request: Request) -> Response:
        return Response(
            {
                **present_estimate(services.estimate_invoice(tenant_id=self.principal.tenant_id, now=self.now)),
                "as_of": rfc3339(self.now),
            }
        )

    def _subscription(self) -> Response:
        tenant_id = self.principal.tenant_id
        subscription = usage.latest_subscription(tenant_id=tenant_id)
        period = usage.current_period(tenant_id=tenant_id, now=self.now)
        return Response(present_subscription(subscription, period))

    def _actor(self) -> Actor:
        who = self.principal
        return Actor(kind=who.kind.value, name=who.name, id=who.id, address=address_of(self.request) or None)


def present_subscription(subscription: Subscription, period: BillingPeriod) -> dict[str, Any]:
    """Return a subscription with its current period."""
    return {
        "plan": subscription.plan.slug,
        "next_plan": subscription.next_plan.slug if subscription.next_plan else None,
        "status": subscription.status,
        "currency": subscription.currency,
        "started_at": rfc3339(subscription.started_at),
        "trial_ends_at": rfc3339(subscription.trial_ends_at),
        "ends_at": rfc3339(subscription.ends_at),
        "canceled_at": rfc3339(subscription.canceled_at),
        "period_start": period.period_start.isoformat(),
        "period_end": period.period_end.isoformat(),
    }


def present_change(change: Change) -> dict[str, Any]:
    """Return what a change does, on which day, and what it costs before tax."""
    currency = change.plan.currency
    return {
        "plan": change.plan.slug,
        "takes_effect": change.takes.value,
        "effective_date": change.effective_date.isoformat(),
        "currency": currency,
        "charge": _money(change.charge, currency),
        "charged_days": change.days.count if change.days else 0,
        "cycle_days": change.days.cycle if change.days else change.first_days.cycle,
        "included_credit": _money(change.credit, currency),
        "next_fee": _money(change.first_fee, currency),
        "next_fee_start": change.first_days.first.isoformat(),
        "next_fee_end": change.first_days.last.isoformat(),
    }


def present_estimate(estimate: Estimate) -> dict[str, Any]:
    """Return the lines and totals of an invoice that is none yet."""
    period, taxed = estimate.period, estimate.taxed
    currency = period.subscription.currency
    return {
        "period_start": period.period_start.isoformat(),
        "period_end": period.period_end.isoformat(),
        "currency": currency,
        "subtotal": _money(taxed.subtotal, currency),
        "allowance": _money(taxed.allowance, currency),
        "tax": _money(taxed.tax, currency),
        "total_amount": _money(taxed.total, currency),
        "lines": [_line(line, currency) for line in estimate.lines],
        "missing": [{"code": reason.code, "detail": reason.detail} for reason in estimate.missing],
    }


def _line(line: LineValues, currency: str) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "channel": line.channel,
        "resource_type": line.resource_type,
        "description": line.description,
        "detail": line.detail,
        "service_start": line.service_start.isoformat(),
        "service_end": line.service_end.isoformat(),
        "quantity": plain(line.quantity),
        "unit": line.unit,
        "unit_price": None if line.unit_price is None else plain(line.unit_price),
        "amount": _money(line.amount, currency),
    }


def _money(amount: Decimal, currency: str) -> str:
    return str(round_money(amount, currency))


def _when(body: dict[str, Any]) -> When | None:
    return When(body["when"]) if body.get("when") else None
