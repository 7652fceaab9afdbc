"""An agent takes a conversation up: by hand, or by answering."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Membership, User
from chat.actors import Actor
from chat.ledgers import SenderType
from chat.models import Conversation
from chat.services import routing, slots
from chat.services.recording import lock_conversation, require_active, tell_inbox
from common.db import prepared
from common.errors import WrongState

TAKEN_UP = ["accepted_at", "metadata"]
MAY_CHAT = """
SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = %s AND m.user_id = %s AND m.is_active AND u.is_active AND m.role = ANY(%s)
"""


def accept_conversation(*, tenant_id: UUID, conversation_id: UUID, agent: User, now: datetime) -> bool:
    """Take up an open conversation: one offered to this agent, or one in the queue; False when they had taken it up.

    Raises WrongState when another agent has it or it is closed.
    """
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id)
    require_active(conversation)
    if conversation.assigned_agent_id not in {None, agent.pk}:
        raise WrongState("Another agent has this conversation.", code="already-assigned")
    return take_up(conversation, agent.pk, reason="accepted", now=now)


def take_up_on_reply(conversation: Conversation, actor: Actor, now: datetime) -> None:
    """Let an agent's first public message take up what was offered to them or waits in the queue.

    An integration's message, under an API key, takes nothing up.
    """
    if actor.type != SenderType.AGENT or conversation.assigned_agent_id not in {None, actor.id}:
        return
    if conversation.assigned_agent_id == actor.id or may_chat(conversation.tenant_id, actor.id):
        take_up(conversation, actor.id, reason="replied", now=now)


def may_chat(tenant_id: UUID, user_id: UUID) -> bool:
    """Say whether somebody may answer visitors; an API key is nobody."""
    return bool(prepared(MAY_CHAT, [tenant_id, user_id, slots.MAY_CHAT]))


def chatters(tenant_id: UUID) -> QuerySet[Membership]:
    """Return the memberships of everybody who may answer visitors."""
    rows = Membership.objects.for_tenant(tenant_id)
    return rows.filter(is_active=True, user__is_active=True, role__in=slots.MAY_CHAT)


def take_up(conversation: Conversation, agent_id: UUID, *, reason: str, now: datetime) -> bool:
    """Take up a conversation that is nobody's or this agent's own; the log hears only of a change of hands."""
    if conversation.accepted_at is not None:
        return False
    routing.remember_missed(conversation, [])
    if conversation.assigned_agent_id is None:
        slots.take(tenant_id=conversation.tenant_id, agent_id=agent_id, now=now)
        routing.assign(conversation, agent_id, reason=reason, accepted_at=now, now=now)
    else:
        conversation.accepted_at = now
        conversation.save(update_fields=TAKEN_UP)
        tell_inbox(conversation.tenant_id, conversation.pk)
    return True
