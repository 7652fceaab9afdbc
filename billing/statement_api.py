"""A customer's statement over HTTP: as JSON, CSV and PDF."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.models import Tenant
from billing.api import PDFRenderer
from billing.document_api import PDF, handed_out
from billing.services import statement
from billing.services.statement_files import statement_csv, statement_pdf
from billing.services.statements import Account, Statement
from common.http import JSONRenderer
from common.money import round_money
from common.periods import days_asked_for, local_day

MOST_DAYS = 366
DAYS = [
    OpenApiParameter("start_date", OpenApiTypes.DATE, description="The first day; 30 days until the last by default."),
    OpenApiParameter("end_date", OpenApiTypes.DATE, description="The last day, inclusive; today by default."),
]
CSV = "text/csv"


class StatementEntry(serializers.Serializer[Any]):
    date = serializers.DateField()
    kind = serializers.ChoiceField(
        ["invoice", "credit_note", "payment", "refund", "moved_to_credit", "granted", "used", "expired"]
    )
    document = serializers.CharField(help_text="The number of the invoice or credit note; empty of credit.")
    detail = serializers.CharField(help_text="Method and reference of a payment, what credit was granted for.")
    amount = serializers.CharField(help_text="Above 0: adds to the balance.")
    balance = serializers.CharField(help_text="With this entry.")


class StatementAccount(serializers.Serializer[Any]):
    opening_balance = serializers.CharField()
    entries = StatementEntry(many=True)
    closing_balance = serializers.CharField()


class StatementAnswer(serializers.Serializer[Any]):
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    timezone = serializers.CharField()
    currency = serializers.CharField()
    owed = StatementAccount(help_text="What is owed of invoices; below 0 in the customer's favour.")
    prepaid = StatementAccount(help_text="Credit that was paid in advance.")


class StatementViewSet(TenantViewSet):
    permissions = {"show": "billing.read"}

    @extend_schema(
        summary="Statement of account",
        description="Two accounts: what is owed of invoices, and credit paid in advance. Invoices and credit notes count on "
        "their issue date, payments on the day they were received. At most 366 days.",
        parameters=DAYS,
        responses={200: StatementAnswer},
        tags=["billing"],
    )
    def show(self, request: Request) -> Response:
        return Response(present_statement(self.statement()))

    def statement(self) -> Statement:
        """Return the statement of the days asked for."""
        tenant = Tenant.objects.get(pk=self.principal.tenant_id)
        today = local_day(self.now, tenant.timezone)
        first, last = days_asked_for(self.request.query_params, today=today, most_days=MOST_DAYS)
        return statement(tenant_id=tenant.pk, start_date=first, end_date=last)


class CSVRenderer(PDFRenderer):
    """Let a caller ask for CSV by `Accept`; a refusal is written as JSON."""

    media_type = CSV
    format = "csv"


class StatementCsvViewSet(StatementViewSet):
    renderer_classes: Any = (CSVRenderer, JSONRenderer)

    @extend_schema(
        summary="Statement of account as CSV",
        parameters=DAYS,
        responses={(200, CSV): OpenApiTypes.BINARY},
        tags=["billing"],
    )
    def show(self, request: Request) -> HttpResponse:  # type: ignore[override] # a file
        found = self.statement()
        return HttpResponse(
            statement_csv(found),
            content_type=f"{CSV}; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{found.filename}.csv"',
                "Cache-Control": "private, no-cache",
            },
        )


class StatementPdfViewSet(StatementViewSet):
    renderer_classes: Any = (PDFRenderer, JSONRenderer)

    @extend_schema(
        summary="Statement of account as PDF",
        parameters=DAYS,
        responses={(200, PDF): OpenApiTypes.BINARY},
        tags=["billing"],
    )
    def show(self, request: Request) -> HttpResponse:  # type: ignore[override] # a file
        return handed_out(statement_pdf(self.statement(), tenant_id=self.principal.tenant_id, now=self.now), PDF)


def present_statement(found: Statement) -> dict[str, Any]:
    """Return a statement as the API writes it."""
    return {
        "start_date": found.start_date.isoformat(),
        "end_date": found.end_date.isoformat(),
        "timezone": found.timezone,
        "currency": found.currency,
        "owed": _present(found.owed, found.currency),
        "prepaid": _present(found.prepaid, found.currency),
    }


def _present(account: Account, currency: str) -> dict[str, Any]:
    def money(amount: Decimal) -> str:
        return str(round_money(amount, currency))

    return {
        "opening_balance": money(account.opening),
        "entries": [
            {
                "date": entry.day.isoformat(),
                "kind": entry.kind,
                "document": entry.about,
                "detail": entry.detail,
                "amount": money(entry.amount),
                "balance": money(entry.balance),
            }
            for entry in account.entries
        ],
        "closing_balance": money(account.closing),
    }
