"""Books of whole months: made by tests, and held to each other to the smallest coin."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice
from common.money import round_money
from tests.billing.helpers import APRIL, lines_of
from tests.factories import Company
from tests.usage.helpers import periods
from usage.models import BillingPeriod, PricingRate
from usage.services import check_period, close_period, fold_deltas

ZERO = Decimal(0)
# What only the period's sum has a price for, beside the plan's flat SMS and its calls by the minute.
BY_THE_SUM: dict[str, dict[str, Any]] = {
    "email/message": {
        "model": "graduated",
        "tiers": [{"up_to": "100", "unit_price": "0.333"}, {"up_to": None, "unit_price": "0.0157"}],
    },
    "whatsapp/message": {
        "model": "volume",
        "tiers": [{"up_to": "50", "unit_price": "0.05"}, {"up_to": None, "unit_price": "0.0101", "flat_amount": "1"}],
    },
    "social/message": {"model": "package", "unit_price": "1.995", "package_size": 30},
    "sms/mms": {"unit_price": "0.0155", "included_quantity": 20, "minimum_amount": "2.505"},
}


@contextmanager
def undone() -> Iterator[None]:
    """Let every example begin with the same books."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def price_by_the_sum(company: Company, currency: str = "USD") -> None:
    with system_access("test"):
        for meter, columns in BY_THE_SUM.items():
            channel, resource_type = meter.split("/")
            PricingRate.objects.create(
                tenant=company.tenant,
                channel=channel,
                resource_type=resource_type,
                currency=currency,
                effective_from=date(2026, 1, 1),
                **{"unit_price": 0, **columns},
            )


def fold(limit: int = 5_000) -> None:
    with system_access("test"):
        fold_deltas(limit=limit)


def close_march(company: Company) -> BillingPeriod:
    march = periods(company)[0]
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
        assert check_period(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
    return march


def check_totals(invoice: Invoice) -> None:
    """Hold an invoice's sums to each other, and each amount to its currency's smallest coin."""
    lines = lines_of(invoice)
    sums = [sum((getattr(line, name) for line in lines), ZERO) for name in ("amount", "allowance", "tax")]
    assert sums == [invoice.subtotal, invoice.allowance, invoice.tax]
    assert invoice.total_amount == invoice.subtotal - invoice.allowance + invoice.tax
    amounts = [getattr(line, name) for line in lines for name in ("amount", "allowance", "tax")]
    for amount in [*amounts, invoice.total_amount, invoice.amount_paid]:
        assert amount == round_money(amount, invoice.currency)
    for line in lines:
        assert 0 <= line.allowance <= max(line.amount, ZERO)
    groups = [[Decimal(group[name]) for group in invoice.tax_groups] for name in ("amount", "allowance", "base", "tax")]
    if invoice.tax_groups:
        assert [sum(column, ZERO) for column in groups] == [*sums[:2], sums[0] - sums[1], sums[2]]
        for base, tax, group in zip(groups[2], groups[3], invoice.tax_groups, strict=True):
            assert tax == round_money(base * Decimal(group["rate"]) / 100, invoice.currency)


def invoices(company: Company) -> list[Invoice]:
    with tenant_scope(company.tenant.pk):
        return list(Invoice.objects.for_tenant(company.tenant).order_by("period_start"))
