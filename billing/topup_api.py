"""Top-ups and payments over HTTP. A tenant asks to pay in advance; operators book what comes."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from billing import presenting, schemas, selectors, services
from billing.api import CURSOR, LIMIT, PDFRenderer
from billing.document_api import PDF, handed_out
from billing.models import Payment, TopUp
from billing.services import documents
from common.errors import Invalid
from common.http import JSONRenderer
from common.ids import decode, encode
from common.money import round_money
from common.pagination import paginate
from common.timestamps import rfc3339

STATUS = OpenApiParameter("status", str, enum=TopUp.Status.values, description="Only those of this status.")
DECIMAL = "A decimal in a string."


class TopUpBody(serializers.Serializer[Any]):
    amount = serializers.DecimalField(
        max_digits=13, decimal_places=3, coerce_to_string=True, help_text="More than 0, in the tenant's currency."
    )


class TopUpRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    number = serializers.CharField()
    status = serializers.ChoiceField(TopUp.Status.values)
    amount = serializers.CharField(help_text=DECIMAL)
    currency = serializers.CharField()
    amount_paid = serializers.CharField(help_text="As much prepaid credit was granted. " + DECIMAL)
    amount_due = serializers.CharField(help_text="0 of a canceled one. " + DECIMAL)
    reference = serializers.CharField(help_text="For the transfer: a creditor reference (ISO 11649).")
    issue_date = serializers.DateField()
    seller = serializers.DictField(child=serializers.CharField(), help_text="With where to pay to.")
    buyer = serializers.DictField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    canceled_at = serializers.DateTimeField(allow_null=True)


class TopUpDetail(TopUpRow):
    payments = schemas.InvoicePayment(many=True)


class TopUpPage(serializers.Serializer[Any]):
    results = TopUpRow(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class PaymentRow(schemas.InvoicePayment):
    invoice = serializers.CharField(allow_null=True)
    invoice_number = serializers.CharField(allow_null=True)
    top_up = serializers.CharField(allow_null=True)
    top_up_number = serializers.CharField(allow_null=True)


class PaymentPage(serializers.Serializer[Any]):
    results = PaymentRow(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class TopUpViewSet(TenantViewSet):
    permissions = {
        "list": "billing.read", "show": "billing.read", "create": "billing.top_up", "cancel": "billing.top_up",
    }  # fmt: skip

    @extend_schema(
        summary="Top-ups, newest first",
        parameters=[STATUS, CURSOR, LIMIT],
        responses={200: TopUpPage},
        tags=["billing"],
    )
    def list(self, request: Request) -> Response:
        top_ups = selectors.top_ups_of(tenant_id=self.principal.tenant_id)
        if status := request.query_params.get("status", ""):
            if status not in TopUp.Status.values:
                raise Invalid(f"status must be one of {', '.join(TopUp.Status.values)}.", pointer="/status")
            top_ups = top_ups.filter(status=status)
        return Response(paginate(top_ups, request, present=present_top_up))

    @extend_schema(
        summary="Ask to pay in advance",
        description="Answers a request to pay, which is e-mailed as PDF too. It is no invoice, and no tax is charged: the "
        "invoices that the credit pays charge it. Prepaid credit is granted when the payment has come.",
        request=TopUpBody,
        responses={201: TopUpDetail},
        examples=[OpenApiExample("A hundred", {"amount": "100"}, request_only=True)],
        tags=["billing"],
    )
    def create(self, request: Request) -> Response:
        return self.once(self._create)

    @extend_schema(summary="One top-up with its payments", responses={200: TopUpDetail}, tags=["billing"])
    def show(self, request: Request, id: str) -> Response:
        top_up = selectors.top_up_of(tenant_id=self.principal.tenant_id, top_up_id=decode("tu", id))
        return Response(_present_whole(top_up))

    @extend_schema(
        summary="Withdraw a top-up",
        description="409 `not-open` once something was paid of it; a repeat changes nothing.",
        request=None,
        responses={200: TopUpDetail},
        tags=["billing"],
    )
    def cancel(self, request: Request, id: str) -> Response:
        top_up_id = decode("tu", id)
        services.cancel_top_up(tenant_id=self.principal.tenant_id, top_up_id=top_up_id, now=self.now)
        return Response(_present_whole(selectors.top_up_of(tenant_id=self.principal.tenant_id, top_up_id=top_up_id)))

    def _create(self) -> Response:
        tenant_id = self.principal.tenant_id
        asked = services.request_top_up(tenant_id=tenant_id, amount=self.read(TopUpBody)["amount"], now=self.now)
        return Response(_present_whole(selectors.top_up_of(tenant_id=tenant_id, top_up_id=asked.pk)), status=201)


class TopUpPdfViewSet(TenantViewSet):
    permissions = {"show": "billing.read"}
    renderer_classes: Any = (PDFRenderer, JSONRenderer)

    @extend_schema(summary="A request to pay as PDF", responses={(200, PDF): OpenApiTypes.BINARY}, tags=["billing"])
    def show(self, request: Request, id: str) -> HttpResponse:
        printed = documents.top_up_pdf(tenant_id=self.principal.tenant_id, top_up_id=decode("tu", id))
        return handed_out(printed, PDF)


class PaymentViewSet(TenantViewSet):
    permissions = {"list": "billing.read"}

    @extend_schema(
        summary="Payments of invoices and top-ups, the latest received first",
        parameters=[CURSOR, LIMIT],
        responses={200: PaymentPage},
        tags=["billing"],
    )
    def list(self, request: Request) -> Response:
        payments = selectors.payments_of(tenant_id=self.principal.tenant_id)
        return Response(paginate(payments, request, present=present_payment_row, moment="received_at"))


def present_top_up(top_up: TopUp) -> dict[str, Any]:
    """Return a top-up without its payments."""

    def money(amount: Decimal) -> str:
        return str(round_money(amount, top_up.currency))

    is_open = top_up.status == TopUp.Status.OPEN
    return {
        "id": encode("tu", top_up.pk),
        "number": top_up.number,
        "status": top_up.status,
        "amount": money(top_up.amount),
        "currency": top_up.currency,
        "amount_paid": money(top_up.amount_paid),
        "amount_due": money(top_up.amount_due if is_open else Decimal(0)),
        "reference": top_up.reference,
        "issue_date": top_up.issue_date.isoformat(),
        "seller": top_up.seller,
        "buyer": top_up.buyer,
        "created_at": rfc3339(top_up.created_at),
        "paid_at": rfc3339(top_up.paid_at),
        "canceled_at": rfc3339(top_up.canceled_at),
    }


def present_payment_row(payment: Payment) -> dict[str, Any]:
    """Return a payment with what it is for, which is loaded already."""
    invoice, top_up = payment.invoice, payment.top_up
    return {
        **presenting.present_payment(payment),
        "invoice": encode("inv", invoice.pk) if invoice else None,
        "invoice_number": invoice.invoice_number if invoice else None,
        "top_up": encode("tu", top_up.pk) if top_up else None,
        "top_up_number": top_up.number if top_up else None,
    }


def _present_whole(top_up: TopUp) -> dict[str, Any]:
    payments = [presenting.present_payment(payment) for payment in top_up.payments.all()]
    return {**present_top_up(top_up), "payments": payments}
