"""Operators' pages: how much, at which price."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline

from common.admin import HouseAdmin, LedgerAdmin
from usage import limits_admin, periods_admin
from usage.models import (
    Meter,
    PlanFeature,
    PricingPlan,
    PricingRate,
    UsageRecord,
    UsageSummary,
)
from usage.records_admin import RecordAdmin

__all__ = ["limits_admin", "periods_admin"]  # its pages are registered with these


class PlanFeatureInline(TabularInline):  # type: ignore[misc] # unfold is untyped
    model = PlanFeature
    extra = 0


@admin.register(PricingPlan)
class PricingPlanAdmin(HouseAdmin):
    list_display = ("name", "slug", "monthly_fee", "included_credit", "currency", "is_offered")
    ordering = ("position",)
    search_fields = ("name", "slug")
    inlines = (PlanFeatureInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # take it off the offer instead: subscriptions and invoices name it


@admin.register(PricingRate)
class PricingRateAdmin(HouseAdmin):
    """Rates are added, and ended by `effective_until`; PostgreSQL refuses any other change."""

    list_display = (
        "__str__", "plan", "tenant", "unit_price", "currency", "model", "effective_from", "effective_until",
    )  # fmt: skip
    list_filter = ("plan", "channel", "resource_type", "direction")
    list_select_related = ("plan", "tenant")
    search_fields = ("destination_prefix", "tenant__name")
    autocomplete_fields = ("plan", "tenant")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("created_at",)
        names = (field.name for field in PricingRate._meta.fields)
        return tuple(name for name in names if name != "effective_until")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Meter)
class MeterAdmin(LedgerAdmin):
    list_display = ("__str__", "name", "unit", "metered_unit", "price_per")
    ordering = ("position",)


@admin.register(UsageRecord)
class UsageRecordAdmin(RecordAdmin):
    list_display = (
        "occurred_at", "tenant", "channel", "resource_type", "quantity", "billed_quantity", "total_cost", "currency",
        "resource_id",
    )  # fmt: skip
    list_filter = ("channel", "resource_type")
    list_select_related = ("tenant",)
    search_fields = ("=resource_id", "=dedup_key")
    show_facets = admin.ShowFacets.NEVER  # they would count the ledger


@admin.register(UsageSummary)
class UsageSummaryAdmin(LedgerAdmin):
    list_display = (
        "summary_date",
        "tenant",
        "channel",
        "resource_type",
        "total_quantity",
        "total_cost",
        "record_count",
    )
    list_filter = ("channel", "resource_type")
    list_select_related = ("tenant",)
    show_facets = admin.ShowFacets.NEVER
