"""Operators' pages: how far invoice runs are, what keeps a period from being billed, what reconciliations found."""

from django.contrib import admin

from billing.models import InvoiceRun, InvoiceRunItem, Reconciliation
from common.admin import LedgerAdmin


@admin.register(InvoiceRun)
class InvoiceRunAdmin(LedgerAdmin):
    list_display = (
        "period_end", "periods", "finalized", "empty", "parked", "failed", "started_at", "finished_at",
    )  # fmt: skip
    ordering = ("-period_end",)
    date_hierarchy = "period_end"


@admin.register(InvoiceRunItem)
class InvoiceRunItemAdmin(LedgerAdmin):
    list_display = ("tenant", "run", "state", "reason", "finalize_at", "next_at", "attempts")
    list_filter = ("state",)
    list_select_related = ("tenant", "run")
    search_fields = ("tenant__name",)


@admin.register(Reconciliation)
class ReconciliationAdmin(LedgerAdmin):
    list_display = ("started_at", "is_agreed", "differences", "invoices", "lines", "rebuilt", "finished_at")
    ordering = ("-started_at",)

    @admin.display(boolean=True, description="All agrees")
    def is_agreed(self, report: Reconciliation) -> bool:
        return report.is_clean

    @admin.display(description="Differences")
    def differences(self, report: Reconciliation) -> int:
        return len(report.findings)
