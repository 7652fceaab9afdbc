"""The log of a conversation: one UPDATE allots both numbers, in the transaction that writes the event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from chat.ledgers import ChatEvent, Message
from common.columns import Columns
from common.db import prepared
from common.errors import NotFound
from common.ids import uuid7

ALLOT = """
UPDATE chat_conversations SET
  last_seq = last_seq + 1,
  last_visitor_seq = last_visitor_seq + %(is_public)s::int,
  message_count = message_count + %(messages)s::int,
  visitor_message_count = visitor_message_count + %(visitor_messages)s::int,
  agent_message_count = agent_message_count + %(agent_messages)s::int,
  last_message_at = CASE WHEN %(messages)s::int > 0 THEN %(now)s ELSE last_message_at END,
  waiting_since = CASE
    WHEN %(agent_messages)s::int > 0 THEN NULL
    WHEN %(visitor_messages)s::int > 0 THEN coalesce(waiting_since, %(now)s)
    ELSE waiting_since END,
  first_response_at = CASE
    WHEN %(agent_messages)s::int > 0 THEN coalesce(first_response_at, %(now)s)
    ELSE first_response_at END
WHERE tenant_id = %(tenant_id)s AND id = %(conversation_id)s {unless}
RETURNING last_seq AS seq, CASE WHEN %(is_public)s THEN last_visitor_seq END AS visitor_seq
"""
EVENT = """
INSERT INTO chat_events (id, tenant_id, conversation_id, seq, visitor_seq, type, payload, occurred_at)
SELECT %(event_id)s, %(tenant_id)s, %(conversation_id)s, seq, visitor_seq, %(type)s, %(payload)s::jsonb, %(now)s FROM allotted
"""
APPEND = f"WITH allotted AS ({ALLOT.format(unless='')}), event AS ({EVENT}) SELECT seq, visitor_seq FROM allotted"  # noqa: S608
MESSAGE = Columns(Message)
UNLESS_SENT = """
AND NOT EXISTS (
  SELECT FROM chat_messages WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s
    AND sender_type = %(sender_type)s AND sender_id = %(sender_id)s AND client_message_id = %(client_message_id)s
)"""
# Nothing is allotted or written when the sender's key is there already.
APPEND_MESSAGE = f"""
WITH allotted AS ({ALLOT.format(unless=UNLESS_SENT)}), event AS ({EVENT})
INSERT INTO chat_messages ({", ".join(MESSAGE.names)})
SELECT {", ".join(name if name in ("seq", "visitor_seq") else f"%({name})s" for name in MESSAGE.names)} FROM allotted
RETURNING seq, visitor_seq
"""  # noqa: S608 - names of columns, ours


@dataclass(frozen=True)
class Counted:
    """How an event moves the conversation's counters."""

    messages: int = 0
    visitor_messages: int = 0
    agent_messages: int = 0


def append(
    *,
    tenant_id: UUID,
    conversation_id: UUID,
    type: ChatEvent.Type,
    payload: dict[str, Any],
    now: datetime,
    is_public: bool = True,
) -> ChatEvent:
    """Write the next event. One statement; holds the conversation's row until the transaction ends."""
    event = _event(tenant_id, conversation_id, type, payload, now)
    if not _write(APPEND, event, is_public, Counted(), {}):
        raise NotFound("There is no such conversation.")
    return event


def append_message(message: Message, *, payload: dict[str, Any], counted: Counted, is_public: bool) -> ChatEvent | None:
    """Write a message as the next event, and number it; None when its sender used its `client_message_id` before.

    One statement. The caller holds the conversation's row, or two at once could both find the id unused.
    """
    event = _event(message.tenant_id, message.conversation_id, ChatEvent.Type.MESSAGE, payload, message.created_at)
    if not _write(APPEND_MESSAGE, event, is_public, counted, {name: getattr(message, name) for name in MESSAGE.names}):
        return None
    message.seq, message.visitor_seq = event.seq, event.visitor_seq
    return event


def _event(
    tenant_id: UUID, conversation_id: UUID, type: ChatEvent.Type, payload: dict[str, Any], now: datetime
) -> ChatEvent:
    return ChatEvent(
        id=uuid7(),
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        type=type,
        payload=payload,
        occurred_at=now,
    )


def _write(statement: str, event: ChatEvent, is_public: bool, counted: Counted, more: dict[str, Any]) -> bool:
    """Run a statement that allots the event its numbers; False when it wrote nothing."""
    written = prepared(
        statement,
        {
            **more,
            "event_id": event.pk,
            "tenant_id": event.tenant_id,
            "conversation_id": event.conversation_id,
            "type": event.type,
            "payload": orjson.dumps(event.payload).decode(),
            "now": event.occurred_at,
            "is_public": is_public,
            "messages": counted.messages,
            "visitor_messages": counted.visitor_messages,
            "agent_messages": counted.agent_messages,
        },
    )
    if not written:
        return False
    event.seq, event.visitor_seq = written[0]
    return True
