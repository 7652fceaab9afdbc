"""What is read of billing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import DecimalField, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import Tenant
from billing.models import (
    BillingProfile,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLineItem,
    InvoiceRunItem,
    Payment,
    TopUp,
)
from common.errors import Invalid, NotFound
from usage.models import BillingPeriod


@dataclass(frozen=True)
class DuePeriod:
    tenant_id: UUID
    period_id: UUID


def invoices_of(*, tenant_id: UUID, status: str = "") -> QuerySet[Invoice]:
    """Return a tenant's invoices with what is credited, of one status or of all; raise Invalid for a status there is not."""
    invoices = _with_credited(Invoice.objects.for_tenant(tenant_id), tenant_id)
    if not status:
        return invoices
    if status not in Invoice.Status.values:
        raise Invalid(f"status must be one of {', '.join(Invoice.Status.values)}.", pointer="/status")
    return invoices.filter(status=status)


def invoice_of(*, tenant_id: UUID, invoice_id: UUID) -> Invoice:
    """Return an invoice with tenant, plan, period, lines, payments and credit notes; raise NotFound for a foreign one."""
    invoices = _with_credited(Invoice.objects.for_tenant(tenant_id), tenant_id).prefetch_related(
        Prefetch("lines", InvoiceLineItem.objects.for_tenant(tenant_id).order_by("position")),
        Prefetch("payments", Payment.objects.for_tenant(tenant_id).order_by("received_at", "id")),
        Prefetch("credit_notes", CreditNote.objects.for_tenant(tenant_id).order_by("created_at", "id")),
    )
    found = invoices.select_related("tenant", "subscription__plan", "billing_period").filter(pk=invoice_id).first()
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


def credit_notes_of(*, tenant_id: UUID) -> QuerySet[CreditNote]:
    """Return a tenant's credit notes with their invoices."""
    return CreditNote.objects.for_tenant(tenant_id).select_related("invoice")


def credit_note_of(*, tenant_id: UUID, credit_note_id: UUID) -> CreditNote:
    """Return a credit note with its invoice and lines; raise NotFound for a foreign one."""
    lines = CreditNoteLine.objects.for_tenant(tenant_id).select_related("invoice_line").order_by("position")
    notes = credit_notes_of(tenant_id=tenant_id).prefetch_related(Prefetch("lines", lines))
    found = notes.filter(pk=credit_note_id).first()
    if found is None:
        raise NotFound("There is no such credit note.")
    return found


def top_ups_of(*, tenant_id: UUID) -> QuerySet[TopUp]:
    """Return a tenant's top-ups."""
    return TopUp.objects.for_tenant(tenant_id)


def top_up_of(*, tenant_id: UUID, top_up_id: UUID) -> TopUp:
    """Return a top-up with its seller and payments; raise NotFound for a foreign one."""
    payments = Payment.objects.for_tenant(tenant_id).order_by("received_at", "id")
    top_ups = top_ups_of(tenant_id=tenant_id).select_related("legal_entity")
    found = top_ups.prefetch_related(Prefetch("payments", payments)).filter(pk=top_up_id).first()
    if found is None:
        raise NotFound("There is no such top-up.")
    return found


def payments_of(*, tenant_id: UUID) -> QuerySet[Payment]:
    """Return a tenant's payments with what they are for."""
    return Payment.objects.for_tenant(tenant_id).select_related("invoice", "top_up")


def profile_of(*, tenant_id: UUID) -> BillingProfile:
    """Return who a tenant is on its invoices; an empty profile, not stored, where it has said nothing yet."""
    found = BillingProfile.objects.for_tenant(tenant_id).select_related("tenant", "seller").first()
    return found or BillingProfile(tenant=Tenant.objects.get(pk=tenant_id))


def _with_credited(invoices: QuerySet[Invoice], tenant_id: UUID) -> QuerySet[Invoice]:
    """Set `amount_credited` on each, in the same query."""
    notes = CreditNote.objects.for_tenant(tenant_id).filter(invoice=OuterRef("pk")).order_by().values("invoice")
    credited = Subquery(notes.annotate(sum=Sum("total_amount")).values("sum"))
    return invoices.annotate(  # type: ignore[no-redef] # the attribute is there to be set
        amount_credited=Coalesce(credited, Decimal(0), output_field=DecimalField())
    )


def periods_to_draft(*, now: datetime) -> list[DuePeriod]:
    """Return every tenant's periods whose draft may have changed: the open ones, and closed ones no run has taken up."""
    finished = Invoice.unscoped.filter(billing_period=OuterRef("pk")).filter(
        ~Q(status=Invoice.Status.DRAFT) | Q(drafted_at__gte=OuterRef("closed_at"))
    )
    in_a_run = InvoiceRunItem.unscoped.filter(billing_period=OuterRef("pk"))  # which drafts them itself
    periods = BillingPeriod.unscoped.filter(starts_at__lte=now).exclude(
        ~Q(state=BillingPeriod.State.OPEN) & (Exists(finished) | Exists(in_a_run))
    )
    return [DuePeriod(*row) for row in periods.order_by("tenant_id", "starts_at").values_list("tenant_id", "pk")]
