"""One conversation, for its visitor and its tenant's agents."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from chat import selectors, services
from chat.actors import actor_of
from chat.api import serializers
from chat.desk_row import desk_row
from chat.ledgers import Message
from chat.presenters import message_payload, numbered
from common.errors import Invalid
from common.ids import decode, encode
from common.pagination import limit_of

VISIT, READ, REPLY = "chat.visit", "chat.read", "chat.reply"
AFTER = OpenApiParameter("after_seq", int, description="Only what follows this number.")
BEFORE = OpenApiParameter("before_seq", int, description="Only what precedes this number.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")


class ConversationViewSet(TenantViewSet):
    permissions = {
        "send": (VISIT, REPLY),
        "events": (VISIT, READ),
        "messages": (VISIT, READ),
        "rate": VISIT,
        "close": (VISIT, REPLY),
        "read_up_to": (VISIT, READ),
        "delivered_up_to": (VISIT, READ),
        "note": REPLY,
        "edit": (VISIT, REPLY),
    }

    @extend_schema(
        summary="Send a message",
        description="The same `client_message_id` with the same text and attachment again answers the stored message with 200, "
        "with others it is a 409.",
        request=serializers.SendMessage,
        responses={200: serializers.LogEntryAnswer, 201: serializers.LogEntryAnswer},
        examples=[
            OpenApiExample(
                "A message",
                {"conversation_id": "cc_0198c1f0a7b37c0e8f4d2b6a1c3e5f70", "client_message_id": "m1", "text": "Hello"},
                request_only=True,
            )
        ],
        tags=["chat"],
    )
    def send(self, request: Request) -> Response:
        wanted = self.read(serializers.SendMessage)
        return self.once(lambda: self._send(decode("cc", wanted["conversation_id"]), wanted, is_note=False))

    @extend_schema(
        summary="Write a private note",
        request=serializers.Note,
        responses={200: serializers.LogEntryAnswer, 201: serializers.LogEntryAnswer},
        examples=[OpenApiExample("A note", {"client_message_id": "n1", "text": "Asked twice."}, request_only=True)],
        tags=["chat"],
    )
    def note(self, request: Request, id: str) -> Response:
        wanted = self.read(serializers.Note)
        return self.once(lambda: self._send(decode("cc", id), wanted, is_note=True))

    @extend_schema(
        summary="Change the text of one's own message",
        description="By its author alone, in an open conversation, for 15 minutes: a visitor its own, an agent messages and "
        "private notes of their own. The log gains an `edit`, the message `edited_at`; the text it has already changes nothing. "
        "409 `too-late`, `conversation-closed`; 403 `not-author`.",
        request=serializers.Edit,
        responses={200: serializers.MessageAnswer},
        examples=[OpenApiExample("Mended", {"text": "Hello, how can I help you?"}, request_only=True)],
        tags=["chat"],
    )
    def edit(self, request: Request, id: str, message_id: str) -> Response:
        wanted = self.read(serializers.Edit)
        message = services.edit_message(
            tenant_id=self.principal.tenant_id,
            conversation_id=decode("cc", id),
            message_id=decode("cm", message_id),
            actor=actor_of(self.principal),
            text=wanted["text"],
            now=self.now,
        )
        body = _numbered_message(message, self.principal.is_visitor)
        return Response({"conversation_id": encode("cc", message.conversation_id), **body})

    def _send(self, conversation_id: UUID, wanted: dict[str, Any], *, is_note: bool) -> Response:
        sent = services.send_message(
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation_id,
            actor=actor_of(self.principal),
            client_message_id=wanted["client_message_id"],
            text=wanted["text"],
            attachment_id=decode("at", wanted["attachment_id"]) if wanted["attachment_id"] else None,
            now=self.now,
            is_note=is_note,
        )
        body = numbered(sent.event, for_visitor=self.principal.is_visitor)
        return Response({"conversation_id": encode("cc", conversation_id), **body}, status=201 if sent.is_new else 200)

    @extend_schema(
        summary="Read the log", parameters=[AFTER, LIMIT], responses={200: serializers.LogAnswer}, tags=["chat"]
    )
    def events(self, request: Request, id: str) -> Response:
        conversation = selectors.conversation_of(self.principal, decode("cc", id))
        for_visitor = self.principal.is_visitor
        found = selectors.events_after(
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation.pk,
            after_seq=_whole(request, "after_seq") or 0,
            for_visitor=for_visitor,
            limit=limit_of(request),
        )
        head = conversation.last_visitor_seq if for_visitor else conversation.last_seq
        return Response({"events": found, "head": head, "conversation": self._row(conversation.pk)})

    @extend_schema(
        summary="Read messages, newest page first",
        parameters=[AFTER, BEFORE, LIMIT],
        responses={200: serializers.MessagesAnswer},
        tags=["chat"],
    )
    def messages(self, request: Request, id: str) -> Response:
        conversation = selectors.conversation_of(self.principal, decode("cc", id))
        for_visitor = self.principal.is_visitor
        page = selectors.messages_page(
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation.pk,
            for_visitor=for_visitor,
            after_seq=_whole(request, "after_seq"),
            before_seq=_whole(request, "before_seq"),
            limit=limit_of(request),
        )
        head = conversation.last_visitor_seq if for_visitor else conversation.last_seq
        return Response({"results": [_numbered_message(message, for_visitor) for message in page], "head": head})

    @extend_schema(
        summary="Rate a closed conversation", request=serializers.Rate,
        responses={200: serializers.ConversationRow}, tags=["chat"],
        examples=[OpenApiExample("Five stars", {"rating": 5, "feedback": "Quick and kind."}, request_only=True)],
    )  # fmt: skip
    def rate(self, request: Request, id: str) -> Response:
        wanted = self.read(serializers.Rate)
        services.rate_conversation(
            tenant_id=self.principal.tenant_id,
            conversation_id=decode("cc", id),
            actor=actor_of(self.principal),
            rating=wanted["rating"],
            feedback=wanted["feedback"],
            now=self.now,
        )
        return Response(self._row(decode("cc", id)))

    @extend_schema(
        summary="Close a conversation", request=None, responses={200: serializers.ConversationRow}, tags=["chat"]
    )
    def close(self, request: Request, id: str) -> Response:
        services.close_conversation(
            tenant_id=self.principal.tenant_id,
            conversation_id=decode("cc", id),
            actor=actor_of(self.principal),
            now=self.now,
        )
        return Response(self._row(decode("cc", id)))

    @extend_schema(
        summary="Mark as read",
        request=serializers.Read,
        responses={200: serializers.ConversationRow},
        examples=[OpenApiExample("Up to the 12th", {"seq": 12}, request_only=True)],
        tags=["chat"],
    )
    def read_up_to(self, request: Request, id: str) -> Response:
        wanted = self.read(serializers.Read)
        conversation = selectors.conversation_of(self.principal, decode("cc", id))
        services.mark_read(
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation.pk,
            actor=actor_of(self.principal),
            seq=wanted["seq"],
        )
        return Response(self._row(conversation.pk))

    @extend_schema(
        summary="Mark as delivered",
        description="This side's client holds everything up to `seq`, in its own numbering.",
        request=serializers.Read,
        responses={200: serializers.ConversationRow},
        examples=[OpenApiExample("Up to the 12th", {"seq": 12}, request_only=True)],
        tags=["chat"],
    )
    def delivered_up_to(self, request: Request, id: str) -> Response:
        wanted = self.read(serializers.Read)
        conversation = selectors.conversation_of(self.principal, decode("cc", id))
        services.mark_delivered(
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation.pk,
            actor=actor_of(self.principal),
            seq=wanted["seq"],
        )
        return Response(self._row(conversation.pk))

    def _row(self, conversation_id: UUID) -> dict[str, Any]:
        if not self.principal.is_visitor:
            return desk_row(self.principal.tenant_id, conversation_id)
        return selectors.visitor_row(self.principal, conversation_id)


def _numbered_message(message: Message, for_visitor: bool) -> dict[str, Any]:
    return {"seq": message.visitor_seq if for_visitor else message.seq, "message": message_payload(message)}


def _whole(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(f"{name} must be a whole number of at least 0.", pointer=f"/{name}")
    return int(text)
