"""Operators' pages: chat."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts import audit
from accounts.models import User
from accounts.tenancy import tenant_scope
from chat import domains
from chat.ledgers import ChatEvent
from chat.models import Attachment, CannedReply, Conversation, Label, Message, Visitor, Widget
from chat.services import catalogue, visitors, widgets
from common import hours
from common.admin import HouseAdmin, LedgerAdmin
from common.errors import Invalid
from common.ids import encode

TIMELINE_EVENTS = 200
V = TypeVar("V")
R = TypeVar("R")


class WidgetForm(forms.ModelForm):  # type: ignore[type-arg] # generic only in the stubs
    """Hold the operator to what the API holds companies to."""

    class Meta:
        model = Widget
        fields = "__all__"  # noqa: DJ007 # the admin names them

    def clean_domains_whitelist(self) -> list[str]:
        return _or_refused(domains.checked, self.cleaned_data["domains_whitelist"] or [])

    def clean_business_hours(self) -> dict[str, Any]:
        return _or_refused(hours.checked, self.cleaned_data["business_hours"] or {})


def _or_refused(check: Callable[[V], R], value: V) -> R:
    try:
        return check(value)
    except Invalid as error:
        raise ValidationError([f"{problem.pointer}: {problem.detail}" for problem in error.errors]) from error


@admin.register(Widget)
class WidgetAdmin(HouseAdmin):
    form = WidgetForm
    list_display = ("name", "tenant", "widget_key", "is_active", "routing", "created_at")
    list_filter = ("is_active", "routing", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("name", "widget_key", "tenant__name")
    autocomplete_fields = ("tenant",)
    readonly_fields = ("widget_key", "identity", "pre_chat_fields", "created_at")
    actions = ("rotate_identity_secret",)
    fieldsets = (
        (None, {"fields": ("tenant", "name", "widget_key", "is_active", "domains_whitelist", "created_at")}),
        (
            "Look",
            {
                "fields": (
                    "primary_color", "widget_position", "greeting_message", "offline_message", "placeholder_text",
                    "show_agent_avatars", "show_launcher", "auto_open", "auto_open_delay",
                )
            },
        ),
        ("Visitors", {"fields": ("require_email", "pre_chat_fields", "allow_file_upload", "max_file_size_mb", "identity")}),
        (
            "Answering",
            {"fields": ("business_hours", "routing", "answer_seconds", "abandon_minutes", "idle_close_minutes")},
        ),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "tenant") if obj else self.readonly_fields

    @admin.display(description="Identity secret")
    def identity(self, widget: Widget) -> str:
        """Show enough of the secret to compare, too little to sign with."""
        return "made on saving" if widget._state.adding else f"{widget.identity_secret[:4]}…"

    @admin.action(description="Make new identity secrets")
    def rotate_identity_secret(self, request: HttpRequest, chosen: QuerySet[Widget]) -> None:
        for widget in chosen.order_by("pk"):
            with tenant_scope(widget.tenant_id):
                widgets.rotate_identity_secret(tenant_id=widget.tenant_id, widget_key=widget.widget_key)
                _audit(request, widget, "widget.identity_secret_rotated", widget.widget_key)
        self.message_user(request, "Tokens signed with the old secrets are refused from now on.")


@admin.register(Visitor)
class VisitorAdmin(HouseAdmin):
    """A visitor as it is: changed by the company and the visitor; an operator may only block."""

    list_display = ("__str__", "email", "tenant", "blocked_at", "last_seen_at")
    list_filter = (("blocked_at", admin.EmptyFieldListFilter), "tenant")
    list_select_related = ("tenant",)
    search_fields = ("name", "email", "external_id")
    fields = (
        "tenant", "name", "email", "external_id", "vouched", "attributes", "language", "location", "recent_pages",
        "blocked_at", "erased_at", "created_at", "last_seen_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("block", "unblock")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # erased over the API, conversations and files with it

    @admin.action(description="Block")
    def block(self, request: HttpRequest, chosen: QuerySet[Visitor]) -> None:
        self._set_blocked(request, chosen, is_blocked=True)

    @admin.action(description="Unblock")
    def unblock(self, request: HttpRequest, chosen: QuerySet[Visitor]) -> None:
        self._set_blocked(request, chosen, is_blocked=False)

    def _set_blocked(self, request: HttpRequest, chosen: QuerySet[Visitor], *, is_blocked: bool) -> None:
        count = 0
        for visitor in chosen.filter(erased_at=None).order_by("pk"):
            whose = {"tenant_id": visitor.tenant_id, "visitor_id": visitor.pk}
            with tenant_scope(visitor.tenant_id):
                is_changed = (
                    visitors.block_visitor(**whose, now=timezone.now())
                    if is_blocked
                    else visitors.unblock_visitor(**whose)
                )
                if is_changed:
                    _audit(
                        request,
                        visitor,
                        "visitor.blocked" if is_blocked else "visitor.unblocked",
                        encode("vi", visitor.pk),
                    )
                    count += 1
        self.message_user(request, f"{'Blocked' if is_blocked else 'Unblocked'}: {count}.")


@admin.register(Conversation)
class ConversationAdmin(LedgerAdmin):
    list_display = (
        "__str__", "tenant", "visitor", "status", "assigned_agent", "labels", "message_count", "rating", "created_at",
    )  # fmt: skip
    list_filter = ("status", "rating", "is_offline", "tenant")
    list_select_related = ("tenant", "visitor", "assigned_agent")
    search_fields = ("visitor__name", "visitor__email")
    date_hierarchy = "created_at"
    fields = (
        "tenant", "widget", "visitor", "status", "assigned_agent", "labels", "is_offline", "previous", "created_at",
        "queued_at", "assigned_at", "accepted_at", "first_response_at", "closed_at", "page_url", "message_count", "rating",
        "feedback", "timeline",
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


@admin.register(Attachment)
class AttachmentAdmin(LedgerAdmin):
    """A file's facts. The file itself is its company's: there is no way to it from here."""

    list_display = ("file_name", "tenant", "content_type", "size", "uploader_type", "created_at")
    list_filter = ("uploader_type", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("file_name",)
    fields = (
        "tenant", "conversation", "file_name", "size", "content_type", "width", "height", "uploader_type", "uploader_id",
        "message_id", "digest", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="SHA-256")
    def digest(self, attachment: Attachment) -> str:
        return bytes(attachment.sha256).hex()


@admin.register(Label)
class LabelAdmin(HouseAdmin):
    """A label; renamed over the API, which renames it on conversations too."""

    list_display = ("name", "color", "tenant")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name")
    autocomplete_fields = ("tenant",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("tenant", "name") if obj else ()

    def delete_model(self, request: HttpRequest, obj: Label) -> None:
        with tenant_scope(obj.tenant_id):
            catalogue.delete_label(tenant_id=obj.tenant_id, label_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Label]) -> None:
        for label in queryset.order_by("pk"):
            self.delete_model(request, label)


@admin.register(CannedReply)
class CannedReplyAdmin(HouseAdmin):
    list_display = ("shortcut", "text", "tenant")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("shortcut", "text", "tenant__name")
    autocomplete_fields = ("tenant",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("tenant",) if obj else ()


def _audit(request: HttpRequest, row: Widget | Visitor, action: str, object_id: str) -> None:
    """Write down in the company's audit log what an operator did to it."""
    operator = request.user
    assert isinstance(operator, User)
    audit.record(tenant_id=row.tenant_id, action=action, by=audit.operator(operator), object_id=object_id)


def _who(event: ChatEvent) -> str:
    message = event.payload.get("message", {})
    return str(message.get("sender_name") or message.get("sender_type") or event.type)


def _what(event: ChatEvent) -> str:
    return " ".join(_words(event))


def _words(event: ChatEvent) -> Iterator[str]:
    message = event.payload.get("message")
    if event.type == ChatEvent.Type.EDIT:
        yield "(edited)"
    if message:
        if message.get("message_type") == Message.Type.NOTE:
            yield "(note)"
        yield str(message.get("text", ""))
        if file := message.get("attachment"):
            yield f"[file: {file.get('file_name')}, {filesizeformat(file.get('size') or 0)}]"
    elif event.type == ChatEvent.Type.LABEL:
        yield from (f"+{name}" for name in event.payload.get("added", ()))
        yield from (f"-{name}" for name in event.payload.get("removed", ()))
    else:
        yield ", ".join(f"{name}: {value}" for name, value in event.payload.items())
