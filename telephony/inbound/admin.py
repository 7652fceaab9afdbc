"""Operators' pages: extensions, and where numbers lead."""

from django.contrib import admin

from common.admin import HouseAdmin
from telephony.inbound.models import Extension, NumberRoute


@admin.register(Extension)
class ExtensionAdmin(HouseAdmin):
    """Agents' telephones; their passwords are made and reset over the API, where they are shown once."""

    list_display = ("number", "label", "user", "sip_user", "tenant", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("tenant", "user")
    search_fields = ("number", "label", "sip_user", "tenant__name")
    readonly_fields = ("tenant", "number", "user", "sip_user", "created_at")

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(NumberRoute)
class NumberRouteAdmin(HouseAdmin):
    """Where numbers lead."""

    list_display = ("number", "kind", "tenant")
    list_filter = ("kind",)
    list_select_related = ("tenant", "number")
    search_fields = ("number__number", "tenant__name")
    readonly_fields = ("tenant", "number", "kind", "queue", "extension", "sip_uri", "created_at")

    def has_add_permission(self, request: object) -> bool:
        return False
