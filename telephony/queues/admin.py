"""Operators' pages: queues, and who waited in them."""

from django.contrib import admin

from common.admin import HouseAdmin, LedgerAdmin
from telephony.queues.models import Queue, QueueEntry


@admin.register(Queue)
class QueueAdmin(HouseAdmin):
    """Queues of every company."""

    list_display = ("name", "tenant", "max_wait_seconds", "overflow", "is_active")
    list_filter = ("is_active", "overflow")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name")
    autocomplete_fields = ("tenant",)
    readonly_fields = ("created_at",)

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(QueueEntry)
class QueueEntryAdmin(LedgerAdmin):
    """A caller's wait: looked at, never changed."""

    list_display = ("created_at", "queue", "status", "agent", "reason", "tenant")
    list_filter = ("status",)
    list_select_related = ("tenant", "queue", "agent")
    search_fields = ("queue__name", "tenant__name")
    date_hierarchy = "created_at"
