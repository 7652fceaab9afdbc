"""Documents over HTTP: e-invoices of invoices, both files of credit notes."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.api import TenantViewSet
from billing.api import PDFRenderer
from billing.services import documents
from billing.services.documents import Printed
from common.http import JSONRenderer
from common.ids import decode

PDF, XML = "application/pdf", "application/xml"


class XMLRenderer(PDFRenderer):
    """Let a caller ask for XML by `Accept`; a refusal is written as JSON."""

    media_type = XML
    format = "xml"


class InvoiceXmlViewSet(TenantViewSet):
    permissions = {"show": "billing.read"}
    renderer_classes: Any = (XMLRenderer, JSONRenderer)

    @extend_schema(
        summary="An invoice as e-invoice",
        description="Factur-X / ZUGFeRD XML, profile EN 16931: the same as is embedded in its PDF. "
        "409 `no-e-invoice` for a draft.",
        responses={(200, XML): OpenApiTypes.BINARY},
        tags=["billing"],
    )
    def show(self, request: Request, id: str) -> HttpResponse:
        printed = documents.invoice_xml(tenant_id=self.principal.tenant_id, invoice_id=decode("inv", id))
        return handed_out(printed, XML)


class CreditNotePdfViewSet(TenantViewSet):
    permissions = {"show": "billing.read"}
    renderer_classes: Any = (PDFRenderer, JSONRenderer)

    @extend_schema(summary="A credit note as PDF", responses={(200, PDF): OpenApiTypes.BINARY}, tags=["billing"])
    def show(self, request: Request, id: str) -> HttpResponse:
        printed = documents.credit_note_pdf(tenant_id=self.principal.tenant_id, credit_note_id=decode("cn", id))
        return handed_out(printed, PDF)


class CreditNoteXmlViewSet(TenantViewSet):
    permissions = {"show": "billing.read"}
    renderer_classes: Any = (XMLRenderer, JSONRenderer)

    @extend_schema(
        summary="A credit note as e-invoice",
        description="Factur-X / ZUGFeRD XML, profile EN 16931, document type 381.",
        responses={(200, XML): OpenApiTypes.BINARY},
        tags=["billing"],
    )
    def show(self, request: Request, id: str) -> HttpResponse:
        printed = documents.credit_note_xml(tenant_id=self.principal.tenant_id, credit_note_id=decode("cn", id))
        return handed_out(printed, XML)


def handed_out(printed: Printed, media_type: str) -> HttpResponse:
    """Return a file for a browser to show, with its hash as ETag."""
    return HttpResponse(
        printed.content,
        content_type=media_type,
        headers={
            "Content-Disposition": f'inline; filename="{printed.filename}"',
            "ETag": f'"{printed.sha256}"',
            "Cache-Control": "private, no-cache",
        },
    )
