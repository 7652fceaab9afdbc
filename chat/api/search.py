"""Search over HTTP, for agents: private notes are found too."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from chat import search, selectors
from chat.api.serializers import ConversationRow
from chat.ledgers import Message
from common.ids import encode
from common.pagination import limit_of
from common.timestamps import rfc3339

Q = OpenApiParameter(
    "q",
    str,
    required=True,
    description="2 to 200 characters: all words must be there, the last one may be a beginning.",
)
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")


class FoundMessage(serializers.Serializer[Any]):
    id = serializers.CharField()
    seq = serializers.IntegerField()
    text = serializers.CharField(help_text="At most 300 characters around the first word found; … where it was cut.")
    sender_type = serializers.CharField()
    sender_name = serializers.CharField()
    message_type = serializers.CharField()
    created_at = serializers.DateTimeField()
    highlight = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="[start, end) of each word found in `text`, in UTF-16 units, as JavaScript counts.",
    )


class Found(serializers.Serializer[Any]):
    conversation = ConversationRow()
    message = FoundMessage(allow_null=True, help_text="None: found by the visitor's name or address.")


class FoundPage(serializers.Serializer[Any]):
    results = Found(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class SearchViewSet(TenantViewSet):
    permissions = {"list": "chat.read"}

    @extend_schema(
        summary="Find messages and visitors, newest first",
        description="Words of messages (private notes too), of visitors' names and of their e-mail addresses.",
        parameters=[Q, LIMIT],
        responses={200: FoundPage},
        tags=["desk"],
    )
    def list(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "")
        hits = search.search(tenant_id=self.principal.tenant_id, wanted=wanted, limit=limit_of(request))
        by_key = {hit.conversation.pk: hit.conversation for hit in hits}
        presented = selectors.present_rows(self.principal.tenant_id, [*by_key.values()])
        rows = dict(zip(by_key, presented, strict=True))
        results = [
            {"conversation": rows[hit.conversation.pk], "message": present_found(hit.message, wanted)} for hit in hits
        ]
        return Response({"results": results, "next": None, "previous": None})


def present_found(message: Message | None, wanted: str) -> dict[str, Any] | None:
    """Return a message found, its text around the words."""
    if message is None:
        return None
    found = search.excerpt(message.text, wanted)
    return {
        "id": encode("cm", message.pk),
        "seq": message.seq,
        "text": found.text,
        "sender_type": message.sender_type,
        "sender_name": message.sender_name,
        "message_type": message.message_type,
        "created_at": rfc3339(message.created_at),
        "highlight": found.ranges,
    }
