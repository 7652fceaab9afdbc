"""The stored documents of invoices and credit notes: a PDF with the e-invoice in it, and the e-invoice by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.exports.contents import StoredFile
from billing.documents.content import InvoiceContent
from billing.documents.pdf import render
from billing.einvoice.checks import obstacles
from billing.einvoice.cii import cii_xml
from billing.errors import NoEInvoice
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceDocument
from billing.selectors import invoice_of, top_up_of
from billing.services.contents import content_of_credit_note, content_of_invoice, content_of_top_up
from common.errors import NotFound


@dataclass(frozen=True)
class Printed:
    """A file to hand out."""

    filename: str
    content: bytes
    sha256: str


def invoice_pdf(*, tenant_id: UUID, invoice_id: UUID) -> Printed:
    """Return the invoice's PDF: rendered once and stored, a draft's again when its lines were made anew.

    Raises NotFound for a foreign invoice.
    """
    return _pdf(_document_of_invoice(tenant_id, invoice_id), "invoice")


def invoice_xml(*, tenant_id: UUID, invoice_id: UUID) -> Printed:
    """Return the invoice as EN 16931 XML, the same as in its PDF.

    Raises NotFound for a foreign invoice, NoEInvoice for a draft or where EN 16931 cannot say what it says.
    """
    return _xml(_document_of_invoice(tenant_id, invoice_id), "invoice")


def credit_note_pdf(*, tenant_id: UUID, credit_note_id: UUID) -> Printed:
    """Return a credit note's PDF, rendered once and stored; raise NotFound for a foreign one."""
    return _pdf(_document_of_credit_note(tenant_id, credit_note_id), "credit-note")


def credit_note_xml(*, tenant_id: UUID, credit_note_id: UUID) -> Printed:
    """Return a credit note as EN 16931 XML; raise NotFound for a foreign one, NoEInvoice where it cannot be."""
    return _xml(_document_of_credit_note(tenant_id, credit_note_id), "credit-note")


def top_up_pdf(*, tenant_id: UUID, top_up_id: UUID) -> Printed:
    """Return a top-up's request to pay as PDF, the same bytes each time; raise NotFound for a foreign one."""
    top_up = top_up_of(tenant_id=tenant_id, top_up_id=top_up_id)
    pdf = render(content_of_top_up(top_up, timezone=top_up.legal_entity.timezone))
    return Printed(f"payment-request-{top_up.number}.pdf", pdf, sha256(pdf).hexdigest())


def _pdf(document: InvoiceDocument, kind: str) -> Printed:
    name = document.number or f"draft-{document.drafted_at:%Y-%m-%d}"
    return Printed(f"{kind}-{name}.pdf", bytes(document.content), document.sha256)


def _xml(document: InvoiceDocument, kind: str) -> Printed:
    if not document.xml:
        raise NoEInvoice(" ".join(document.obstacles))
    return Printed(f"{kind}-{document.number}.xml", bytes(document.xml), document.xml_sha256)


def _document_of_invoice(tenant_id: UUID, invoice_id: UUID) -> InvoiceDocument:
    invoice = invoice_of(tenant_id=tenant_id, invoice_id=invoice_id)
    document = InvoiceDocument.objects.for_tenant(tenant_id).filter(invoice=invoice).first()
    if document is not None and _is_of(document, invoice):
        return document
    return _stored(_made(content_of_invoice(invoice), invoice.drafted_at, tenant_id=tenant_id, invoice=invoice))


def _document_of_credit_note(tenant_id: UUID, credit_note_id: UUID) -> InvoiceDocument:
    notes = CreditNote.objects.for_tenant(tenant_id).select_related("invoice__billing_period")
    note = notes.filter(pk=credit_note_id).first()
    if note is None:
        raise NotFound("There is no such credit note.")
    document = InvoiceDocument.objects.for_tenant(tenant_id).filter(credit_note=note).first()
    if document is not None:
        return document
    lines = list(CreditNoteLine.objects.for_tenant(tenant_id).filter(credit_note=note).order_by("position"))
    made = _made(content_of_credit_note(note, lines), note.created_at, tenant_id=tenant_id, credit_note=note)
    return _stored(made)


def _is_of(document: InvoiceDocument, invoice: Invoice) -> bool:
    """Say whether it was made of what the invoice is now."""
    return document.number == invoice.invoice_number and document.drafted_at == invoice.drafted_at


def _made(content: InvoiceContent, drafted_at: datetime, **owner: Any) -> InvoiceDocument:
    """Render a document; where EN 16931 cannot say what it says, without an e-invoice and with the reasons."""
    reasons = obstacles(content)
    xml = b"" if reasons else cii_xml(content)
    pdf = render(content, xml=xml)
    return InvoiceDocument(
        **owner,
        number=content.number,
        drafted_at=drafted_at,
        content=pdf,
        sha256=sha256(pdf).hexdigest(),
        xml=xml,
        xml_sha256=sha256(xml).hexdigest() if xml else "",
        obstacles=list(reasons),
    )


def _stored(document: InvoiceDocument) -> InvoiceDocument:
    """Store a document in the place of a draft's; a final one that somebody stored meanwhile is returned instead.

    Whoever comes second with a draft's returns what it made: the next to ask makes it anew where it was an older one.
    """
    documents = InvoiceDocument.objects.for_tenant(document.tenant_id)
    if document.invoice_id:
        documents.filter(invoice_id=document.invoice_id, number="").delete()
    InvoiceDocument.objects.bulk_create([document], ignore_conflicts=True)
    if not document.number:
        return document
    return documents.get(invoice=document.invoice, credit_note=document.credit_note)


def files_of(tenant_id: UUID) -> Iterator[StoredFile]:
    """Return the documents of a company, for its archive: of each numbered one its PDF, and its e-invoice if there can be one."""
    invoices = Invoice.objects.for_tenant(tenant_id).exclude(invoice_number="").order_by("pk")
    notes = CreditNote.objects.for_tenant(tenant_id).order_by("pk")
    printers: list[tuple[str, str, QuerySet[Any], Callable[..., Printed], Callable[..., Printed]]] = [
        ("invoices", "invoice_id", invoices, invoice_pdf, invoice_xml),
        ("credit-notes", "credit_note_id", notes, credit_note_pdf, credit_note_xml),
    ]
    for folder, name, rows, pdf, xml in printers:
        for key in rows.values_list("pk", flat=True):
            which = {"tenant_id": tenant_id, name: key}
            yield StoredFile(f"{folder}/{key.hex}.pdf", partial(_opened, pdf, **which))
            yield StoredFile(f"{folder}/{key.hex}.xml", partial(_opened, xml, **which))


def _opened(printer: Callable[..., Printed], **which: UUID) -> BytesIO:
    """Open a document that is printed now if nobody has asked for it yet; FileNotFoundError where there can be none."""
    try:
        return BytesIO(printer(**which).content)
    except NoEInvoice as error:
        raise FileNotFoundError(str(error)) from error
