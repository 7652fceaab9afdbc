"""Billing over HTTP: invoices with their documents, plans."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from billing import presenting, schemas, selectors, services
from billing.models import Invoice
from common.http import JSONRenderer
from common.ids import decode
from common.pagination import paginate
from usage import selectors as usage

STATUS = OpenApiParameter("status", str, enum=Invoice.Status.values, description="Only those of this status.")
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")


class PDFRenderer(BaseRenderer):
    """Let a caller ask for a PDF by `Accept`; a refusal is written as JSON."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return orjson.dumps(data)


class InvoiceViewSet(TenantViewSet):
    permissions = {"list": "billing.read", "show": "billing.read", "draft": "billing.draft"}

    @extend_schema(
        summary="Invoices, newest first",
        parameters=[STATUS, CURSOR, LIMIT],
        responses={200: schemas.InvoicePage},
        tags=["billing"],
    )
    def list(self, request: Request) -> Response:
        status = request.query_params.get("status", "")
        invoices = selectors.invoices_of(tenant_id=self.principal.tenant_id, status=status)
        return Response(paginate(invoices, request, present=presenting.present_invoice))

    @extend_schema(
        summary="One invoice with its lines",
        responses={200: schemas.InvoiceDetail},
        examples=[schemas.INVOICE_EXAMPLE],
        tags=["billing"],
    )
    def show(self, request: Request, id: str) -> Response:
        return Response(self._detail(decode("inv", id)))

    @extend_schema(
        summary="Draft the current period's invoice now",
        description="The same draft as before, its lines made anew.",
        request=None,
        responses={200: schemas.InvoiceDetail},
        examples=[schemas.INVOICE_EXAMPLE],
        tags=["billing"],
    )
    def draft(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        period = usage.current_period(tenant_id=tenant_id, now=self.now)
        invoice = services.draft_invoice(tenant_id=tenant_id, period_id=period.pk, now=self.now)
        return Response(self._detail(invoice.pk))

    def _detail(self, invoice_id: UUID) -> dict[str, Any]:
        invoice = selectors.invoice_of(tenant_id=self.principal.tenant_id, invoice_id=invoice_id)
        return presenting.present_invoice_with_lines(invoice)


class InvoicePdfViewSet(TenantViewSet):
    permissions = {"show": "billing.read"}
    renderer_classes = (PDFRenderer, JSONRenderer)

    @extend_schema(
        summary="An invoice as PDF",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=["billing"],
    )
    def show(self, request: Request, id: str) -> HttpResponse:
        printed = services.invoice_pdf(tenant_id=self.principal.tenant_id, invoice_id=decode("inv", id))
        return HttpResponse(
            printed.content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="{printed.filename}"',
                "ETag": f'"{printed.sha256}"',
                "Cache-Control": "private, no-cache",
            },
        )


class PlanViewSet(TenantViewSet):
    permissions = {"list": "billing.read"}

    @extend_schema(summary="Plans on offer", responses={200: schemas.Plans}, tags=["billing"])
    def list(self, request: Request) -> Response:
        meters = usage.meters_by_key()
        return Response({"results": [presenting.present_plan(plan, meters) for plan in usage.offered_plans()]})
