"""Visitors over HTTP: what agents know of them, and what a visitor says of itself."""

import tempfile
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.api import TenantViewSet
from accounts.principals import Principal
from chat import identity, limits
from chat.api.fields import AttributesField
from chat.api.serializers import VisitorExport
from chat.attachments.files import FileResponse
from chat.attachments.names import disposition
from chat.models import Conversation, Visitor, Widget
from chat.presenting import agents_view, own_view
from chat.privacy.erasing import erase_visitor
from chat.privacy.exporting import export_visitor
from chat.services import identifying, visitors
from chat.services.visitors import Said
from common.clients import address_of
from common.errors import Invalid
from common.ids import decode, encode
from common.timestamps import rfc3339

VISIT, READ, REPLY, MANAGE = "chat.visit", "chat.read", "chat.reply", "chat.manage"
SPOOLED_BYTES = 1024 * 1024
Base = serializers.Serializer[Any]


class VisitorChange(Base):
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    attributes = AttributesField(required=False)


class PageSeen(Base):
    url = serializers.CharField(max_length=2000)
    title = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class OwnChange(VisitorChange):
    language = serializers.CharField(max_length=20, required=False, allow_blank=True)
    page = PageSeen(required=False)
    identity_jwt = serializers.CharField(max_length=8000, required=False)


class OwnAnswer(Base):
    """A visitor as it may know itself. The token comes only when it went on as somebody known."""

    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    is_verified = serializers.BooleanField()
    language = serializers.CharField(allow_blank=True)
    visitor_token = serializers.CharField(required=False)
    expires_at = serializers.DateTimeField(required=False)


class VisitorAnswer(Base):
    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    external_id = serializers.CharField(allow_blank=True)
    is_verified = serializers.BooleanField()
    is_blocked = serializers.BooleanField()
    blocked_at = serializers.DateTimeField(allow_null=True)
    attributes = serializers.DictField()
    pre_chat = serializers.DictField()
    language = serializers.CharField(allow_blank=True)
    location = serializers.DictField()
    recent_pages = serializers.ListField(child=serializers.DictField())
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    is_online = serializers.BooleanField()
    conversations = serializers.ListField(child=serializers.DictField())


CHANGE = OpenApiExample(
    "Attributes", {"attributes": {"plan": "professional", "orders": 3, "beta": None}}, request_only=True
)


class VisitorsViewSet(TenantViewSet):
    """Visitors as agents see them."""

    permissions = {
        "show": READ, "change": REPLY, "block": REPLY, "unblock": REPLY, "export": MANAGE, "erase": MANAGE,
    }  # fmt: skip

    @extend_schema(summary="A visitor", responses={200: VisitorAnswer}, tags=["visitors"])
    def show(self, request: Request, id: str) -> Response:
        return Response(agents_view(self._visitor(id), now=self.now))

    @extend_schema(
        summary="Change what is known of a visitor",
        description="Attributes are merged by name; null takes one away. At most 50.",
        request=VisitorChange,
        responses={200: VisitorAnswer},
        examples=[CHANGE],
        tags=["visitors"],
    )
    def change(self, request: Request, id: str) -> Response:
        visitor = visitors.change_visitor(
            tenant_id=self.principal.tenant_id,
            visitor_id=decode("vi", id),
            said=_said(self.read(VisitorChange)),
            now=self.now,
        )
        return self._changed(visitor)

    @extend_schema(summary="Block a visitor", request=None, responses={200: VisitorAnswer}, tags=["visitors"])
    def block(self, request: Request, id: str) -> Response:
        visitors.block_visitor(tenant_id=self.principal.tenant_id, visitor_id=decode("vi", id), now=self.now)
        return self._changed(self._visitor(id))

    @extend_schema(summary="Let a visitor in again", request=None, responses={200: VisitorAnswer}, tags=["visitors"])
    def unblock(self, request: Request, id: str) -> Response:
        visitors.unblock_visitor(tenant_id=self.principal.tenant_id, visitor_id=decode("vi", id))
        return self._changed(self._visitor(id))

    @extend_schema(
        summary="Everything held of a visitor",
        description="One JSON document, private notes included; links to files end after ten minutes.",
        responses={200: VisitorExport},
        tags=["visitors"],
    )
    def export(self, request: Request, id: str) -> FileResponse:
        return exported(decode("vi", id), self.principal, self.now)

    @extend_schema(
        summary="Erase a visitor",
        description="Name, address, attributes, pages, answers, texts, feedback and files go for good; that there were "
        "conversations stays. Open ones are closed.",
        responses={204: None},
        tags=["visitors"],
    )
    def erase(self, request: Request, id: str) -> Response:
        erase_visitor(
            tenant_id=self.principal.tenant_id,
            visitor_id=decode("vi", id),
            by=self.principal,
            address=address_of(request),
            now=self.now,
        )
        return Response(status=204)

    def _visitor(self, id: str) -> Visitor:
        return visitors.visitor_of(tenant_id=self.principal.tenant_id, visitor_id=decode("vi", id))

    def _changed(self, visitor: Visitor) -> Response:
        """Answer a visitor after a change; a key that may reply but not read learns no more than the visitor itself may."""
        return Response(agents_view(visitor, now=self.now) if self.principal.may(READ) else own_view(visitor))


