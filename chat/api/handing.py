"""Who has a conversation and what it is about, for agents: accept, transfer, labels, reopen."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.models import User
from accounts.principals import require_user
from chat import services
from chat.actors import actor_of
from chat.api import serializers
from chat.desk_row import desk_row
from common.errors import Invalid, NotFound
from common.ids import decode

REPLY = "chat.reply"
ROW = {200: serializers.ConversationRow}


class HandingViewSet(TenantViewSet):
    """Every action answers the conversation's row as the desk's list shows it."""

    permissions = {"accept": REPLY, "transfer": REPLY, "label": REPLY, "reopen": REPLY}

    @extend_schema(
        summary="Take a conversation",
        description="One offered to you, or one in the queue; you may go beyond your own limit. `already-assigned` (409) when "
        "a colleague has it.",
        request=None,
        responses=ROW,
        tags=["chat"],
    )
    def accept(self, request: Request, id: str) -> Response:
        agent = User.objects.get(pk=require_user(self.principal))
        key = decode("cc", id)
        services.accept_conversation(tenant_id=self.principal.tenant_id, conversation_id=key, agent=agent, now=self.now)
        return self._row(key)

    @extend_schema(
        summary="Give a conversation to a colleague, or back to the queue",
        description="`agent` null means the queue. A colleague is offered it, and takes it up by accepting or answering; "
        "until then it can come back. The `note` is for agents' eyes.",
        request=serializers.Transfer,
        responses=ROW,
        examples=[
            OpenApiExample(
                "To a colleague",
                {"agent": "us_0198c1f0a7b37c0e8f4d2b6a1c3e5f70", "note": "Asks for an invoice."},
                request_only=True,
            ),
            OpenApiExample("To the queue", {"agent": None}, request_only=True),
        ],
        tags=["chat"],
    )
    def transfer(self, request: Request, id: str) -> Response:
        wanted = self.read(serializers.Transfer)
        key = decode("cc", id)
        services.transfer_conversation(
            tenant_id=self.principal.tenant_id,
            conversation_id=key,
            to=_agent_id(wanted["agent"]),
            by=actor_of(self.principal),
            note=wanted["note"],
            now=self.now,
        )
        return self._row(key)

    @extend_schema(
        summary="Label a conversation",
        description="Exactly these labels stand on it afterwards, at most 20. Unknown names join the catalogue.",
        request=serializers.Labels,
        responses=ROW,
        examples=[OpenApiExample("Two labels", {"labels": ["vip", "billing"]}, request_only=True)],
        tags=["chat"],
    )
    def label(self, request: Request, id: str) -> Response:
        wanted = self.read(serializers.Labels)
        key = decode("cc", id)
        services.label_conversation(
            tenant_id=self.principal.tenant_id,
            conversation_id=key,
            actor=actor_of(self.principal),
            labels=wanted["labels"],
            now=self.now,
        )
        return self._row(key)

    @extend_schema(
        summary="Open a closed conversation again",
        description="At any time. `newer-conversation` (409) with `next_conversation` when its visitor has a newer open one.",
        request=None,
        responses=ROW,
        tags=["chat"],
    )
    def reopen(self, request: Request, id: str) -> Response:
        key = decode("cc", id)
        services.reopen_conversation(
            tenant_id=self.principal.tenant_id,
            conversation_id=key,
            actor=actor_of(self.principal),
            now=self.now,
        )
        return self._row(key)

    def _row(self, key: UUID) -> Response:
        row: dict[str, Any] = desk_row(self.principal.tenant_id, key)
        return Response(row)


def _agent_id(public_id: str | None) -> UUID | None:
    if public_id is None:
        return None
    try:
        return decode("us", public_id)
    except NotFound as error:
        raise Invalid("agent is the id of an agent, us_…, or null.", pointer="/agent") from error
