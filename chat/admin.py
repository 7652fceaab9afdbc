"""Operators' pages: chat."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat.ledgers import ChatEvent
from chat.models import Conversation, Message, Visitor, Widget
from common.admin import HouseAdmin, LedgerAdmin

TIMELINE_EVENTS = 200


@admin.register(Widget)
class WidgetAdmin(HouseAdmin):
    list_display = ("name", "tenant", "widget_key", "is_active", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("tenant",)
    search_fields = ("name", "widget_key", "tenant__name")
    autocomplete_fields = ("tenant",)
    readonly_fields = ("widget_key", "created_at")


@admin.register(Visitor)
class VisitorAdmin(HouseAdmin):
    list_display = ("__str__", "email", "tenant", "last_seen_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "email")
    autocomplete_fields = ("tenant",)


@admin.register(Conversation)
class ConversationAdmin(LedgerAdmin):
    list_display = ("__str__", "tenant", "visitor", "status", "assigned_agent", "message_count", "rating", "created_at")
    list_filter = ("status", "rating")
    list_select_related = ("tenant", "visitor", "assigned_agent")
    search_fields = ("visitor__name", "visitor__email")
    date_hierarchy = "created_at"
    fields = (
        "tenant", "widget", "visitor", "status", "assigned_agent", "created_at", "first_response_at", "closed_at",
        "page_url", "message_count", "rating", "feedback", "timeline",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Timeline")
    def timeline(self, conversation: Conversation) -> SafeString:
        """Draw the conversation's log as a list, oldest first, at most 200 entries."""
        events = ChatEvent.unscoped.filter(tenant_id=conversation.tenant_id, conversation_id=conversation.pk)
        lines = (
            (e.occurred_at.strftime("%H:%M:%S"), _who(e), _what(e)) for e in events.order_by("seq")[:TIMELINE_EVENTS]
        )
        return format_html("<ol>{}</ol>", format_html_join("", "<li><code>{}</code> <b>{}</b> {}</li>", lines))


def _who(event: ChatEvent) -> str:
    message = event.payload.get("message", {})
    return str(message.get("sender_name") or message.get("sender_type") or event.type)


def _what(event: ChatEvent) -> str:
    message = event.payload.get("message")
    if message:
        return f"{'(note) ' if message['message_type'] == Message.Type.NOTE else ''}{message['text']}"
    return ", ".join(f"{name}: {value}" for name, value in event.payload.items())
