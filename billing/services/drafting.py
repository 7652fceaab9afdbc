"""Draft the invoice of a period: what it would be billed at if it were finalized now."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Tenant
from billing.errors import NotADraft
from billing.lines import LineValues, lines_of
from billing.models import Invoice, InvoiceLineItem
from common.money import plain, round_money
from usage import selectors
from usage.models import BillingPeriod
from usage.selectors import PeriodUsage
from usage.sums import DaySum

ZERO = Decimal(0)


def draft_invoice(*, tenant_id: UUID, period_id: UUID, now: datetime) -> Invoice:
    """Make the draft of a period, or make its lines anew; one draft per subscription and period, whoever asks.

    Raises NotFound for a foreign period, NotADraft once the invoice is finalized.
    """
    period = selectors.period_of(tenant_id=tenant_id, period_id=period_id)
    with transaction.atomic():
        invoice = _locked_draft(period, now)
        usage = selectors.period_usage(tenant_id=tenant_id, period=period, now=now)
        cycle_day = Tenant.objects.values_list("billing_cycle_day", flat=True).get(pk=tenant_id)
        _replace_lines(invoice, lines_of(usage, cycle_day=cycle_day))
        _set_totals(invoice, usage, now)
    return invoice


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


def _replace_lines(invoice: Invoice, lines: list[LineValues]) -> None:
    InvoiceLineItem.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice).delete()
    InvoiceLineItem.objects.bulk_create(
        InvoiceLineItem(tenant_id=invoice.tenant_id, invoice=invoice, position=position, **vars(line))
        for position, line in enumerate(lines, start=1)
    )
    invoice.subtotal = round_money(sum((line.amount for line in lines), ZERO), invoice.currency)


def _set_totals(invoice: Invoice, usage: PeriodUsage, now: datetime) -> None:
    invoice.allowance = usage.covered
    invoice.total_amount = invoice.subtotal - invoice.allowance + invoice.tax
    invoice.usage_days = [_appendix_row(day) for day in usage.days]
    invoice.drafted_at = now
    invoice.save(update_fields=["subtotal", "allowance", "total_amount", "usage_days", "drafted_at"])


def _appendix_row(row: DaySum) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "channel": row.channel,
        "resource_type": row.resource_type,
        "billed_quantity": plain(row.billed_quantity),
        "events": row.record_count,
    }
