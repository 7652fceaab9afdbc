"""The stored PDF of an invoice."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import Tenant
from billing.documents.content import InvoiceContent, Line, Party, UsageDay
from billing.documents.pdf import render
from billing.models import Invoice, InvoiceDocument, InvoiceLineItem, LegalEntity
from billing.selectors import invoice_of
from usage.models import Meter
from usage.selectors import meters_by_key, shown_units

UNNAMED_SELLER = Party(name="IRISX")  # drafts only: finalizing needs a seller


@dataclass(frozen=True)
class Printed:
    """A PDF to hand out."""

    filename: str
    content: bytes
    sha256: str


def invoice_pdf(*, tenant_id: UUID, invoice_id: UUID) -> Printed:
    """Return the invoice's PDF: rendered once and stored, a draft's again when its lines were made anew.

    Raises NotFound for a foreign invoice.
    """
    invoice = invoice_of(tenant_id=tenant_id, invoice_id=invoice_id)
    document = InvoiceDocument.objects.for_tenant(tenant_id).filter(invoice=invoice).first()
    if document is None or document.drafted_at != invoice.drafted_at:
        document = _store(invoice, render(content_of(invoice)))
    return Printed(_filename(invoice), bytes(document.content), document.sha256)


def content_of(invoice: Invoice) -> InvoiceContent:
    """Return what the invoice's document says."""
    tenant, period = invoice.tenant, invoice.billing_period
    meters = meters_by_key()
    return InvoiceContent(
        number=invoice.invoice_number,
        is_draft=invoice.is_draft,
        currency=invoice.currency,
        seller=_seller(),
        buyer=_buyer(tenant),
        plan=invoice.subscription.plan.name,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        lines=tuple(_line(line) for line in invoice.lines.all()),
        subtotal=invoice.subtotal,
        allowance=invoice.allowance,
        tax=invoice.tax,
        total=invoice.total_amount,
        timezone=period.timezone,
        as_of=invoice.drafted_at.astimezone(ZoneInfo(period.timezone)),
        notes=invoice.notes,
        usage=tuple(_usage_day(row, meters[row["channel"], row["resource_type"]]) for row in invoice.usage_days),
    )


def _store(invoice: Invoice, content: bytes) -> InvoiceDocument:
    document = InvoiceDocument(
        tenant_id=invoice.tenant_id,
        invoice=invoice,
        drafted_at=invoice.drafted_at,
        content=content,
        sha256=sha256(content).hexdigest(),
    )
    InvoiceDocument.objects.bulk_create(
        [document],
        update_conflicts=True,
        unique_fields=["invoice"],
        update_fields=["drafted_at", "content", "sha256"],
    )
    return document


def _filename(invoice: Invoice) -> str:
    return f"invoice-{invoice.invoice_number or f'draft-{invoice.period_start}'}.pdf"


def _seller() -> Party:
    entity = LegalEntity.objects.filter(is_default=True).first()
    if entity is None:
        return UNNAMED_SELLER
    return Party(entity.name, tuple(entity.address.splitlines()), entity.tax_id, entity.email)


def _buyer(tenant: Tenant) -> Party:
    return Party(name=tenant.name, email=tenant.billing_email)


def _line(line: InvoiceLineItem) -> Line:
    return Line(
        description=line.description,
        service_start=line.service_start,
        service_end=line.service_end,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        amount=line.amount,
        detail=line.detail,
    )


def _usage_day(row: dict[str, str], meter: Meter) -> UsageDay:
    return UsageDay(
        day=date.fromisoformat(row["day"]),
        meter=meter.name,
        quantity=shown_units(Decimal(row["billed_quantity"]), meter.price_per),
        unit=meter.unit_plural,
        events=int(row["events"]),
    )
