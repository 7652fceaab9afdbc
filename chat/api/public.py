"""What a visitor's page asks before it is anybody: the widget's look, and the start of a conversation."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.api import PUBLIC, TenantViewSet
from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from accounts.views import socket_url
from chat import embedding, selectors, services
from chat.api import serializers
from chat.models import Conversation, Widget
from chat.services.conversations import Page
from chat.standing import public_look
from common.errors import Forbidden, NotAuthenticated, NotFound
from common.ids import encode
from common.timestamps import rfc3339


class WidgetViewSet(TenantViewSet):
    """The launcher's first request."""

    permissions = {"show": PUBLIC}

    @extend_schema(
        summary="The look of a widget",
        description="Called by the launcher on the customer's page; the Origin is held against the widget's domains. "
        "The `embed_token` is valid for five minutes, for pages of that origin.",
        responses={200: OpenApiResponse(dict[str, Any], description="Look and embed token")},
        tags=["chat"],
    )
    def show(self, request: Request, widget_key: str) -> Response:
        widget = selectors.widget_by_key(widget_key)
        origin = embedding.origin_of(request.headers)
        embedding.require_origin(widget, origin)
        body = {
            **public_look(widget, now=self.now),
            "embed_token": embedding.issue_embed_token(widget, origin),
            "panel_url": f"{settings.IRISX_BASE_URL}/chat/panel/{widget.widget_key}",
        }
        response = Response(body)
        response["Cache-Control"] = "no-store"
        return response


class StartViewSet(TenantViewSet):
    """The start of a conversation."""

    permissions = {"start": PUBLIC}

    @extend_schema(
        summary="Start a conversation",
        description="With the widget's `embed_token`, or with an API key that may reply. The visitor's open "
        "conversation is answered with 200, a new one with 201.",
        request=serializers.Start,
        responses={200: serializers.StartAnswer, 201: serializers.StartAnswer},
        examples=[
            OpenApiExample(
                "From a page",
                {
                    "widget_key": "cw_0f8fad5bd9cb469fa16570867728950e",
                    "embed_token": "WyJjd18…",
                    "visitor_name": "Visitor",
                },
                request_only=True,
            )
        ],
        tags=["chat"],
    )
    def start(self, request: Request) -> Response:
        wanted = self.read(serializers.Start)
        widget = selectors.widget_by_key(wanted["widget_key"])
        self._require_door(widget, wanted)
        visitor_id = _visitor_of(widget, wanted.get("visitor_token"))
        with tenant_scope(widget.tenant_id):
            conversation, is_new = services.start_conversation(
                widget=widget,
                visitor_id=visitor_id,
                name=wanted["visitor_name"],
                email=wanted["visitor_email"],
                page=Page(wanted["page_url"], wanted["page_title"], wanted["referrer"]),
                now=self.now,
            )
        return Response(_present_start(conversation, widget), status=201 if is_new else 200)

    def _require_door(self, widget: Widget, wanted: dict[str, Any]) -> None:
        if "embed_token" in wanted:
            embedding.require_embedding(widget, wanted["embed_token"], wanted["page_url"])
        elif not isinstance(self.request.user, Principal):
            raise NotAuthenticated("Send the widget's embed_token, or an API key.")
        elif self.request.user.tenant_id != widget.tenant_id:
            raise NotFound("There is no such widget.", pointer="/widget_key")
        elif not self.request.user.may("chat.reply"):
            raise Forbidden("This key may not start conversations.")


def _visitor_of(widget: Widget, token: str | None) -> Any:
    """Return the visitor a token names; None for none, an expired one, or another tenant's: they begin anew."""
    if not token:
        return None
    try:
        claim = tokens.read_visitor_token(token, now=timezone.now())
    except NotAuthenticated:
        return None
    return claim.visitor_id if claim.tenant_id == widget.tenant_id else None


def _present_start(conversation: Conversation, widget: Widget) -> dict[str, Any]:
    token, expires_at = tokens.issue_visitor_token(
        tenant_id=widget.tenant_id, visitor_id=conversation.visitor_id, now=timezone.now()
    )
    return {
        "conversation_id": encode("cc", conversation.pk),
        "visitor_id": encode("vi", conversation.visitor_id),
        "visitor_token": token,
        "expires_at": rfc3339(expires_at),
        "status": conversation.status,
        "last_seq": conversation.last_visitor_seq,
        "greeting_message": widget.greeting_message,
        "socket": socket_url("visitor"),
    }
