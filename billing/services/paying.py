"""Payments that people enter: money that came, and money given back."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing.errors import TooMuchRefunded
from billing.models import Invoice, Payment
from billing.services.recorded import check_amount, check_left, recorded
from billing.services.settling import lock_final, move_surplus, settle
from billing.services.topups import refund_top_up_payment
from common.errors import NotFound


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
        check_amount(amount, invoice.currency)
        if (first := recorded(invoice, key, amount)) is not None:
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

    Of a top-up's payment as much prepaid credit is taken away, which has to be free.
    Raises NotFound, Invalid for an amount, TooMuchRefunded beyond the payment or what the invoice has, KeyUsed.
    """
    with transaction.atomic():
        payment = Payment.objects.for_tenant(tenant_id).filter(pk=payment_id, amount__gt=0).first()
        if payment is None:
            raise NotFound("There is no such payment.")
        if payment.invoice_id is None:
            return refund_top_up_payment(payment, key=key, amount=amount, now=now, reference=reference)
        invoice = lock_final(tenant_id=tenant_id, invoice_id=payment.invoice_id)
        check_amount(amount, invoice.currency)
        if (first := recorded(invoice, key, -amount)) is not None:
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


def _check_refund(payment: Payment, invoice: Invoice, amount: Decimal) -> None:
    check_left(payment, amount)
    if amount > invoice.amount_paid:
        message = f"{invoice.amount_paid} of the invoice's payments is left; the rest became prepaid credit."
        raise TooMuchRefunded(message, pointer="/amount")
