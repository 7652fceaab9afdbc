"""Operators' list of invoices: what is owed across tenants by age, and the list as a file."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from accounts.models import Tenant
from billing import listing
from billing.export_api import MEDIA_TYPES
from billing.exports import tables
from billing.exports.cells import Cell, Table
from billing.exports.csv_file import CsvFile
from billing.exports.xlsx_file import XlsxFile
from billing.models import CreditNote, Invoice
from common.admin import LedgerAdmin

MOST_OWING = 10
MOST_ROWS = 20_000
TABLE = Table(tables.INVOICES.title, ("Tenant", *tables.INVOICES.headings))


class OwedAdmin(LedgerAdmin):
    """Shows above the list what all tenants owe by age, and who owes most; hands the chosen rows out as a file."""

    list_before_template = "billing/admin/owed.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        rows = listing.ageing(today=timezone.now().date())
        names = dict(
            Tenant.objects.filter(pk__in=[row.tenant_id for row in rows[:MOST_OWING]]).values_list("pk", "name")
        )
        owed = {
            "buckets": listing.added_up(rows),
            "most_owing": [(names.get(row.tenant_id, ""), row) for row in rows[:MOST_OWING]],
        }
        return super().changelist_view(request, {**(extra_context or {}), "owed": owed})  # type: ignore[no-any-return] # unfold is untyped

    @admin.action(description="Download as CSV", permissions=["view"])
    def as_csv(self, request: HttpRequest, chosen: QuerySet[Invoice]) -> HttpResponse | None:
        """Hand the chosen invoices out as CSV."""
        return self._file(request, chosen, CsvFile(TABLE), "csv")

    @admin.action(description="Download as XLSX", permissions=["view"])
    def as_xlsx(self, request: HttpRequest, chosen: QuerySet[Invoice]) -> HttpResponse | None:
        """Hand the chosen invoices out as a workbook."""
        return self._file(request, chosen, XlsxFile(TABLE, now=timezone.now()), "xlsx")

    def _file(
        self, request: HttpRequest, chosen: QuerySet[Invoice], file: CsvFile | XlsxFile, ending: str
    ) -> HttpResponse | None:
        if chosen.count() > MOST_ROWS:
            self.message_user(request, f"More than {MOST_ROWS:,} invoices at once: filter the list.", messages.ERROR)
            return None
        found = _with_credited(chosen).select_related("tenant").order_by("tenant__name", "-period_start")
        for invoice in found.iterator(chunk_size=1_000):
            row: list[Cell] = [invoice.tenant.name, *tables.invoice_row(invoice)]
            file.add(row)
        name = f"invoices-{timezone.now():%Y-%m-%d}.{ending}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        return HttpResponse(file.finish(), content_type=MEDIA_TYPES[ending], headers=headers)


def _with_credited(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Set `amount_credited` on each, in the same query."""
    notes = CreditNote.unscoped.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    credited = Subquery(notes.annotate(sum=Sum("total_amount")).values("sum"))
    return invoices.annotate(  # type: ignore[no-redef] # the attribute is there to be set
        amount_credited=Coalesce(credited, Decimal(0), output_field=DecimalField())
    )
