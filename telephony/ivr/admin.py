"""Operators' pages: flows."""

from django.contrib import admin

from common.admin import HouseAdmin
from telephony.ivr.models import IvrFlow


@admin.register(IvrFlow)
class IvrFlowAdmin(HouseAdmin):
    """Flows of every company: looked at; companies draw them themselves."""

    list_display = ("name", "tenant", "published_version", "updated_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name")
    readonly_fields = ("tenant", "name", "draft", "published_version", "last_version", "updated_at", "created_at")

    def has_add_permission(self, request: object) -> bool:
        return False
