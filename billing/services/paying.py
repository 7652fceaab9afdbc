"""Payments that people enter: money that came, and money given back."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing.errors import KeyUsed, TooMuchRefunded
from billing.models import Invoice, Payment
from billing.services.settling import lock_final, move_surplus, settle
from common.errors import Invalid, NotFound
from common.money import round_money


def record_payment(
    *,
    tenant_id: UUID,
    invoice_id: UUID,
    key: str,
    amount: Decimal,
    method: str,
    received_at: datetime,
    now: datetime,
    reference: str = "",
) -> Payment:
    """Record money that came for an invoice, once per `key`; a repeat returns the first.

    A part leaves the invoice pending, the whole makes it paid, and what is over becomes prepaid credit.
    Raises NotFound, NotFinal for a draft, Invalid for an amount, KeyUsed when the key named another payment.
    """
    with transaction.atomic():
        invoice = lock_final(tenant_id=tenant_id, invoice_id=invoice_id)
        _check_amount(amount, invoice)
        if (first := _recorded(invoice, key, amount)) is not None:
            return first
        payment = Payment.objects.create(
            tenant_id=tenant_id,
            invoice=invoice,
            key=key,
            amount=amount,
            currency=invoice.currency,
            method=method,
            reference=reference,
            received_at=received_at,
        )
        move_surplus(invoice, paid=invoice.amount_paid + amount, key=f"surplus:{payment.pk.hex}", now=now)
        settle(invoice, last=payment, now=now)
    return payment


def refund_payment(
    *, tenant_id: UUID, payment_id: UUID, key: str, amount: Decimal, now: datetime, reference: str = ""
) -> Payment:
    """Record money given back of a payment, once per `key`: a payment below 0. What it leaves open is owed again.

    Raises NotFound, Invalid for an amount, TooMuchRefunded beyond the payment or what the invoice has, KeyUsed.
    """
    with transaction.atomic():
        payment = Payment.objects.for_tenant(tenant_id).filter(pk=payment_id, amount__gt=0).first()
        if payment is None:
            raise NotFound("There is no such payment.")
        invoice = lock_final(tenant_id=tenant_id, invoice_id=payment.invoice_id)
        _check_amount(amount, invoice)
        if (first := _recorded(invoice, key, -amount)) is not None:
            return first
        _check_refund(payment, invoice, amount)
        refund = Payment.objects.create(
            tenant_id=tenant_id,
            invoice=invoice,
            key=key,
            amount=-amount,
            currency=invoice.currency,
            method=payment.method,
            reference=reference,
            received_at=now,
            refunds=payment,
        )
        settle(invoice, last=None, now=now)
    return refund


def _check_amount(amount: Decimal, invoice: Invoice) -> None:
    if amount <= 0:
        raise Invalid("An amount is more than 0.", pointer="/amount")
    if amount != round_money(amount, invoice.currency):
        raise Invalid(f"{amount} has more decimals than {invoice.currency} has.", pointer="/amount")


def _recorded(invoice: Invoice, key: str, amount: Decimal) -> Payment | None:
    """Return what the key recorded before; the invoice's row is locked."""
    first = Payment.objects.for_tenant(invoice.tenant_id).filter(key=key).first()
    if first is not None and (first.invoice_id, first.amount) != (invoice.pk, amount):
        raise KeyUsed(f"{key[:80]} recorded another payment already: {first}.", pointer="/key")
    return first


def _check_refund(payment: Payment, invoice: Invoice, amount: Decimal) -> None:
    refunds = Payment.objects.for_tenant(payment.tenant_id).filter(refunds=payment)
    left = payment.amount + (refunds.aggregate(sum=Sum("amount"))["sum"] or 0)
    if amount > left:
        raise TooMuchRefunded(f"{left} of the payment is left to give back.", pointer="/amount")
    if amount > invoice.amount_paid:
        message = f"{invoice.amount_paid} of the invoice's payments is left; the rest became prepaid credit."
        raise TooMuchRefunded(message, pointer="/amount")
