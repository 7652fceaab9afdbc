"""Operators' pages: what is owed."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from billing.models import Invoice, InvoiceLineItem, LegalEntity
from common.admin import HouseAdmin, LedgerAdmin


class InvoiceLineInline(TabularInline):  # type: ignore[misc] # unfold is untyped
    model = InvoiceLineItem
    fields = ("position", "description", "service_start", "service_end", "quantity", "unit", "unit_price", "amount")
    ordering = ("position",)
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Invoice)
class InvoiceAdmin(LedgerAdmin):
    list_display = (
        "__str__", "tenant", "status", "period_start", "period_end", "subtotal", "allowance", "total_amount", "currency",
    )  # fmt: skip
    list_filter = ("status", "currency")
    list_select_related = ("tenant",)
    search_fields = ("invoice_number", "tenant__name")
    date_hierarchy = "period_start"
    exclude = ("usage_days",)
    inlines = (InvoiceLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("usage_days")  # type: ignore[no-any-return] # unfold is untyped


@admin.register(LegalEntity)
class LegalEntityAdmin(HouseAdmin):
    list_display = ("name", "country", "tax_id", "email", "is_default")
    search_fields = ("name",)
