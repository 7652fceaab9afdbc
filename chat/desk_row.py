"""One conversation as the desk's list shows it, in one statement.

Every message rings with this row. Building the query of `selectors.conversations` anew each time took more than the message
itself, so this one is written out; a test holds both to the same answer.
"""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.models import User
from chat.ledgers import Message
from chat.models import Conversation, Visitor, Widget
from chat.presenters import conversation_row


def _fields(model: type[Model], *names: str) -> tuple[str, ...]:
    """Return fields in the model's own order, as `from_db` takes them."""
    found = tuple(field.attname for field in model._meta.concrete_fields if field.attname in names)
    if len(found) != len(names):
        raise ValueError(f"{model.__name__} has no {set(names) - set(found)}.")
    return found


def _columns(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


CONVERSATION = _fields(
    Conversation, "id", "version", "status", "visitor_id", "widget_id", "assigned_agent_id", "page_url", "page_title",
    "referrer", "created_at", "queued_at", "assigned_at", "accepted_at", "waiting_since", "is_offline", "labels",
    "first_response_at", "last_message_at", "closed_at", "message_count", "rating", "feedback", "last_seq",
    "agent_read_seq", "agent_delivered_seq", "previous_id",
)  # fmt: skip
VISITOR = _fields(Visitor, "id", "name", "email", "external_id", "blocked_at")
WIDGET, AGENT = _fields(Widget, "id", "name"), _fields(User, "id", "name")
LAST = _fields(Message, "id", "text", "message_type", "file_name", "sender_type", "created_at")

ROW = f"""
SELECT
  (SELECT count(*) FROM chat_messages m WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
    AND m.sender_type = 'visitor' AND m.seq > c.agent_read_seq),
  (SELECT e.seq FROM chat_events e WHERE e.tenant_id = c.tenant_id AND e.conversation_id = c.id
    AND e.visitor_seq <= c.visitor_read_seq ORDER BY e.visitor_seq DESC LIMIT 1),
  (SELECT e.seq FROM chat_events e WHERE e.tenant_id = c.tenant_id AND e.conversation_id = c.id
    AND e.visitor_seq <= c.visitor_delivered_seq ORDER BY e.visitor_seq DESC LIMIT 1),
  {_columns("c", CONVERSATION)}, {_columns("v", VISITOR)}, {_columns("w", WIDGET)}, {_columns("u", AGENT)}, {_columns("l", LAST)}
FROM chat_conversations c
JOIN chat_visitors v ON v.id = c.visitor_id
JOIN chat_widgets w ON w.id = c.widget_id
LEFT JOIN users u ON u.id = c.assigned_agent_id
LEFT JOIN LATERAL (
  SELECT {_columns("m", LAST)} FROM chat_messages m
  WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.message_type <> 'note' ORDER BY m.seq DESC LIMIT 1
) l ON true
WHERE c.tenant_id = %s AND c.id = %s
"""  # noqa: S608 - names of columns, ours


def desk_row(tenant_id: UUID, conversation_id: UUID) -> dict[str, Any]:
    """Return one conversation as the desk's list shows it. Raises Conversation.DoesNotExist."""
    with connection.cursor() as cursor:
        cursor.execute(ROW, [tenant_id, conversation_id])
        found = cursor.fetchone()
    if found is None:
        raise Conversation.DoesNotExist
    values = iter(found)
    unread, read, delivered = next(values), next(values), next(values)
    conversation = Conversation.from_db("default", CONVERSATION, [next(values) for _ in CONVERSATION])
    conversation.visitor = Visitor.from_db("default", VISITOR, [next(values) for _ in VISITOR])
    conversation.widget = Widget.from_db("default", WIDGET, [next(values) for _ in WIDGET])
    agent = [next(values) for _ in AGENT]
    conversation.assigned_agent = User.from_db("default", AGENT, agent) if agent[0] else None
    last = [next(values) for _ in LAST]
    return conversation_row(
        conversation,
        for_visitor=False,
        other_side_read_seq=read or 0,
        other_side_delivered_seq=delivered or 0,
        last_message=Message.from_db("default", LAST, last) if last[0] else None,
        unread_count=unread,
    )
