"""One conversation as the desk's list shows it, in one statement.

Every message rings with this row. Building the query of `selectors.conversations` anew each time took more than the message
itself, so this one is written out; a test holds both to the same answer.
"""

from typing import Any
from uuid import UUID

from accounts.models import User
from chat.ledgers import Message
from chat.models import Conversation, Visitor, Widget
from chat.presenters import conversation_row
from common.columns import Columns
from common.db import prepared

CONVERSATION = Columns(
    Conversation, "id", "version", "status", "visitor_id", "widget_id", "assigned_agent_id", "page_url", "page_title",
    "referrer", "created_at", "queued_at", "assigned_at", "accepted_at", "waiting_since", "is_offline", "labels",
    "first_response_at", "last_message_at", "closed_at", "message_count", "rating", "feedback", "last_seq",
    "agent_read_seq", "agent_delivered_seq", "previous_id",
)  # fmt: skip
VISITOR = Columns(Visitor, "id", "name", "email", "external_id", "blocked_at")
WIDGET, AGENT = Columns(Widget, "id", "name", "answer_seconds"), Columns(User, "id", "name")
LAST = Columns(Message, "id", "text", "message_type", "file_name", "sender_type", "created_at")

ROW = f"""
SELECT
  (SELECT count(*) FROM chat_messages m WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
    AND m.sender_type = 'visitor' AND m.seq > c.agent_read_seq),
  (SELECT e.seq FROM chat_events e WHERE e.tenant_id = c.tenant_id AND e.conversation_id = c.id
    AND e.visitor_seq <= c.visitor_read_seq ORDER BY e.visitor_seq DESC LIMIT 1),
  (SELECT e.seq FROM chat_events e WHERE e.tenant_id = c.tenant_id AND e.conversation_id = c.id
    AND e.visitor_seq <= c.visitor_delivered_seq ORDER BY e.visitor_seq DESC LIMIT 1),
  {CONVERSATION.sql("c")}, {VISITOR.sql("v")}, {WIDGET.sql("w")}, {AGENT.sql("u")}, {LAST.sql("l")}
FROM chat_conversations c
JOIN chat_visitors v ON v.id = c.visitor_id
JOIN chat_widgets w ON w.id = c.widget_id
LEFT JOIN users u ON u.id = c.assigned_agent_id
LEFT JOIN LATERAL (
  SELECT {LAST.sql("m")} FROM chat_messages m
  WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.message_type <> 'note' ORDER BY m.seq DESC LIMIT 1
) l ON true
WHERE c.tenant_id = %s AND c.id = %s
"""  # noqa: S608 - names of columns, ours


def desk_row(tenant_id: UUID, conversation_id: UUID) -> dict[str, Any]:
    """Return one conversation as the desk's list shows it. Raises Conversation.DoesNotExist."""
    found = prepared(ROW, [tenant_id, conversation_id])
    if not found:
        raise Conversation.DoesNotExist
    values = iter(found[0])
    unread, read, delivered = next(values), next(values), next(values)
    conversation = CONVERSATION.take(values)
    visitor, widget, agent, last = VISITOR.take(values), WIDGET.take(values), AGENT.take(values), LAST.take(values)
    if conversation is None or visitor is None or widget is None:
        raise Conversation.DoesNotExist
    conversation.visitor, conversation.widget, conversation.assigned_agent = visitor, widget, agent
    return conversation_row(
        conversation,
        for_visitor=False,
        other_side_read_seq=read or 0,
        other_side_delivered_seq=delivered or 0,
        last_message=last,
        unread_count=unread,
    )
