"""Everything held of a visitor, as one JSON document, written piece by piece."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import orjson

from accounts.principals import Principal
from chat.attachments.links import file_url
from chat.attachments.selectors import attachment_for
from chat.ledgers import Message
from chat.models import Attachment, Conversation
from chat.presenters import message_payload
from chat.presenting import own_view
from chat.services.visitors import visitor_of
from common.errors import NotFound
from common.ids import encode
from common.timestamps import rfc3339

BATCH = 500


def export_visitor(*, visitor_id: UUID, reader: Principal, to: IO[bytes], now: datetime) -> None:
    """Write what is held of a visitor: facts, conversations, messages, and files with links of the reader's.

    A visitor does not get what is for agents' eyes, private notes and labels. Raises NotFound. Holds no more than 500 messages
    at once.
    """
    visitor = visitor_of(tenant_id=reader.tenant_id, visitor_id=visitor_id)
    head = {
        "exported_at": rfc3339(now),
        "visitor": {
            **own_view(visitor),
            "external_id": visitor.external_id,
            "attributes": visitor.attributes,
            "location": visitor.location,
            "recent_pages": visitor.recent_pages,
            "created_at": rfc3339(visitor.created_at),
            "last_seen_at": rfc3339(visitor.last_seen_at),
        },
    }
    to.write(orjson.dumps(head)[:-1] + b',"conversations":[')
    mine = Conversation.objects.for_tenant(reader.tenant_id).filter(visitor=visitor).select_related("widget")
    for index, conversation in enumerate(mine.order_by("created_at").iterator(BATCH)):
        to.write(b"," * bool(index) + orjson.dumps(_conversation(conversation, reader))[:-1] + b',"messages":[')
        for place, message in enumerate(_messages(conversation, reader)):
            to.write(b"," * bool(place) + orjson.dumps(_message(message, reader, now)))
        to.write(b"]}")
    to.write(b"]}")


def _conversation(conversation: Conversation, reader: Principal) -> dict[str, Any]:
    return {
        "id": encode("cc", conversation.pk),
        "widget": conversation.widget.name,
        "status": conversation.status,
        "page_url": conversation.page_url,
        "page_title": conversation.page_title,
        "referrer": conversation.referrer,
        "pre_chat": conversation.metadata.get("pre_chat", {}),
        **({} if reader.is_visitor else {"labels": conversation.labels}),
        "rating": conversation.rating,
        "feedback": conversation.feedback,
        "created_at": rfc3339(conversation.created_at),
        "closed_at": rfc3339(conversation.closed_at),
    }


def _messages(conversation: Conversation, reader: Principal) -> Iterator[Message]:
    rows = Message.objects.for_tenant(reader.tenant_id).filter(conversation_id=conversation.pk)
    if reader.is_visitor:
        rows = rows.filter(visitor_seq__isnull=False)
    return rows.order_by("seq").iterator(BATCH)


def _message(message: Message, reader: Principal, now: datetime) -> dict[str, Any]:
    body = message_payload(message)
    if message.attachment_id is not None and (file := _file(message.attachment_id, reader)):
        url, expires_at = file_url(attachment_id=file.pk, principal=reader, now=now)
        body["attachment"] = {**(body["attachment"] or {}), "url": url, "expires_at": rfc3339(expires_at)}
    return body


def _file(attachment_id: UUID, reader: Principal) -> Attachment | None:
    try:
        return attachment_for(reader, attachment_id)
    except NotFound:
        return None
