"""Billing's one door to credit: what invoices use of it, and what goes back to it."""

from datetime import datetime
from decimal import Decimal

from billing.models import Invoice
from common.money import round_money
from usage.credit import ALLOWANCE, PREPAID
from usage.models import CreditEntry
from usage.services import burn, grant

ZERO = Decimal(0)


def use_allowance(invoice: Invoice, *, usage: Decimal, now: datetime) -> Decimal:
    """Use up the included and promotional credit that covers a period's usage, once per invoice; return how much."""
    taken = burn(
        tenant_id=invoice.tenant_id,
        key=f"allowance:{invoice.pk.hex}",
        amount=usage,
        at=now,
        sources=ALLOWANCE,
        period_id=invoice.billing_period_id,
    )
    return min(usage, round_money(sum((part.amount for part in taken), ZERO), invoice.currency))


def pay_by_credit(invoice: Invoice, *, now: datetime) -> Decimal:
    """Pay what the invoice totals out of prepaid credit, once per invoice; return how much there was."""
    owed: Decimal = invoice.total_amount
    # Most tenants never prepaid: asking first spares each of their invoices six statements and the lock of its balance.
    if owed <= 0 or not CreditEntry.objects.for_tenant(invoice.tenant_id).filter(source__in=PREPAID).exists():
        return ZERO
    key = f"prepaid:{invoice.pk.hex}"
    taken = burn(tenant_id=invoice.tenant_id, key=key, amount=owed, at=now, sources=PREPAID)
    return min(owed, round_money(sum((part.amount for part in taken), ZERO), invoice.currency))


def give_credit(invoice: Invoice, *, key: str, amount: Decimal, now: datetime) -> None:
    """Turn money that no invoice needs into prepaid credit, once per `key`."""
    grant(
        tenant_id=invoice.tenant_id,
        source="prepaid",
        key=key,
        amount=amount,
        currency=invoice.currency,
        starts_at=now,
        note=f"Paid over invoice {invoice.invoice_number}",
    )
