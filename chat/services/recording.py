"""What every change of a conversation has in common: lock, log, tell."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.webhooks.services import WebhookEvent, enqueue
from chat import log
from chat.actors import Actor
from chat.desk_row import desk_row
from chat.events import InboxChanged, Logged
from chat.ledgers import ChatEvent
from chat.models import Conversation, Visitor, Widget
from common.columns import Columns
from common.db import prepared
from common.errors import NotFound, WrongState
from common.ids import encode
from common.live import publish_on_commit

CONVERSATION, VISITOR, WIDGET = Columns(Conversation), Columns(Visitor), Columns(Widget)
# NO KEY: a start that names this one as the one before it does not wait.
LOCK = f"""
SELECT {CONVERSATION.sql("c")}, {VISITOR.sql("v")}, {WIDGET.sql("w")}
FROM chat_conversations c JOIN chat_visitors v ON v.id = c.visitor_id JOIN chat_widgets w ON w.id = c.widget_id
WHERE c.tenant_id = %s AND c.id = %s AND (%s::uuid IS NULL OR c.visitor_id = %s::uuid)
FOR NO KEY UPDATE OF c
"""  # noqa: S608 - names of columns, ours


def lock_conversation(*, tenant_id: UUID, conversation_id: UUID, actor: Actor | None = None) -> Conversation:
    """Return the conversation with its row locked, and its visitor and widget; a visitor finds only its own. Raises NotFound."""
    visitor_id = actor.id if actor is not None and actor.is_visitor else None
    found = prepared(LOCK, [tenant_id, conversation_id, visitor_id, visitor_id])
    values = iter(found[0] if found else ())
    conversation = CONVERSATION.take(values) if found else None
    if conversation is None:
        raise NotFound("There is no such conversation.", pointer="/conversation_id")
    visitor, widget = VISITOR.take(values), WIDGET.take(values)
    if visitor is not None and widget is not None:
        conversation.visitor, conversation.widget = visitor, widget
    return conversation


def require_active(conversation: Conversation) -> None:
    """Raise WrongState unless the conversation is open; it names the open one its visitor has instead, if any."""
    if conversation.status != Conversation.Status.ACTIVE:
        raise closed_error(conversation)


def closed_error(conversation: Conversation, code: str = "conversation-closed") -> WrongState:
    """Return the refusal of a closed conversation, with its visitor's open one at that widget as `next_conversation`."""
    rows = Conversation.objects.for_tenant(conversation.tenant_id).exclude(pk=conversation.pk)
    rows = rows.filter(widget=conversation.widget_id, visitor=conversation.visitor_id)
    newer = rows.filter(status=Conversation.Status.ACTIVE).values_list("pk", flat=True).first()
    message = "This conversation is closed." if newer is None else "This conversation is closed, a newer one is open."
    return WrongState(message, code=code, extra={"next_conversation": encode("cc", newer) if newer else None})


def tell(event: ChatEvent) -> None:
    """Ring the screens of a logged event once it is committed: the conversation's readers and the agents' list."""
    publish_on_commit(Logged(event))
    tell_inbox(event.tenant_id, event.conversation_id)


def tell_inbox(tenant_id: UUID, conversation_id: UUID) -> None:
    """Ring the agents' list with a row as it stands now, once it is committed."""
    publish_on_commit(InboxChanged(tenant_id, desk_row(tenant_id, conversation_id)))


def log_status(conversation: Conversation, *, by: str, now: datetime, **more: str) -> ChatEvent:
    """Write the status a conversation has come to to its log, and ring."""
    event = log.append(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.pk,
        type=ChatEvent.Type.STATUS,
        payload={"status": conversation.status, "by": by, **more},
        now=now,
    )
    conversation.last_seq, conversation.last_visitor_seq = event.seq, event.visitor_seq or 0
    tell(event)
    return event


def enqueue_webhook(type: str, conversation: Conversation, data: dict[str, Any], now: datetime) -> None:
    """Write the outbox row of a fact about a conversation."""
    public_id = encode("cc", conversation.pk)
    enqueue(
        WebhookEvent(
            type=type,
            tenant_id=conversation.tenant_id,
            object_id=public_id,
            data={"conversation_id": public_id, **data},
            occurred_at=now,
        )
    )
