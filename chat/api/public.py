"""What a visitor's page asks before it is anybody: the widget's look, and the start of a conversation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import authentication, tokens
from accounts.api import PUBLIC, TenantViewSet
from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from accounts.views import socket_url
from chat import embedding, limits, selectors
from chat.api import serializers
from chat.identity import Identity, read_identity
from chat.location import location_of
from chat.models import Conversation, Widget
from chat.presenting import own_view
from chat.services.arriving import arrive
from chat.services.conversations import Page
from chat.services.visitors import Said
from chat.standing import public_look
from common.clients import address_of
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
        responses={200: serializers.WidgetLook},
        tags=["chat"],
    )
    def show(self, request: Request, widget_key: str) -> Response:
        limits.note_look(address=address_of(request), now=self.now)
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
        if isinstance(request.user, Principal):
            return self.once(lambda: self._start(widget, wanted))
        return self._start(widget, wanted)

    def _start(self, widget: Widget, wanted: dict[str, Any]) -> Response:
        visitor_id = _visitor_of(widget, wanted.get("visitor_token"))
        with tenant_scope(widget.tenant_id):
            conversation, is_new = arrive(
                widget=widget,
                visitor_id=visitor_id,
                identity=_identity(widget, wanted.get("identity_jwt"), self.now),
                said=_said(self.request, wanted, is_page="embed_token" in wanted),
                pre_chat=wanted["pre_chat"],
                page=Page(wanted["page_url"], wanted["page_title"], wanted["referrer"]),
                now=self.now,
            )
        return Response(_present_start(conversation, widget), status=201 if is_new else 200)

    def _require_door(self, widget: Widget, wanted: dict[str, Any]) -> None:
        if "embed_token" in wanted:
            embedding.require_embedding(widget, wanted["embed_token"], wanted["page_url"])
            limits.note_start(widget_id=widget.pk, address=address_of(self.request), now=self.now)
        elif not isinstance(self.request.user, Principal):
            raise NotAuthenticated("Send the widget's embed_token, or an API key.")
        elif self.request.user.tenant_id != widget.tenant_id:
            raise NotFound("There is no such widget.", pointer="/widget_key")
        elif not self.request.user.may("chat.reply"):
            raise Forbidden("This key may not start conversations.")


def _visitor_of(widget: Widget, token: str | None) -> UUID | None:
    """Return the visitor a token names; None for none, an ended one, or another tenant's: they begin anew.

    Raises Forbidden for a blocked one, who does not begin anew.
    """
    if not token:
        return None
    try:
        visitor = authentication.by_visitor_token(token, now=timezone.now())
    except NotAuthenticated:
        return None
    return visitor.id if visitor.tenant_id == widget.tenant_id else None


def _identity(widget: Widget, token: str | None, now: datetime) -> Identity | None:
    return read_identity(token, secret=widget.identity_secret, now=now) if token else None


def _said(request: Request, wanted: dict[str, Any], *, is_page: bool) -> Said:
    """Return what a start says of the visitor. Only a page's request comes from where the visitor is."""
    address, agent = (address_of(request), request.headers.get("User-Agent", "")) if is_page else ("", "")
    return Said(
        name=wanted["visitor_name"] or None,
        email=wanted["visitor_email"] or None,
        language=wanted["language"] or None,
        attributes=wanted.get("attributes", {}),
        location=location_of(address=address, user_agent=agent, timezone=wanted["timezone"]),
    )


def _present_start(conversation: Conversation, widget: Widget) -> dict[str, Any]:
    token, expires_at = tokens.issue_visitor_token(
        tenant_id=widget.tenant_id,
        visitor_id=conversation.visitor_id,
        auth_version=conversation.visitor.auth_version,
        now=timezone.now(),
    )
    return {
        "conversation_id": encode("cc", conversation.pk),
        "visitor_id": encode("vi", conversation.visitor_id),
        "visitor_token": token,
        "expires_at": rfc3339(expires_at),
        "status": conversation.status,
        "last_seq": conversation.last_visitor_seq,
        "greeting_message": widget.greeting_message,
        "visitor": own_view(conversation.visitor),
        "previous_conversation": encode("cc", conversation.previous_id) if conversation.previous_id else None,
        "socket": socket_url("visitor"),
    }
