"""Operators' pages: where companies may call, and whom they must not."""

from django.contrib import admin

from common.admin import HouseAdmin
from telephony.guards.models import DialingPolicy, DoNotCall


@admin.register(DialingPolicy)
class DialingPolicyAdmin(HouseAdmin):
    """Where companies may call, and who is stopped."""

    list_display = ("tenant", "countries", "is_premium_allowed", "is_paused", "pause_reason")
    list_filter = ("is_paused", "is_premium_allowed")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    autocomplete_fields = ("tenant",)


@admin.register(DoNotCall)
class DoNotCallAdmin(HouseAdmin):
    """The numbers companies must not call."""

    list_display = ("number", "note", "tenant", "created_at")
    list_select_related = ("tenant",)
    search_fields = ("number", "tenant__name")
    autocomplete_fields = ("tenant",)
