"""What tests of billing say often."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import OutboxEvent
from accounts.tenancy import system_access, tenant_scope
from billing.models import BillingProfile, Invoice, InvoiceLineItem, LegalEntity
from billing.services import Seller, draft_invoice, finalize_invoice, set_seller
from tests.factories import Company
from tests.usage.helpers import at, periods, record
from usage.models import BillingPeriod, PricingPlan, Subscription
from usage.services import close_period

APRIL = at(2026, 4, 1, 2)  # March is over, and the hour of grace


def sell_from(country: str = "IE", tax_id: str = "IE1234567FA", **more: Any) -> LegalEntity:
    """Make a default seller; one in Ireland charges 23 percent there."""
    entity = set_seller(Seller(name="Northwind Ltd", address="12 Harbour Street", country=country, tax_id=tax_id))
    for name, value in more.items():
        setattr(entity, name, value)
    entity.save()
    return entity


def buy_from(company: Company, country: str = "IE", **more: Any) -> None:
    """Say who the company is on its invoices."""
    with tenant_scope(company.tenant.pk):
        rows = BillingProfile.objects.for_tenant(company.tenant)
        rows.update_or_create(tenant=company.tenant, defaults={"country": country, **more})


def move_to(company: Company, plan: str) -> None:
    """Put the company on another plan, as if it had been from the start."""
    with system_access("test"):
        found = PricingPlan.objects.get(slug=plan)
        Subscription.unscoped.filter(tenant=company.tenant).update(plan=found, status="active", trial_ends_at=None)
        BillingPeriod.unscoped.filter(tenant=company.tenant).update(plan=found)


def drafted(company: Company, *, messages: int = 10_000, now: datetime = APRIL) -> Invoice:
    """Close the company's March, in which it sent SMS at 0.0075 with 50 of credit, and draft its invoice."""
    if messages:
        record(company, quantity=Decimal(messages))
    march = periods(company)[0]
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=now)
        return draft_invoice(tenant_id=company.tenant.pk, period_id=march.pk, now=now)


def finalized(company: Company, *, messages: int = 10_000, now: datetime = APRIL) -> Invoice:
    """Draft and finalize the company's March."""
    return finalize(drafted(company, messages=messages, now=now), now=now)


def finalize(invoice: Invoice, *, now: datetime = APRIL) -> Invoice:
    with tenant_scope(invoice.tenant_id):
        return finalize_invoice(tenant_id=invoice.tenant_id, invoice_id=invoice.pk, now=now)


def stored(invoice: Invoice) -> Invoice:
    """Read the invoice as the database has it."""
    with tenant_scope(invoice.tenant_id):
        return Invoice.objects.for_tenant(invoice.tenant_id).get(pk=invoice.pk)


def lines_of(invoice: Invoice) -> list[InvoiceLineItem]:
    with tenant_scope(invoice.tenant_id):
        return list(InvoiceLineItem.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice).order_by("position"))


def announced(company: Company) -> list[str]:
    """Return the types of the invoice events in the company's outbox, in their order."""
    with tenant_scope(company.tenant.pk):
        rows = OutboxEvent.objects.for_tenant(company.tenant).filter(type__startswith="invoice.")
        return list(rows.order_by("created_at", "id").values_list("type", flat=True))
