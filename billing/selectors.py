"""What is read of billing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from billing.models import Invoice, InvoiceLineItem
from common.errors import Invalid, NotFound
from usage.models import BillingPeriod


@dataclass(frozen=True)
class DuePeriod:
    tenant_id: UUID
    period_id: UUID


def invoices_of(*, tenant_id: UUID, status: str = "") -> QuerySet[Invoice]:
    """Return a tenant's invoices, of one status or of all; raise Invalid for a status there is not."""
    invoices = Invoice.objects.for_tenant(tenant_id)
    if not status:
        return invoices
    if status not in Invoice.Status.values:
        raise Invalid(f"status must be one of {', '.join(Invoice.Status.values)}.", pointer="/status")
    return invoices.filter(status=status)


def invoice_of(*, tenant_id: UUID, invoice_id: UUID) -> Invoice:
    """Return an invoice with tenant, plan, period and lines; raise NotFound for a foreign one."""
    in_order = Prefetch("lines", InvoiceLineItem.objects.for_tenant(tenant_id).order_by("position"))
    invoices = Invoice.objects.for_tenant(tenant_id).prefetch_related(in_order)
    found = invoices.select_related("tenant", "subscription__plan", "billing_period").filter(pk=invoice_id).first()
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


def periods_to_draft(*, now: datetime) -> list[DuePeriod]:
    """Return every tenant's periods whose draft may have changed: the open ones, and closed ones not drafted since."""
    finished = Invoice.unscoped.filter(billing_period=OuterRef("pk")).filter(
        ~Q(status=Invoice.Status.DRAFT) | Q(drafted_at__gte=OuterRef("closed_at"))
    )
    periods = BillingPeriod.unscoped.filter(starts_at__lte=now).exclude(
        Q(state=BillingPeriod.State.CLOSED) & Exists(finished)
    )
    return [DuePeriod(*row) for row in periods.order_by("tenant_id", "starts_at").values_list("tenant_id", "pk")]
