"""How chat looks from outside: the same shapes over HTTP, sockets and webhooks."""

from typing import Any

from chat.attachments.contents import INLINE_TYPES
from chat.ledgers import ChatEvent, Message, SenderType
from chat.models import Conversation, Widget
from common.ids import encode
from common.timestamps import rfc3339


def message_payload(message: Message) -> dict[str, Any]:
    """Return a message's body."""
    return {
        "id": encode("cm", message.pk),
        "client_message_id": message.client_message_id,
        "sender_type": message.sender_type,
        "sender_id": encode("vi" if message.sender_type == SenderType.VISITOR else "us", message.sender_id),
        "sender_name": message.sender_name,
        "message_type": message.message_type,
        "text": message.text,
        "attachment": attachment_part(message),
        "created_at": rfc3339(message.created_at),
        "edited_at": rfc3339(message.edited_at),
    }


def edit_payload(message: Message) -> dict[str, Any]:
    """Return what the log says of a message that was given another text."""
    return {"message_id": encode("cm", message.pk), "text": message.text, "edited_at": rfc3339(message.edited_at)}


def attachment_part(message: Message) -> dict[str, Any] | None:
    """Return what a message says of its file; the bytes are behind `GET /v1/chat/attachments/{id}`."""
    if message.attachment_id is None:
        return None
    return {
        "id": encode("at", message.attachment_id),
        "file_name": message.file_name,
        "size": message.file_size,
        "content_type": message.file_type,
        "is_image": message.file_type in INLINE_TYPES,
    }


def event_body(event: ChatEvent) -> dict[str, Any]:
    """Return a log entry without its number, which depends on who reads."""
    return {"type": event.type, "occurred_at": rfc3339(event.occurred_at), "payload": event.payload}


def numbered(event: ChatEvent, *, for_visitor: bool) -> dict[str, Any]:
    """Return a log entry with the number its reader knows it by."""
    return {"seq": event.visitor_seq if for_visitor else event.seq, "event": event_body(event)}


def conversation_row(
    conversation: Conversation,
    *,
    for_visitor: bool,
    other_side_read_seq: int = 0,
    other_side_delivered_seq: int = 0,
    last_message: Message | None = None,
    unread_count: int = 0,
) -> dict[str, Any]:
    """Return a conversation as lists show it, every number in the reader's own numbering.

    `other_side_read_seq` and `other_side_delivered_seq` say how far the other side is: stored in its numbering, handed here
    in the reader's.
    """
    own_read_seq = conversation.visitor_read_seq if for_visitor else conversation.agent_read_seq
    visitor, agent = conversation.visitor, conversation.assigned_agent
    delivered = conversation.visitor_delivered_seq if for_visitor else conversation.agent_delivered_seq
    return {
        "id": encode("cc", conversation.pk),
        "version": conversation.version,
        "status": conversation.status,
        "visitor": {
            "id": encode("vi", visitor.pk),
            "name": visitor.name,
            "email": visitor.email,
            "is_verified": bool(visitor.external_id),
            "is_blocked": visitor.blocked_at is not None,
        },
        "agent": {"id": encode("us", agent.pk), "name": agent.name} if agent else None,
        "page_url": conversation.page_url,
        "page_title": conversation.page_title,
        "referrer": conversation.referrer,
        "widget_name": conversation.widget.name,
        "answer_seconds": None
        if for_visitor
        else conversation.widget.answer_seconds,  # how long an offer stands; 0: for ever
        "created_at": rfc3339(conversation.created_at),
        "queued_at": rfc3339(conversation.queued_at),
        "assigned_at": rfc3339(conversation.assigned_at),
        "accepted_at": rfc3339(conversation.accepted_at),
        "waiting_since": rfc3339(conversation.waiting_since),
        "is_offline": conversation.is_offline,
        "labels": [] if for_visitor else conversation.labels,  # for agents' eyes
        "first_response_at": rfc3339(conversation.first_response_at),
        "last_message_at": rfc3339(conversation.last_message_at),
        "closed_at": rfc3339(conversation.closed_at),
        "message_count": conversation.message_count,
        "unread_count": unread_count,
        "last_message": _preview(last_message),
        "rating": conversation.rating,
        "feedback": conversation.feedback,
        "last_seq": conversation.last_visitor_seq if for_visitor else conversation.last_seq,
        "visitor_read_seq": own_read_seq if for_visitor else other_side_read_seq,
        "agent_read_seq": other_side_read_seq if for_visitor else own_read_seq,
        "visitor_delivered_seq": delivered if for_visitor else other_side_delivered_seq,
        "agent_delivered_seq": other_side_delivered_seq if for_visitor else delivered,
        "previous_conversation": encode("cc", conversation.previous_id) if conversation.previous_id else None,
    }


def _preview(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {
        "text": message.text[:200],
        "message_type": message.message_type,
        "file_name": message.file_name,
        "sender_type": message.sender_type,
        "created_at": rfc3339(message.created_at),
    }


WIDGET_LOOK = (
    "widget_key", "name", "primary_color", "widget_position", "greeting_message", "offline_message", "placeholder_text",
    "show_agent_avatars", "auto_open", "auto_open_delay", "show_launcher", "allow_file_upload", "max_file_size_mb",
    "require_email", "pre_chat_fields",
)  # fmt: skip


def widget_look(widget: Widget) -> dict[str, Any]:
    """Return what the launcher needs to draw a widget."""
    return {name: getattr(widget, name) for name in WIDGET_LOOK}
