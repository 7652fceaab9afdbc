"""Operators' pages: numbers, trunks, and every call with its legs and timeline."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from common.admin import HouseAdmin, LedgerAdmin
from telephony.guards.admin import DialingPolicyAdmin, DoNotCallAdmin
from telephony.inbound.admin import ExtensionAdmin, NumberRouteAdmin
from telephony.ivr.admin import IvrFlowAdmin
from telephony.models import Call, CallCommand, CallEvent, CallLeg, PhoneNumber, SipTrunk
from telephony.queues.admin import QueueAdmin, QueueEntryAdmin

# The rooms register their own pages.
__all__ = [
    "DialingPolicyAdmin",
    "DoNotCallAdmin",
    "ExtensionAdmin",
    "IvrFlowAdmin",
    "NumberRouteAdmin",
    "QueueAdmin",
    "QueueEntryAdmin",
]


@admin.register(PhoneNumber)
class PhoneNumberAdmin(HouseAdmin):
    """The numbers tenants call from."""

    list_display = ("number", "label", "tenant", "is_active", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("tenant",)
    search_fields = ("number", "label", "tenant__name")
    autocomplete_fields = ("tenant",)


@admin.register(SipTrunk)
class SipTrunkAdmin(HouseAdmin):
    """The ways out."""

    list_display = ("name", "tenant", "gateway", "priority", "max_concurrent", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("tenant",)
    search_fields = ("name", "gateway", "tenant__name")
    autocomplete_fields = ("tenant",)


class _ReadOnlyInline(TabularInline):  # type: ignore[misc] # unfold is untyped
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class CallLegInline(_ReadOnlyInline):
    """A call's channels."""

    model = CallLeg
    fields = ("position", "id", "node", "dispatch", "answered_at", "ended_at", "hangup_cause", "q850", "sip_status")
    readonly_fields = fields


class CallCommandInline(_ReadOnlyInline):
    """What the switch was told."""

    model = CallCommand
    fields = ("kind", "status", "node", "not_after", "sent_at", "finished_at", "result")
    readonly_fields = fields


@admin.register(Call)
class CallAdmin(LedgerAdmin):
    """A call as it was: looked at, never changed."""

    list_display = ("created_at", "from_number", "to_number", "status", "reason", "hangup_cause", "tenant")
    list_filter = ("status", "direction", "is_estimated")
    list_select_related = ("tenant",)
    search_fields = ("id", "to_number", "from_number")
    date_hierarchy = "created_at"
    inlines = (CallLegInline, CallCommandInline)
    readonly_fields = ("timeline",)

    @admin.display(description="Timeline")
    def timeline(self, call: Call) -> SafeString:
        """Return the call's events, oldest first. One query."""
        events = CallEvent.objects.for_tenant(call.tenant_id).filter(call_id=call.pk).order_by("seq")
        rows = ((e.seq, e.occurred_at.isoformat(sep=" ", timespec="milliseconds"), e.type, e.payload) for e in events)
        cells = format_html_join("", "<tr><td>{}</td><td>{}</td><td><b>{}</b></td><td>{}</td></tr>", rows)
        return format_html("<table><tbody>{}</tbody></table>", cells)
