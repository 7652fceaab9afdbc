"""Draft the invoice of a period: what it would be billed at if it were finalized now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.errors import NotADraft
from billing.lines import LineValues, lines_of
from billing.models import Invoice, InvoiceLineItem
from billing.services.assessing import UNKNOWN, Assessment, estimate_tax
from billing.tax import Taxed, TaxGroup, Treatment
from common.money import plain, round_money
from usage import selectors
from usage.models import BillingPeriod
from usage.sums import DaySum

TOTALS = ["subtotal", "allowance", "tax", "total_amount", "tax_groups"]


@dataclass(frozen=True)
class Draft:
    """A draft, its row locked, with its lines and what it was assessed at: what finalizing it needs to know."""

    invoice: Invoice
    lines: list[InvoiceLineItem]
    assessment: Assessment


def draft_invoice(*, tenant_id: UUID, period_id: UUID, now: datetime) -> Invoice:
    """Make the draft of a period, or make its lines anew; one draft per subscription and period, whoever asks.

    What it covers by credit and charges as tax is what finalizing it now would; tax is 0 while a party or a rate is missing.
    A parked one becomes a draft again. Raises NotFound for a foreign period, NotADraft once the invoice is finalized.
    """
    period = selectors.period_of(tenant_id=tenant_id, period_id=period_id)
    with transaction.atomic():
        return make_draft(period, now=now).invoice


def make_draft(period: BillingPeriod, *, now: datetime) -> Draft:
    """Do what `draft_invoice` does, in the caller's transaction, and return all of it."""
    invoice = _locked_draft(period, now)
    usage = selectors.period_usage(tenant_id=period.tenant_id, period=period, now=now)
    values = lines_of(usage, selectors.fees_of(tenant_id=period.tenant_id, period=period))
    taxed, assessment = estimate_tax(
        tenant_id=period.tenant_id,
        lines=values,
        allowance=usage.covered,
        currency=invoice.currency,
        on=invoice.period_end,
    )
    lines = [_line(invoice, position, line) for position, line in enumerate(values, start=1)]
    set_tax(invoice, lines, taxed, assessment.treatment)
    _replace_lines(invoice, lines)
    invoice.usage_days = [_appendix_row(day) for day in usage.days]
    invoice.drafted_at, invoice.status, invoice.parked_reasons = now, Invoice.Status.DRAFT, []
    invoice.save(update_fields=[*TOTALS, "usage_days", "drafted_at", "status", "parked_reasons"])
    return Draft(invoice, lines, assessment)


def set_tax(invoice: Invoice, lines: Sequence[InvoiceLineItem], taxed: Taxed, treatment: Treatment) -> None:
    """Set what credit covers, what is taxed how, and the totals, on the invoice and its lines; saves nothing."""
    for line, share in zip(lines, taxed.lines, strict=True):
        line.allowance, line.tax = share.allowance, share.tax
        line.tax_category, line.tax_rate = treatment.category, treatment.rate
    invoice.subtotal = round_money(taxed.subtotal, invoice.currency)
    invoice.allowance = round_money(taxed.allowance, invoice.currency)
    invoice.tax = round_money(taxed.tax, invoice.currency)
    invoice.total_amount = invoice.subtotal - invoice.allowance + invoice.tax
    invoice.tax_groups = [] if treatment == UNKNOWN else [_group(group, invoice.currency) for group in taxed.groups]


def _locked_draft(period: BillingPeriod, now: datetime) -> Invoice:
    """Return the period's draft, its row locked until the transaction ends."""
    fresh = Invoice(
        tenant_id=period.tenant_id,
        subscription_id=period.subscription_id,
        billing_period=period,
        period_start=period.period_start,
        period_end=period.period_end,
        currency=period.subscription.currency,
        drafted_at=now,
    )
    Invoice.objects.bulk_create([fresh], ignore_conflicts=True)
    invoices = Invoice.objects.for_tenant(period.tenant_id).select_for_update()
    invoice = invoices.get(subscription_id=period.subscription_id, billing_period=period)
    if not invoice.is_draft:
        raise NotADraft(f"The invoice of {period} is {invoice.status}.")
    return invoice


def _line(invoice: Invoice, position: int, values: LineValues) -> InvoiceLineItem:
    return InvoiceLineItem(tenant_id=invoice.tenant_id, invoice=invoice, position=position, **vars(values))


def _replace_lines(invoice: Invoice, lines: Sequence[InvoiceLineItem]) -> None:
    InvoiceLineItem.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice).delete()
    InvoiceLineItem.objects.bulk_create(lines)


def _group(group: TaxGroup, currency: str) -> dict[str, str]:
    amounts = {"amount": group.amount, "allowance": group.allowance, "base": group.base, "tax": group.tax}
    return {
        "category": group.treatment.category,
        "rate": plain(group.treatment.rate),
        "reason": group.treatment.reason,
        **{name: str(round_money(amount, currency)) for name, amount in amounts.items()},
    }


def _appendix_row(row: DaySum) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "channel": row.channel,
        "resource_type": row.resource_type,
        "billed_quantity": plain(row.billed_quantity),
        "events": row.record_count,
    }
