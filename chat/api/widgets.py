"""A company's widgets over HTTP."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from chat import domains
from chat.models import Widget
from chat.services import widgets
from common import hours
from common.errors import FieldProblem, Invalid
from common.pagination import paginate
from common.timestamps import rfc3339

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
EXAMPLE = OpenApiExample(
    "A shop's widget",
    {
        "name": "Shop",
        "primary_color": "#0f766e",
        "domains_whitelist": ["shop.example", "*.shop.example"],
        "business_hours": {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]},
        "pre_chat_fields": [
            {
                "key": "topic",
                "label": "What is it about?",
                "type": "select",
                "required": True,
                "options": ["Order", "Bike"],
            }
        ],
    },
    request_only=True,
)
FIELDS = (
    "name", "primary_color", "widget_position", "greeting_message", "offline_message", "placeholder_text",
    "show_agent_avatars", "auto_open", "auto_open_delay", "show_launcher", "allow_file_upload", "max_file_size_mb",
    "require_email", "is_active", "domains_whitelist", "business_hours", "pre_chat_fields", "routing", "answer_seconds",
    "abandon_minutes", "idle_close_minutes", "identity_secret",
)  # fmt: skip


class PreChatField(serializers.Serializer[Any]):
    """A question asked before the first message."""

    key = serializers.RegexField(
        r"\A[a-z][a-z0-9_]*\Z", max_length=40, error_messages={"invalid": "Lower case letters, digits and _."}
    )
    label = serializers.CharField(max_length=120)  # type: ignore[assignment] # declared fields are no attributes
    type = serializers.ChoiceField(["text", "email", "phone", "select", "textarea", "checkbox"])
    required = serializers.BooleanField(default=False)  # type: ignore[assignment] # the same
    options = serializers.ListField(child=serializers.CharField(max_length=120), max_length=50, default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["type"] == "select") != bool(attrs["options"]):
            raise serializers.ValidationError({"options": "A select has options, the other types have none."})
        return attrs


class WidgetChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    primary_color = serializers.CharField(
        required=False, validators=[RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "A colour like #667eea.")]
    )
    widget_position = serializers.ChoiceField(Widget.Position.choices, required=False)
    greeting_message = serializers.CharField(max_length=500, required=False, allow_blank=True)
    offline_message = serializers.CharField(max_length=500, required=False, allow_blank=True)
    placeholder_text = serializers.CharField(max_length=120, required=False, allow_blank=True)
    show_agent_avatars = serializers.BooleanField(required=False)
    auto_open = serializers.BooleanField(required=False)
    auto_open_delay = serializers.IntegerField(
        min_value=0, max_value=3600, required=False, help_text="Seconds after the page was loaded."
    )
    show_launcher = serializers.BooleanField(required=False)
    allow_file_upload = serializers.BooleanField(required=False)
    max_file_size_mb = serializers.IntegerField(min_value=1, max_value=100, required=False)
    require_email = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    domains_whitelist = serializers.ListField(
        child=serializers.CharField(max_length=255),
        required=False,
        help_text="Empty: any; *.shop.example: its subdomains.",
    )
    business_hours = serializers.JSONField(required=False, help_text="In the company's time zone; empty: always open.")
    pre_chat_fields = serializers.ListField(child=PreChatField(), required=False, max_length=10)
    routing = serializers.ChoiceField(Widget.Routing.choices, required=False)
    answer_seconds = serializers.IntegerField(min_value=0, max_value=86_400, required=False)
    abandon_minutes = serializers.IntegerField(min_value=0, max_value=43_200, required=False)
    idle_close_minutes = serializers.IntegerField(min_value=0, max_value=43_200, required=False)


class NewWidget(WidgetChange):
    name = serializers.CharField(max_length=80)


class WidgetAnswer(NewWidget):
    id = serializers.CharField(help_text="The widget key, cw_…")
    identity_secret = serializers.CharField(help_text="Signs (HS256) the JWT that says who a visitor is.")
    created_at = serializers.DateTimeField()


class WidgetPage(serializers.Serializer[Any]):
    results = WidgetAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class WidgetsViewSet(TenantViewSet):
    """What the company's people set; visitors' pages read `/v1/chat/widget/{key}`."""

    permissions = dict.fromkeys(("list", "create", "retrieve", "change", "remove", "rotate"), "chat.manage")

    @extend_schema(
        summary="Widgets, newest first", parameters=[CURSOR, LIMIT], responses={200: WidgetPage}, tags=["chat"]
    )
    def list(self, request: Request) -> Response:
        return Response(paginate(Widget.objects.for_tenant(self.principal.tenant_id), request, present=present_widget))

    @extend_schema(
        summary="Add a widget",
        description="409 `limit-reached` when the plan allows no other active widget.",
        request=NewWidget,
        responses={201: WidgetAnswer},
        examples=[EXAMPLE],
        tags=["chat"],
    )
    def create(self, request: Request) -> Response:
        look = checked_look(self.read(NewWidget))
        return self.once(lambda: self._create(look))

    def _create(self, look: dict[str, Any]) -> Response:
        widget = widgets.create_widget(tenant_id=self.principal.tenant_id, look=look)
        return Response(present_widget(widget), status=201)

    @extend_schema(summary="One widget", responses={200: WidgetAnswer}, tags=["chat"])
    def retrieve(self, request: Request, id: str) -> Response:
        return Response(present_widget(widgets.find_widget(tenant_id=self.principal.tenant_id, widget_key=id)))

    @extend_schema(
        summary="Change a widget",
        request=WidgetChange,
        responses={200: WidgetAnswer},
        examples=[OpenApiExample("Closed for good", {"is_active": False}, request_only=True)],
        tags=["chat"],
    )
    def change(self, request: Request, id: str) -> Response:
        changes = checked_look(self.read(WidgetChange))
        return Response(
            present_widget(widgets.change_widget(tenant_id=self.principal.tenant_id, widget_key=id, changes=changes))
        )

    @extend_schema(
        summary="Delete a widget",
        description="Only one without conversations (409 `has-conversations`): deactivate the others.",
        responses={204: None},
        tags=["chat"],
    )
    def remove(self, request: Request, id: str) -> Response:
        widgets.delete_widget(tenant_id=self.principal.tenant_id, widget_key=id)
        return Response(status=204)

    @extend_schema(
        summary="Make a new identity secret",
        description="JWTs signed with the old one are refused from now on.",
        request=None,
        responses={200: WidgetAnswer},
        tags=["chat"],
    )
    def rotate(self, request: Request, id: str) -> Response:
        widget = widgets.rotate_identity_secret(tenant_id=self.principal.tenant_id, widget_key=id)
        return Response(present_widget(widget))


def present_widget(widget: Widget) -> dict[str, Any]:
    """Return a widget as its company sees it."""
    settings = {name: getattr(widget, name) for name in FIELDS}
    return {"id": widget.widget_key, **settings, "created_at": rfc3339(widget.created_at)}


def checked_look(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the values as they are stored; raise Invalid for what a field alone cannot tell."""
    if "domains_whitelist" in wanted:
        wanted["domains_whitelist"] = domains.checked(wanted["domains_whitelist"])
    if "business_hours" in wanted:
        wanted["business_hours"] = hours.checked(wanted["business_hours"])
    if "pre_chat_fields" in wanted:
        wanted["pre_chat_fields"] = _each_key_once([dict(field) for field in wanted["pre_chat_fields"]])
    return wanted


def _each_key_once(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = [field["key"] for field in fields]
    if again := [
        FieldProblem(f"/pre_chat_fields/{index}/key", "duplicate", "Another field has this key.")
        for index, key in enumerate(keys)
        if key in keys[:index]
    ]:
        raise Invalid.many(again)
    return fields
