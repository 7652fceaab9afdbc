"""Labels and canned replies over HTTP."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from chat.models import CannedReply, Label
from chat.services import catalogue
from common.ids import decode, encode

READ, MANAGE = "chat.read", "chat.manage"
LABEL_EXAMPLE = OpenApiExample("A label", {"name": "billing", "color": "#2563eb"}, request_only=True)
REPLY_EXAMPLE = OpenApiExample(
    "A canned reply",
    {"shortcut": "hello", "text": "Hello {{visitor.name}}, this is {{agent.name}} of {{company}}."},
    request_only=True,
)


class LabelChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=40, required=False)
    color = serializers.CharField(
        required=False, validators=[RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "A colour like #64748b.")]
    )


class NewLabel(LabelChange):
    name = serializers.CharField(max_length=40)
    color = serializers.CharField(
        default="#64748b", validators=[RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "A colour like #64748b.")]
    )


class LabelAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    color = serializers.CharField()


class LabelPage(serializers.Serializer[Any]):
    results = LabelAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ReplyChange(serializers.Serializer[Any]):
    shortcut = serializers.RegexField(
        r"\A[a-z0-9_-]+\Z",
        max_length=40,
        required=False,
        error_messages={"invalid": "Lower case letters, digits, _ and -."},
    )
    text = serializers.CharField(max_length=5000, required=False, trim_whitespace=False)


class NewReply(ReplyChange):
    shortcut = serializers.RegexField(
        r"\A[a-z0-9_-]+\Z", max_length=40, error_messages={"invalid": "Lower case letters, digits, _ and -."}
    )
    text = serializers.CharField(max_length=5000, trim_whitespace=False)


class ReplyAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    shortcut = serializers.CharField()
    text = serializers.CharField()


class ReplyPage(serializers.Serializer[Any]):
    results = ReplyAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class LabelViewSet(TenantViewSet):
    permissions = {"list": READ, "create": MANAGE, "change": MANAGE, "remove": MANAGE}

    @extend_schema(summary="Labels, by name", responses={200: LabelPage}, tags=["desk"])
    def list(self, request: Request) -> Response:
        labels = Label.objects.for_tenant(self.principal.tenant_id)
        return _page([present_label(label) for label in labels], by="name")

    @extend_schema(
        summary="Add a label", request=NewLabel, responses={201: LabelAnswer}, examples=[LABEL_EXAMPLE], tags=["desk"]
    )
    def create(self, request: Request) -> Response:
        wanted = self.read(NewLabel)
        return self.once(lambda: self._create(wanted))

    def _create(self, wanted: dict[str, Any]) -> Response:
        label = catalogue.create_label(tenant_id=self.principal.tenant_id, **wanted)
        return Response(present_label(label), status=201)

    @extend_schema(
        summary="Rename or recolour a label",
        description="A new name is put on every conversation that had the old one.",
        request=LabelChange,
        responses={200: LabelAnswer},
        examples=[OpenApiExample("Another colour", {"color": "#16a34a"}, request_only=True)],
        tags=["desk"],
    )
    def change(self, request: Request, id: str) -> Response:
        changes = self.read(LabelChange)
        label = catalogue.change_label(tenant_id=self.principal.tenant_id, label_id=decode("lb", id), changes=changes)
        return Response(present_label(label))

    @extend_schema(
        summary="Delete a label",
        description="It is taken off every conversation.",
        responses={204: None},
        tags=["desk"],
    )
    def remove(self, request: Request, id: str) -> Response:
        catalogue.delete_label(tenant_id=self.principal.tenant_id, label_id=decode("lb", id))
        return Response(status=204)


class CannedReplyViewSet(TenantViewSet):
    permissions = {
        "list": READ,
        "create": (MANAGE, "chat.reply"),
        "change": (MANAGE, "chat.reply"),
        "remove": (MANAGE, "chat.reply"),
    }

    @extend_schema(summary="Canned replies, by shortcut", responses={200: ReplyPage}, tags=["desk"])
    def list(self, request: Request) -> Response:
        replies = CannedReply.objects.for_tenant(self.principal.tenant_id)
        return _page([present_reply(reply) for reply in replies], by="shortcut")

    @extend_schema(
        summary="Add a canned reply",
        description="`{{visitor.name}}`, `{{visitor.email}}`, `{{agent.name}}` and `{{company}}` are filled in by the desk.",
        request=NewReply,
        responses={201: ReplyAnswer},
        examples=[REPLY_EXAMPLE],
        tags=["desk"],
    )
    def create(self, request: Request) -> Response:
        wanted = self.read(NewReply)
        return self.once(lambda: self._create(wanted))

    def _create(self, wanted: dict[str, Any]) -> Response:
        reply = catalogue.create_canned_reply(tenant_id=self.principal.tenant_id, **wanted)
        return Response(present_reply(reply), status=201)

    @extend_schema(
        summary="Change a canned reply",
        request=ReplyChange,
        responses={200: ReplyAnswer},
        examples=[OpenApiExample("Another text", {"text": "Bye, {{visitor.name}}!"}, request_only=True)],
        tags=["desk"],
    )
    def change(self, request: Request, id: str) -> Response:
        changes = self.read(ReplyChange)
        reply = catalogue.change_canned_reply(
            tenant_id=self.principal.tenant_id, reply_id=decode("cr", id), changes=changes
        )
        return Response(present_reply(reply))

    @extend_schema(summary="Delete a canned reply", responses={204: None}, tags=["desk"])
    def remove(self, request: Request, id: str) -> Response:
        catalogue.delete_canned_reply(tenant_id=self.principal.tenant_id, reply_id=decode("cr", id))
        return Response(status=204)


def present_label(label: Label) -> dict[str, str]:
    """Return a label as the API shows it."""
    return {"id": encode("lb", label.pk), "name": label.name, "color": label.color}


def present_reply(reply: CannedReply) -> dict[str, str]:
    """Return a canned reply as the API shows it."""
    return {"id": encode("cr", reply.pk), "shortcut": reply.shortcut, "text": reply.text}


def _page(rows: list[dict[str, str]], *, by: str) -> Response:
    """Answer a whole catalogue, at most 500 rows, in alphabetical order."""
    in_order = sorted(rows, key=lambda row: (row[by].casefold(), row[by]))
    return Response({"results": in_order, "next": None, "previous": None})
