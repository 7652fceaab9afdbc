"""The log of a conversation: one UPDATE allots both numbers, in the transaction that writes the event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from chat.ledgers import ChatEvent
from common.errors import NotFound
from common.ids import uuid7

ALLOT = """
UPDATE chat_conversations SET
  last_seq = last_seq + 1,
  last_visitor_seq = last_visitor_seq + %(is_public)s::int,
  message_count = message_count + %(messages)s,
  visitor_message_count = visitor_message_count + %(visitor_messages)s,
  agent_message_count = agent_message_count + %(agent_messages)s,
  last_message_at = CASE WHEN %(messages)s > 0 THEN %(now)s ELSE last_message_at END,
  waiting_since = CASE
    WHEN %(agent_messages)s > 0 THEN NULL
    WHEN %(visitor_messages)s > 0 THEN coalesce(waiting_since, %(now)s)
    ELSE waiting_since END,
  first_response_at = CASE WHEN %(agent_messages)s > 0 THEN coalesce(first_response_at, %(now)s) ELSE first_response_at END
WHERE tenant_id = %(tenant_id)s AND id = %(conversation_id)s
RETURNING last_seq, last_visitor_seq
"""


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
    counted: Counted = Counted(),
) -> ChatEvent:
    """Write the next event. Two statements; holds the conversation's row until the transaction ends."""
    seq, visitor_seq = _allot(tenant_id, conversation_id, is_public, counted, now)
    return ChatEvent.objects.create(
        id=uuid7(),
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        seq=seq,
        visitor_seq=visitor_seq if is_public else None,
        type=type,
        payload=payload,
        occurred_at=now,
    )


def _allot(tenant_id: UUID, conversation_id: UUID, is_public: bool, counted: Counted, now: datetime) -> tuple[int, int]:
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "conversation_id": conversation_id,
        "is_public": is_public,
        "messages": counted.messages,
        "visitor_messages": counted.visitor_messages,
        "agent_messages": counted.agent_messages,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(ALLOT, values)
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no such conversation.")
    return int(row[0]), int(row[1])
