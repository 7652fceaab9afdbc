"""Credit notes over HTTP. Operators issue them; a tenant reads its own."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from billing import presenting, schemas, selectors
from billing.api import CURSOR, LIMIT
from common.ids import decode
from common.pagination import paginate


class CreditNoteLine(serializers.Serializer[Any]):
    invoice_line = serializers.IntegerField(help_text="The position of the invoice's line it takes back from.")
    description = serializers.CharField()
    service_start = serializers.DateField()
    service_end = serializers.DateField()
    amount = serializers.CharField()
    tax_category = serializers.CharField()
    tax_rate = serializers.CharField()
    tax = serializers.CharField()


class CreditNoteRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    credit_note_number = serializers.CharField()
    invoice = serializers.CharField()
    invoice_number = serializers.CharField()
    issue_date = serializers.DateField()
    reason = serializers.CharField()
    currency = serializers.CharField()
    subtotal = serializers.CharField()
    tax = serializers.CharField()
    total_amount = serializers.CharField(help_text="So much less is owed of the invoice.")
    tax_groups = schemas.TaxGroup(many=True)
    tax_currency = serializers.CharField(allow_null=True)
    tax_exchange_rate = serializers.CharField(allow_null=True)
    tax_in_tax_currency = serializers.CharField(allow_null=True)
    seller = serializers.DictField(child=serializers.CharField())
    buyer = serializers.DictField(child=serializers.CharField())


class CreditNoteDetail(CreditNoteRow):
    lines = CreditNoteLine(many=True)


class CreditNotePage(serializers.Serializer[Any]):
    results = CreditNoteRow(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class CreditNoteViewSet(TenantViewSet):
    permissions = {"list": "billing.read", "show": "billing.read"}

    @extend_schema(
        summary="Credit notes, newest first",
        parameters=[CURSOR, LIMIT],
        responses={200: CreditNotePage},
        tags=["billing"],
    )
    def list(self, request: Request) -> Response:
        notes = selectors.credit_notes_of(tenant_id=self.principal.tenant_id)
        return Response(paginate(notes, request, present=presenting.present_credit_note))

    @extend_schema(summary="One credit note with its lines", responses={200: CreditNoteDetail}, tags=["billing"])
    def show(self, request: Request, id: str) -> Response:
        note = selectors.credit_note_of(tenant_id=self.principal.tenant_id, credit_note_id=decode("cn", id))
        return Response(presenting.present_credit_note_with_lines(note))
