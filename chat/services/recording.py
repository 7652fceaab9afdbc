"""What every change of a conversation has in common: lock, log, tell."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.webhooks.services import WebhookEvent, enqueue
from chat.actors import Actor
from chat.events import InboxChanged, Logged
from chat.ledgers import ChatEvent
from chat.models import Conversation
from chat.selectors import desk_row
from common.errors import NotFound, WrongState
from common.ids import encode
from common.live import publish_on_commit


def lock_conversation(*, tenant_id: UUID, conversation_id: UUID, actor: Actor | None = None) -> Conversation:
    """Return the conversation with its row locked; a visitor finds only its own. Raises NotFound."""
    rows = Conversation.objects.for_tenant(tenant_id).select_related("visitor").select_for_update(of=("self",))
    if actor is not None and actor.is_visitor:
        rows = rows.filter(visitor_id=actor.id)
    found = rows.filter(pk=conversation_id).first()
    if found is None:
        raise NotFound("There is no such conversation.", pointer="/conversation_id")
    return found


def require_active(conversation: Conversation) -> None:
    """Raise WrongState unless the conversation is open."""
    if conversation.status != Conversation.Status.ACTIVE:
        raise WrongState("This conversation is closed.", code="conversation-closed")


def tell(event: ChatEvent) -> None:
    """Ring the screens of a logged event once it is committed: the conversation's readers and the agents' list."""
    publish_on_commit(Logged(event))
    publish_on_commit(InboxChanged(event.tenant_id, desk_row(event.tenant_id, event.conversation_id)))


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
