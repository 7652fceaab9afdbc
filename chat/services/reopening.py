"""Open again: by a visitor who writes within a day of the close, or by an agent at any time."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from chat import assignment
from chat.actors import Actor
from chat.models import Conversation
from chat.services import routing, slots
from chat.services.conversations import is_anybody_here
from chat.services.handing import may_chat
from chat.services.recording import closed_error, enqueue_webhook, lock_conversation, log_status
from common.errors import WrongState

REOPENED = ["status", "closed_at", "is_offline", *routing.ASSIGNMENT_FIELDS]


def reopen_conversation(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, now: datetime) -> bool:
    """Open a closed conversation again for an agent, who has it then; False when it is open.

    For an integration it goes to the agent who had it, if available, else to routing. Raises WrongState when the visitor has
    a newer open one (`newer-conversation`) or was erased.
    """
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id)
    if conversation.status == Conversation.Status.ACTIVE:
        return False
    if conversation.visitor.erased_at is not None:
        raise WrongState("This visitor was erased.", code="visitor-erased")
    if not may_chat(tenant_id, actor.id):
        _reopen(conversation, actor, is_offline=False, now=now)
        return True
    _activate(conversation, actor, is_offline=False, now=now)
    slots.take(tenant_id=tenant_id, agent_id=actor.id, now=now)
    routing.assign(conversation, actor.id, reason="reopened", accepted_at=now, now=now)
    return True


def reopen_by_writing(conversation: Conversation, visitor: Actor, now: datetime) -> None:
    """Open a closed conversation, whose row is locked, for its visitor's message; after a day raise WrongState."""
    if not assignment.may_reopen(conversation.closed_at, now):
        raise closed_error(conversation)
    _reopen(conversation, visitor, is_offline=not is_anybody_here(conversation.widget, now), now=now)


def _reopen(conversation: Conversation, actor: Actor, *, is_offline: bool, now: datetime) -> None:
    had_it = conversation.assigned_agent_id
    _activate(conversation, actor, is_offline=is_offline, now=now)
    if had_it and slots.claim_of(tenant_id=conversation.tenant_id, agent_id=had_it, now=now):
        routing.assign(conversation, had_it, reason="reopened", now=now)
    else:
        routing.route_fairly(conversation, now=now)


def _activate(conversation: Conversation, actor: Actor, *, is_offline: bool, now: datetime) -> None:
    """Make it the visitor's open one, in the queue. The index of open ones decides against a start of the same moment."""
    conversation.status, conversation.closed_at = Conversation.Status.ACTIVE, None
    conversation.assigned_agent, conversation.assigned_at, conversation.accepted_at = None, None, None
    conversation.queued_at, conversation.is_offline = now, is_offline
    try:
        with transaction.atomic():
            conversation.save(update_fields=REOPENED)
    except IntegrityError as error:
        code = "conversation-closed" if actor.is_visitor else "newer-conversation"
        raise closed_error(conversation, code) from error
    log_status(conversation, by=actor.type, now=now)
    enqueue_webhook("chat.conversation.reopened", conversation, {"by": actor.type}, now)
