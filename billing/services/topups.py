"""Top-ups: a tenant asks to pay in advance, and what an operator books of it becomes prepaid credit, once."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from stdnum import iso11649

from accounts.models import Tenant
from billing.errors import NoSeller, NotOpen, TooMuchRefunded
from billing.models import LegalEntity, Payment, TopUp
from billing.models.parties import TOP_UP_PREFIX
from billing.services.assessing import assess, seller_of
from billing.services.mailing import queue_mail
from billing.services.numbering import Number, take_number
from billing.services.recorded import check_amount, check_left, recorded
from common.errors import Invalid, NotFound
from common.money import plain, round_money
from common.periods import local_day
from usage.credit import PREPAID
from usage.services import burn, grant

MOST: Final = Decimal(1_000_000)
ZERO: Final = Decimal(0)


def request_top_up(*, tenant_id: UUID, amount: Decimal, now: datetime) -> TopUp:
    """Ask to pay `amount` of the tenant's currency in advance: a numbered request to pay, e-mailed as PDF.

    Nothing is granted until it is paid, and no tax is charged: the invoices that the credit pays charge it. Call it in a
    transaction of its own, since it holds the series' counter until that ends.
    Raises Invalid for an amount, NoSeller where there is nobody to pay to.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    _check_request(amount, tenant.currency)
    with transaction.atomic():
        parties = assess(tenant_id=tenant_id, on=now.date())
        if parties.entity is None:
            raise NoSeller("No company sells here yet: ask the operators of this installation.")
        top_up = TopUp(
            tenant_id=tenant_id,
            legal_entity=parties.entity,
            amount=round_money(amount, tenant.currency),
            currency=tenant.currency,
            seller=seller_of(parties.entity).stored(),
            buyer=parties.buyer.stored(),
            created_at=now,
        )
        _number(top_up, _take_number(parties.entity, now))
        top_up.save(force_insert=True)
        queue_mail(top_up, now=now)
    return top_up


def cancel_top_up(*, tenant_id: UUID, top_up_id: UUID, now: datetime) -> TopUp:
    """Withdraw a request that nothing was paid of; a repeat changes nothing. Raises NotFound, NotOpen once it is paid."""
    with transaction.atomic():
        top_up = _locked(tenant_id, top_up_id)
        if top_up.status == TopUp.Status.CANCELED:
            return top_up
        if top_up.amount_paid or top_up.status != TopUp.Status.OPEN:
            raise NotOpen(f"{top_up} is paid, in part or whole.")
        top_up.status, top_up.canceled_at = TopUp.Status.CANCELED, now
        top_up.save(update_fields=["status", "canceled_at"])
    return top_up


def record_top_up_payment(
    *,
    tenant_id: UUID,
    top_up_id: UUID,
    key: str,
    amount: Decimal,
    method: str,
    received_at: datetime,
    now: datetime,
    reference: str = "",
) -> Payment:
    """Record money that came for a top-up and grant as much prepaid credit, once per `key`; a repeat returns the first.

    A part leaves it open, more than was asked for is credit too; what came for a canceled one reopens it.
    Raises NotFound, Invalid for an amount, KeyUsed when the key named another payment.
    """
    with transaction.atomic():
        top_up = _locked(tenant_id, top_up_id)
        check_amount(amount, top_up.currency)
        if (first := recorded(top_up, key, amount)) is not None:
            return first
        payment = Payment.objects.create(
            tenant_id=tenant_id,
            top_up=top_up,
            key=key,
            amount=amount,
            currency=top_up.currency,
            method=method,
            reference=reference,
            received_at=received_at,
        )
        grant(
            tenant_id=tenant_id,
            source="prepaid",
            key=f"top-up:{payment.pk.hex}",
            amount=amount,
            currency=top_up.currency,
            starts_at=now,
            note=f"Top-up {top_up.number}",
        )
        _settle(top_up, now)
    return payment


def refund_top_up_payment(payment: Payment, *, key: str, amount: Decimal, now: datetime, reference: str) -> Payment:
    """Record money given back of a top-up's payment, once per `key`, and take as much prepaid credit away.

    Raises Invalid for an amount, KeyUsed, TooMuchRefunded beyond the payment or the prepaid credit that is free.
    """
    with transaction.atomic():
        assert payment.top_up_id is not None, "constraint payments_of_one"
        top_up = _locked(payment.tenant_id, payment.top_up_id)
        check_amount(amount, top_up.currency)
        if (first := recorded(top_up, key, -amount)) is not None:
            return first
        check_left(payment, amount)
        refund = Payment.objects.create(
            tenant_id=payment.tenant_id,
            top_up=top_up,
            key=key,
            amount=-amount,
            currency=top_up.currency,
            method=payment.method,
            reference=reference,
            received_at=now,
            refunds=payment,
        )
        taken = burn(tenant_id=payment.tenant_id, key=f"refund:{refund.pk.hex}", amount=amount, at=now, sources=PREPAID)
        if (free := sum((part.amount for part in taken), ZERO)) < amount:
            raise TooMuchRefunded(f"{plain(free)} of the prepaid credit is left to give back.", pointer="/amount")
        _settle(top_up, now)
    return refund


def _check_request(amount: Decimal, currency: str) -> None:
    check_amount(amount, currency)
    if amount > MOST:
        raise Invalid(f"No more than {MOST} at once.", pointer="/amount")


def _take_number(entity: LegalEntity, now: datetime) -> Number:
    return take_number(entity, prefix=TOP_UP_PREFIX, on=local_day(now, entity.timezone))


def _number(top_up: TopUp, number: Number) -> None:
    """Give it its number, and the reference that a bank can check: RF, check digits, and the number (ISO 11649)."""
    top_up.series, top_up.series_number, top_up.number = number.series, number.value, str(number)
    top_up.issue_date = number.issue_date
    text = str(number).replace("-", "")
    digits = next(f"{check:02d}" for check in range(2, 99) if iso11649.is_valid(f"RF{check:02d}{text}"))
    top_up.reference = f"RF{digits}{text}"


def _locked(tenant_id: UUID, top_up_id: UUID) -> TopUp:
    found = TopUp.objects.for_tenant(tenant_id).select_for_update().filter(pk=top_up_id).first()
    if found is None:
        raise NotFound("There is no such top-up.")
    return found


def _settle(top_up: TopUp, now: datetime) -> None:
    """Store what its payments come to, and the status that follows."""
    payments = Payment.objects.for_tenant(top_up.tenant_id).filter(top_up=top_up)
    top_up.amount_paid = payments.aggregate(sum=Sum("amount"))["sum"] or ZERO
    is_paid = top_up.amount_paid >= top_up.amount
    top_up.status = TopUp.Status.PAID if is_paid else TopUp.Status.OPEN
    top_up.paid_at = (top_up.paid_at or now) if is_paid else None
    top_up.canceled_at = None
    top_up.save(update_fields=["amount_paid", "status", "paid_at", "canceled_at"])
