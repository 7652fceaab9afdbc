"""Handing over: an agent gives a conversation to a colleague, or back to the queue."""

from datetime import datetime
from uuid import UUID, uuid4

from chat.actors import Actor
from chat.models import Conversation
from chat.services import routing, slots
from chat.services.handing import may_chat, take_up
from chat.services.messages import send_message
from chat.services.recording import lock_conversation, require_active
from common.errors import Invalid


def transfer_conversation(
    *, tenant_id: UUID, conversation_id: UUID, to: UUID | None, by: Actor, now: datetime, note: str = ""
) -> bool:
    """Give an open conversation to an agent who may chat, or (None) back to the queue; False when nothing changes.

    To somebody else it is an offer, which comes back to the queue when they do not take it up. The limit does not hold:
    a person decided. A note is written first, for agents' eyes. Raises Invalid for somebody who cannot chat here.
    """
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id)
    require_active(conversation)
    if to is not None and not may_chat(tenant_id, to):
        raise Invalid("Nobody of that id can chat here.", code="unknown-agent", pointer="/agent")
    if note:
        _write_note(conversation, by, note, now)
    before = conversation.assigned_agent_id
    if to == before:
        return to == by.id and take_up(conversation, by.id, reason="accepted", now=now)
    routing.remember_missed(conversation, [])
    if to is None:
        since = conversation.waiting_since or now
        routing.queue(conversation, since=since, reason="returned", now=now)
    else:
        slots.take(tenant_id=tenant_id, agent_id=to, instead_of=before, now=now)
        accepted_at = now if to == by.id else None
        routing.assign(conversation, to, reason="transferred", accepted_at=accepted_at, now=now)
        routing.drain_on_commit(tenant_id, now=now)
    return True


def _write_note(conversation: Conversation, by: Actor, text: str, now: datetime) -> None:
    send_message(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.pk,
        actor=by,
        client_message_id=uuid4().hex,
        text=text,
        now=now,
        is_note=True,
    )
