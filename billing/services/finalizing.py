"""Finalize: a draft becomes an invoice. Everything is looked up and written first, the number is taken last."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.errors import NothingToBill, PeriodNotClosed
from billing.models import ExchangeRate, Invoice, InvoiceLineItem, LegalEntity, Payment
from billing.services.announcing import announce
from billing.services.assessing import Reason, assess, coverable, exchange_rate, seller_of, tax
from billing.services.credit import pay_by_credit, use_allowance
from billing.services.drafting import Draft, make_draft, set_tax
from billing.services.mailing import queue_mail
from billing.services.numbering import take_number
from billing.tax import Treatment
from common.errors import NotFound
from common.money import round_money
from common.periods import local_day
from usage.models import BillingPeriod
from usage.selectors import period_of
from usage.services import check_period

ZERO = Decimal(0)


def finalize_invoice(*, tenant_id: UUID, invoice_id: UUID, now: datetime) -> Invoice:
    """Give a draft of a closed period its number, dates and parties; it is final, `pending` or, where nothing is left to
    pay, `paid`. A repeat returns the invoice as it is.

    Where something is missing (a country, the seller's tax id, a tax or exchange rate, a due date) nothing is taken: the
    invoice is returned `parked`, with `parked_reasons`; the next call looks again. Call it in a transaction of its own,
    since it holds the series' counter until that ends.
    Raises NotFound for a foreign invoice, PeriodNotClosed also where its sums are not its records', NothingToBill for a
    draft without lines.
    """
    with transaction.atomic():
        invoice = _locked(tenant_id, invoice_id)
        return finalize_draft(_draft(invoice, now), now=now) if invoice.is_draft else invoice


def finalize_draft(draft: Draft, *, now: datetime) -> Invoice:
    """Finalize a draft of a closed and checked period, as `finalize_invoice` does, in the transaction that holds its row."""
    invoice, lines, assessment = draft.invoice, draft.lines, draft.assessment
    if not lines:
        raise NothingToBill("The draft has no lines: nothing was used and no fee is due.")
    entity, reasons = assessment.entity, list(assessment.reasons)
    if sum((line.amount for line in lines), ZERO) < 0:
        reasons.append(Reason("below-zero", "The lines add up to less than 0: credit an earlier invoice instead."))
    if entity is None or reasons:
        return _park(invoice, reasons)
    exchange = exchange_rate(entity, currency=invoice.currency, on=local_day(now, entity.timezone))
    if isinstance(exchange, Reason):
        return _park(invoice, [exchange])
    invoice.legal_entity = entity
    invoice.seller, invoice.buyer = seller_of(entity).stored(), assessment.buyer.stored()
    _use_credit(invoice, lines, assessment.treatment, now)
    _state_tax(invoice, exchange)
    _pay_by_credit(invoice, now)
    queue_mail(invoice, now=now)
    _number(invoice, entity, now)
    announce("invoice.finalized", invoice, now=now)
    if invoice.status == Invoice.Status.PAID:
        announce("invoice.paid", invoice, now=now)
    return invoice


def _locked(tenant_id: UUID, invoice_id: UUID) -> Invoice:
    rows = Invoice.objects.for_tenant(tenant_id).select_for_update(of=("self",)).select_related("billing_period")
    found = rows.filter(pk=invoice_id).first()
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


def _draft(invoice: Invoice, now: datetime) -> Draft:
    """Return the locked draft of a closed period whose sums are its records'; its lines made anew where they are older."""
    period = invoice.billing_period
    if period.state != BillingPeriod.State.CLOSED or period.closed_at is None:
        raise PeriodNotClosed(f"The period {period} is {period.state}; its usage may still grow.")
    if period.checked_at is None and not check_period(tenant_id=invoice.tenant_id, period_id=period.pk, now=now):
        raise PeriodNotClosed(f"The sums of the period {period} are not those of its records; it will be parked.")
    if invoice.drafted_at < (period.checked_at or now):
        return make_draft(period_of(tenant_id=invoice.tenant_id, period_id=period.pk), now=now)
    lines = list(InvoiceLineItem.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice).order_by("position"))
    return Draft(invoice, lines, assess(tenant_id=invoice.tenant_id, on=invoice.period_end))


def _park(invoice: Invoice, reasons: Sequence[Reason]) -> Invoice:
    invoice.status = Invoice.Status.PARKED
    invoice.parked_reasons = [asdict(reason) for reason in reasons]
    invoice.save(update_fields=["status", "parked_reasons"])
    return invoice


def _use_credit(invoice: Invoice, lines: Sequence[InvoiceLineItem], treatment: Treatment, now: datetime) -> None:
    """Use up the credit that covers usage, and tax what it leaves."""
    allowance = use_allowance(invoice, usage=coverable(lines), now=now)
    taxed = tax(lines, allowance=allowance, treatment=treatment, currency=invoice.currency)
    before = [_tax_of(line) for line in lines]
    set_tax(invoice, lines, taxed, treatment)
    changed = [line for line, was in zip(lines, before, strict=True) if _tax_of(line) != was]
    rows = InvoiceLineItem.objects.for_tenant(invoice.tenant_id)
    rows.bulk_update(changed, ["allowance", "tax", "tax_category", "tax_rate"])


def _tax_of(line: InvoiceLineItem) -> tuple[Decimal, Decimal, str, Decimal]:
    return line.allowance, line.tax, line.tax_category, line.tax_rate


def _state_tax(invoice: Invoice, exchange: ExchangeRate | None) -> None:
    """State the tax in the seller's currency too (EN 16931, BT-6 and BT-111)."""
    if exchange is not None:
        invoice.tax_currency, invoice.tax_exchange_rate = exchange.into_currency, exchange.rate
        invoice.tax_in_tax_currency = round_money(invoice.tax * exchange.rate, exchange.into_currency)


def _pay_by_credit(invoice: Invoice, now: datetime) -> None:
    """Pay what prepaid credit can; an invoice that leaves nothing to pay is paid."""
    invoice.amount_paid = pay_by_credit(invoice, now=now)
    if invoice.amount_paid:
        invoice.payment_method = Payment.Method.CREDIT
        Payment.objects.create(
            tenant_id=invoice.tenant_id,
            invoice=invoice,
            key=f"credit:{invoice.pk.hex}",
            amount=invoice.amount_paid,
            currency=invoice.currency,
            method=Payment.Method.CREDIT,
            received_at=now,
        )
    is_paid = invoice.amount_paid == invoice.total_amount
    invoice.status = Invoice.Status.PAID if is_paid else Invoice.Status.PENDING
    invoice.paid_at = now if is_paid else None


def _number(invoice: Invoice, entity: LegalEntity, now: datetime) -> None:
    """Take the number and store all that is final in one statement."""
    number = take_number(entity, prefix=entity.invoice_prefix, on=local_day(now, entity.timezone))
    invoice.series, invoice.series_number, invoice.invoice_number = number.series, number.value, str(number)
    invoice.issue_date, invoice.due_date = number.issue_date, number.issue_date + timedelta(days=entity.due_days or 0)
    invoice.finalized_at, invoice.parked_reasons = now, []
    invoice.save(update_fields=FINAL)


FINAL = [
    "status", "legal_entity", "seller", "buyer", "subtotal", "allowance", "tax", "tax_groups", "total_amount",
    "tax_currency", "tax_exchange_rate", "tax_in_tax_currency", "amount_paid", "paid_at", "payment_method",
    "series", "series_number", "invoice_number", "issue_date", "due_date", "finalized_at", "parked_reasons",
]  # fmt: skip
