"""Invoices, plans and subscriptions as the API writes them."""

from decimal import Decimal
from typing import Any

from billing.models import Invoice, InvoiceLineItem
from common.ids import encode
from common.money import plain, round_money
from common.timestamps import rfc3339
from usage.models import BillingPeriod, Meter, PricingPlan, PricingRate, Subscription


def present_invoice(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice without its lines."""

    def money(amount: Decimal) -> str:
        return str(round_money(amount, invoice.currency))

    return {
        "id": encode("inv", invoice.pk),
        "invoice_number": invoice.invoice_number or None,
        "status": invoice.status,
        "period_start": invoice.period_start.isoformat(),
        "period_end": invoice.period_end.isoformat(),
        "currency": invoice.currency,
        "subtotal": money(invoice.subtotal),
        "allowance": money(invoice.allowance),
        "tax": money(invoice.tax),
        "total_amount": money(invoice.total_amount),
        "tax_groups": [_present_group(group, invoice.currency) for group in invoice.tax_groups],
        "tax_currency": invoice.tax_currency or None,
        "tax_exchange_rate": None if invoice.tax_exchange_rate is None else plain(invoice.tax_exchange_rate),
        "tax_in_tax_currency": _money_or_none(invoice.tax_in_tax_currency, invoice.tax_currency),
        "amount_paid": money(invoice.amount_paid),
        "issue_date": invoice.issue_date.isoformat() if invoice.issue_date else None,
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "paid_at": rfc3339(invoice.paid_at),
        "payment_method": invoice.payment_method or None,
        "payment_reference": invoice.payment_reference or None,
        "seller": invoice.seller or None,
        "buyer": invoice.buyer or None,
        "parked_reasons": invoice.parked_reasons,
        "notes": invoice.notes,
        "drafted_at": rfc3339(invoice.drafted_at),
        "finalized_at": rfc3339(invoice.finalized_at),
    }


def present_invoice_with_lines(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice with its lines, which are loaded already."""
    lines = [_present_line(line, invoice.currency) for line in invoice.lines.all()]
    return {**present_invoice(invoice), "lines": lines}


def present_plan(plan: PricingPlan, meters: dict[tuple[str, str], Meter]) -> dict[str, Any]:
    """Return a plan on offer with what it allows and costs."""
    return {
        "slug": plan.slug,
        "name": plan.name,
        "currency": plan.currency,
        "monthly_fee": str(round_money(plan.monthly_fee, plan.currency)),
        "included_credit": str(round_money(plan.included_credit, plan.currency)),
        "trial_days": plan.trial_days,
        "features": {feature.slug: feature.value for feature in plan.features.all()},
        "rates": [_present_rate(rate, meters[rate.channel, rate.resource_type]) for rate in plan.rates.all()],
    }


def present_subscription(subscription: Subscription, period: BillingPeriod) -> dict[str, Any]:
    """Return a subscription with its current period."""
    return {
        "plan": subscription.plan.slug,
        "status": subscription.status,
        "currency": subscription.currency,
        "started_at": rfc3339(subscription.started_at),
        "trial_ends_at": rfc3339(subscription.trial_ends_at),
        "period_start": period.period_start.isoformat(),
        "period_end": period.period_end.isoformat(),
    }


def _present_line(line: InvoiceLineItem, currency: str) -> dict[str, Any]:
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
        "amount": str(round_money(line.amount, currency)),
        "allowance": str(round_money(line.allowance, currency)),
        "tax_category": line.tax_category or None,
        "tax_rate": plain(line.tax_rate) if line.tax_category else None,
        "tax": str(round_money(line.tax, currency)),
    }


def _present_group(group: dict[str, str], currency: str) -> dict[str, str]:
    amounts = {
        name: str(round_money(Decimal(group[name]), currency)) for name in ("amount", "allowance", "base", "tax")
    }
    return {"category": group["category"], "rate": group["rate"], "reason": group["reason"], **amounts}


def _money_or_none(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else str(round_money(amount, currency))


def _present_rate(rate: PricingRate, meter: Meter) -> dict[str, Any]:
    return {
        "channel": rate.channel,
        "resource_type": rate.resource_type,
        "direction": rate.direction,
        "destination_prefix": rate.destination_prefix,
        "unit": meter.unit,
        "unit_price": plain(rate.unit_price),
    }
