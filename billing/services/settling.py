"""Where a finalized invoice stands: what was paid, what was credited, and the status that follows from both."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from billing.errors import NotFinal
from billing.models import CreditNote, Invoice, Payment
from billing.services.announcing import announce
from billing.services.credit import give_credit
from common.errors import NotFound

ZERO = Decimal(0)


def lock_final(*, tenant_id: UUID, invoice_id: UUID) -> Invoice:
    """Return a finalized invoice with its seller, its row locked until the transaction ends; `amount_credited` is set.

    Raises NotFound for a foreign invoice, NotFinal for a draft.
    """
    rows = Invoice.objects.for_tenant(tenant_id).select_for_update(of=("self",)).select_related("legal_entity")
    invoice = rows.filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFound("There is no such invoice.")
    if invoice.is_draft:
        raise NotFinal(f"The invoice is {invoice.status}: it is changed by drafting it anew.")
    notes = CreditNote.objects.for_tenant(tenant_id).filter(invoice=invoice)
    invoice.amount_credited = notes.aggregate(sum=Sum("total_amount"))["sum"] or ZERO
    return invoice


def settle(invoice: Invoice, *, last: Payment | None, now: datetime, is_void: bool = False) -> None:
    """Store what the payments come to and the status that follows; tell integrators when it became paid or void.

    `last` is the payment that came now and may name its method; the invoice's row is locked and `amount_credited` right.
    """
    payments = Payment.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice)
    invoice.amount_paid = payments.aggregate(sum=Sum("amount"))["sum"] or ZERO
    before, invoice.status = invoice.status, _status(invoice, is_void)
    if invoice.status == Invoice.Status.PAID and before != Invoice.Status.PAID:
        invoice.paid_at = now
    elif invoice.status in (Invoice.Status.PENDING, Invoice.Status.OVERDUE):
        invoice.paid_at = None
    if last is not None and last.amount > 0:
        invoice.payment_method, invoice.payment_reference = last.method, last.reference
    invoice.save(update_fields=["amount_paid", "status", "paid_at", "payment_method", "payment_reference"])
    if invoice.status != before and invoice.status in (Invoice.Status.PAID, Invoice.Status.VOID):
        announce("invoice.paid" if invoice.status == Invoice.Status.PAID else "invoice.voided", invoice, now=now)


def move_surplus(invoice: Invoice, *, paid: Decimal, key: str, now: datetime) -> None:
    """Turn what was paid beyond what is owed into prepaid credit: a payment below 0, and a grant of the same key."""
    surplus = paid - (invoice.total_amount - invoice.amount_credited)
    if surplus <= 0:
        return
    Payment.objects.create(
        tenant_id=invoice.tenant_id,
        invoice=invoice,
        key=key,
        amount=-surplus,
        currency=invoice.currency,
        method=Payment.Method.CREDIT,
        reference="Moved to prepaid credit",
        received_at=now,
    )
    give_credit(invoice, key=key, amount=surplus, now=now)


def _status(invoice: Invoice, is_void: bool) -> str:
    if is_void or invoice.status == Invoice.Status.VOID:
        return Invoice.Status.VOID
    if not invoice.amount_due:
        return Invoice.Status.PAID
    return Invoice.Status.OVERDUE if invoice.status == Invoice.Status.OVERDUE else Invoice.Status.PENDING
