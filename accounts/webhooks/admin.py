"""Operators' pages: where events go, and what became of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.webhooks.endpoints import FRESH, Disabled
from accounts.webhooks.models import OutboxEvent, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from common.admin import HouseAdmin, LedgerAdmin


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(HouseAdmin):
    list_display = ("url", "tenant", "is_active", "disabled_reason", "failures", "failing_since", "last_success_at")
    list_filter = ("is_active", "disabled_reason")
    list_select_related = ("tenant",)
    search_fields = ("url", "tenant__name")
    exclude = ("secret", "former_secret")
    actions = ("enable", "disable")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # its secret is shown once to the tenant who makes it

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Let everything be looked at; the tenant's own settings are the tenant's."""
        return tuple(field.name for field in WebhookEndpoint._meta.fields if field.name not in self.exclude)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Enable those that have a secret, with a clean slate."""
        count = queryset.filter(is_active=False).exclude(secret="").update(
            is_active=True, disabled_reason="", disabled_at=None, **FRESH
        )  # fmt: skip
        self.message_user(request, f"{count} enabled.")

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Send nothing more there until they are enabled."""
        now = timezone.now()
        count = queryset.filter(is_active=True).update(
            is_active=False, disabled_reason=Disabled.BY_REQUEST, disabled_at=now
        )
        self.message_user(request, f"{count} disabled.")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LedgerAdmin):
    list_display = (
        "type",
        "object_id",
        "sequence",
        "tenant",
        "status",
        "attempt_count",
        "status_code",
        "error",
        "created_at",
    )
    list_filter = ("status", "type")
    list_select_related = ("tenant",)
    search_fields = ("object_id",)


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(LedgerAdmin):
    list_display = ("started_at", "delivery_id", "number", "tenant", "status_code", "error", "duration_ms")
    list_select_related = ("tenant",)


@admin.register(OutboxEvent)
class OutboxEventAdmin(LedgerAdmin):
    list_display = ("type", "object_id", "sequence", "tenant", "occurred_at")
    list_filter = ("type",)
    list_select_related = ("tenant",)
    search_fields = ("object_id",)
