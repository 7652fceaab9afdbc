"""Invoices, plans and subscriptions as the API writes them."""

from decimal import Decimal
from typing import Any

from billing.models import BillingProfile, CreditNote, CreditNoteLine, Invoice, InvoiceLineItem, Payment
from common.ids import encode
from common.money import plain, round_money
from common.timestamps import rfc3339
from usage.models import Meter, PricingPlan, PricingRate

ZERO = Decimal(0)


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
        "amount_credited": money(invoice.amount_credited),
        "amount_due": money(ZERO if invoice.is_draft else invoice.amount_due),
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
    """Return an invoice with its lines, payments and credit notes, which are loaded already."""
    return {
        **present_invoice(invoice),
        "lines": [_present_line(line, invoice.currency) for line in invoice.lines.all()],
        "payments": [present_payment(payment) for payment in invoice.payments.all()],
        "credit_notes": [
            {
                "id": encode("cn", note.pk),
                "credit_note_number": note.credit_note_number,
                "issue_date": note.issue_date.isoformat(),
                "total_amount": str(round_money(note.total_amount, note.currency)),
            }
            for note in invoice.credit_notes.all()
        ],
    }


def present_credit_note(note: CreditNote) -> dict[str, Any]:
    """Return a credit note without its lines; its invoice is loaded already."""
    return {
        "id": encode("cn", note.pk),
        "credit_note_number": note.credit_note_number,
        "invoice": encode("inv", note.invoice_id),
        "invoice_number": note.invoice.invoice_number,
        "issue_date": note.issue_date.isoformat(),
        "reason": note.reason,
        "currency": note.currency,
        "subtotal": str(round_money(note.subtotal, note.currency)),
        "tax": str(round_money(note.tax, note.currency)),
        "total_amount": str(round_money(note.total_amount, note.currency)),
        "tax_groups": [_present_group(group, note.currency) for group in note.tax_groups],
        "tax_currency": note.tax_currency or None,
        "tax_exchange_rate": None if note.tax_exchange_rate is None else plain(note.tax_exchange_rate),
        "tax_in_tax_currency": _money_or_none(note.tax_in_tax_currency, note.tax_currency),
        "seller": note.seller,
        "buyer": note.buyer,
    }


def present_credit_note_with_lines(note: CreditNote) -> dict[str, Any]:
    """Return a credit note with its lines, which are loaded already."""
    return {**present_credit_note(note), "lines": [_present_credited(line, note.currency) for line in note.lines.all()]}


def present_profile(profile: BillingProfile) -> dict[str, Any]:
    """Return who a tenant is on its invoices, and what operators decided about its tax."""
    return {
        "legal_name": profile.legal_name or profile.tenant.name,
        "address": profile.address,
        "postal_code": profile.postal_code,
        "city": profile.city,
        "country": profile.country or None,
        "tax_id": profile.tax_id,
        "reference": profile.reference,
        "language": profile.language,
        "billing_email": profile.tenant.billing_email,
        "treatment": profile.treatment,
        "exemption_reason": profile.exemption_reason,
    }


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


def present_payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": encode("pay", payment.pk),
        "amount": str(round_money(payment.amount, payment.currency)),
        "currency": payment.currency,
        "method": payment.method,
        "reference": payment.reference,
        "received_at": rfc3339(payment.received_at),
        "refunds": encode("pay", payment.refunds_id) if payment.refunds_id else None,
    }


def _present_credited(line: CreditNoteLine, currency: str) -> dict[str, Any]:
    return {
        "invoice_line": line.invoice_line.position,
        "description": line.description,
        "service_start": line.service_start.isoformat(),
        "service_end": line.service_end.isoformat(),
        "amount": str(round_money(line.amount, currency)),
        "tax_category": line.tax_category,
        "tax_rate": plain(line.tax_rate),
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
