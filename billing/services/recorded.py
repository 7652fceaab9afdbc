"""What every payment is held to: an amount of its currency, and its key once."""

from decimal import Decimal

from django.db.models import Sum

from billing.errors import KeyUsed, TooMuchRefunded
from billing.models import Invoice, Payment, TopUp
from common.errors import Invalid
from common.money import round_money


def check_amount(amount: Decimal, currency: str) -> None:
    """Raise Invalid unless it is more than 0, in the currency's minor unit."""
    if amount <= 0:
        raise Invalid("An amount is more than 0.", pointer="/amount")
    if amount != round_money(amount, currency):
        raise Invalid(f"{amount} has more decimals than {currency} has.", pointer="/amount")


def recorded(paid: Invoice | TopUp, key: str, amount: Decimal) -> Payment | None:
    """Return what the key recorded before, raise KeyUsed where that was another payment; the row paid for is locked."""
    first = Payment.objects.for_tenant(paid.tenant_id).filter(key=key).first()
    if first is not None and (first.invoice_id or first.top_up_id, first.amount) != (paid.pk, amount):
        raise KeyUsed(f"{key[:80]} recorded another payment already: {first}.", pointer="/key")
    return first


def check_left(payment: Payment, amount: Decimal) -> None:
    """Raise TooMuchRefunded where less of a payment is left to give back; the row paid for is locked."""
    refunds = Payment.objects.for_tenant(payment.tenant_id).filter(refunds=payment)
    left = payment.amount + (refunds.aggregate(sum=Sum("amount"))["sum"] or 0)
    if amount > left:
        raise TooMuchRefunded(f"{left} of the payment is left to give back.", pointer="/amount")