class OwnViewSet(TenantViewSet):
    """A visitor about itself."""

    permissions = {"show": VISIT, "change": VISIT, "export": VISIT, "forget": VISIT}

    @extend_schema(summary="Who I am, as a visitor", responses={200: OwnAnswer}, tags=["visitors"])
    def show(self, request: Request) -> Response:
        return Response(own_view(self._mine()))

    @extend_schema(
        summary="Say who I am and where",
        description="`identity_jwt` goes first. What a JWT vouched for stays: a name, e-mail or attribute said here beside it is "
        "left out, and the answer shows what holds.",
        request=OwnChange,
        responses={200: OwnAnswer},
        examples=[CHANGE],
        tags=["visitors"],
    )
    def change(self, request: Request) -> Response:
        limits.note_change(visitor_id=self.principal.id, now=self.now)
        wanted = self.read(OwnChange)
        answer, visitor_id = self._identified(wanted.get("identity_jwt"))
        tenant_id = self.principal.tenant_id
        if page := wanted.get("page"):
            visitors.note_page(
                tenant_id=tenant_id, visitor_id=visitor_id, url=page["url"], title=page["title"], now=self.now
            )
        visitor = visitors.note_said(tenant_id=tenant_id, visitor_id=visitor_id, said=_said(wanted), now=self.now)
        return Response({**own_view(visitor), **answer})

    @extend_schema(summary="Everything held of me, as a visitor", responses={200: VisitorExport}, tags=["visitors"])
    def export(self, request: Request) -> FileResponse:
        limits.note_change(visitor_id=self.principal.id, now=self.now)
        return exported(self.principal.id, self.principal, self.now)

    @extend_schema(
        summary="Forget me",
        description="Erases this visitor as `DELETE /visitors/{id}` does; its tokens end.",
        request=None,
        responses={204: None},
        tags=["visitors"],
    )
    def forget(self, request: Request) -> Response:
        me = self.principal
        erase_visitor(tenant_id=me.tenant_id, visitor_id=me.id, by=me, address="", now=self.now)
        return Response(status=204)

    def _identified(self, token: str | None) -> tuple[dict[str, Any], Any]:
        """Return what the answer says besides, and who the visitor is from now on."""
        mine = self.principal.id
        if token is None:
            return {}, mine
        tenant_id = self.principal.tenant_id
        vouched = identity.read_identity(token, secret=_widget_of(self._mine()).identity_secret, now=self.now)
        person = identifying.identify(tenant_id=tenant_id, visitor_id=mine, identity=vouched, now=self.now)
        if person.pk == mine:
            return {}, mine
        fresh, expires_at = tokens.issue_visitor_token(
            tenant_id=tenant_id, visitor_id=person.pk, auth_version=person.auth_version, now=self.now
        )
        return {"visitor_token": fresh, "expires_at": rfc3339(expires_at)}, person.pk

    def _mine(self) -> Visitor:
        return visitors.visitor_of(tenant_id=self.principal.tenant_id, visitor_id=self.principal.id)


def exported(visitor_id: UUID, reader: Principal, now: datetime) -> FileResponse:
    """Return the export as a download; it is written to a temporary file inside the tenant's scope and sent from there."""
    file = tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115 - the response closes it
    export_visitor(visitor_id=visitor_id, reader=reader, to=file, now=now)
    length = file.tell()
    response = FileResponse(file, 0, length, content_type="application/json")
    response["Content-Length"] = str(length)
    response["Content-Disposition"] = disposition(f"{encode('vi', visitor_id)}.json", is_inline=False)
    response["Cache-Control"] = "no-store"
    return response


def _widget_of(visitor: Visitor) -> Widget:
    """Return the widget a visitor was at last: its secret is the one its page's server signs with."""
    rows = Conversation.objects.for_tenant(visitor.tenant_id).filter(visitor=visitor).select_related("widget")
    last = rows.order_by("-created_at").first()
    if last is None:
        raise Invalid("Start a conversation first.", code="identity-invalid", pointer=identity.POINTER)
    return last.widget


def _said(wanted: dict[str, Any]) -> Said:
    return Said(
        name=wanted.get("name"),
        email=wanted.get("email"),
        language=wanted.get("language"),
        attributes=cast(dict[str, Any], wanted.get("attributes", {})),
    )
