"""The life of a conversation: started, accepted, closed, rated."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from chat import log
from chat.actors import Actor
from chat.ledgers import ChatEvent
from chat.models import Conversation, Visitor, Widget
from chat.presenters import conversation_row
from chat.services.recording import enqueue_webhook, lock_conversation, require_active, tell
from common.errors import Invalid, WrongState
from common.ids import encode
from usage.services import record_usage


@dataclass(frozen=True)
class Page:
    """Where on the customer's site the visitor is."""

    url: str = ""
    title: str = ""
    referrer: str = ""


def start_conversation(
    *,
    widget: Widget,
    visitor_id: UUID | None,
    name: str,
    email: str,
    page: Page,
    now: datetime,
) -> tuple[Conversation, bool]:
    """Return the visitor's open conversation at this widget, or a new one (True). Concurrent starts make one."""
    if widget.require_email and not email:
        raise Invalid("This widget asks for an e-mail address.", code="required", pointer="/visitor_email")
    visitor = _visitor(widget.tenant_id, visitor_id, name, email, now)
    if existing := _open(widget, visitor):
        return existing, False
    try:
        with transaction.atomic():
            conversation = _create(widget, visitor, page, now)
    except IntegrityError:
        raced = _open(widget, visitor)
        if raced is None:
            raise
        return raced, False
    _announce_start(conversation, now)
    return conversation, True


def _visitor(tenant_id: UUID, visitor_id: UUID | None, name: str, email: str, now: datetime) -> Visitor:
    visitor = Visitor.objects.for_tenant(tenant_id).filter(pk=visitor_id).first() if visitor_id else None
    if visitor is None:
        return Visitor.objects.create(tenant_id=tenant_id, name=name, email=email, last_seen_at=now)
    visitor.name, visitor.email, visitor.last_seen_at = name or visitor.name, email or visitor.email, now
    visitor.save(update_fields=["name", "email", "last_seen_at"])
    return visitor


def _open(widget: Widget, visitor: Visitor) -> Conversation | None:
    rows = Conversation.objects.for_tenant(widget.tenant_id).select_related("visitor", "assigned_agent", "widget")
    return rows.filter(widget=widget, visitor=visitor, status=Conversation.Status.ACTIVE).first()


def _create(widget: Widget, visitor: Visitor, page: Page, now: datetime) -> Conversation:
    return Conversation.objects.create(
        tenant_id=widget.tenant_id,
        widget=widget,
        visitor=visitor,
        page_url=page.url,
        page_title=page.title,
        referrer=page.referrer,
        created_at=now,
        queued_at=now,
        last_message_at=now,
    )


def _announce_start(conversation: Conversation, now: datetime) -> None:
    event = _log_status(conversation, Conversation.Status.ACTIVE, by="visitor", now=now)
    conversation.last_seq, conversation.last_visitor_seq = event.seq, event.visitor_seq or 0
    enqueue_webhook(
        "chat.conversation.started",
        conversation,
        {"conversation": conversation_row(conversation, for_visitor=False)},
        now,
    )
    record_usage(
        tenant_id=conversation.tenant_id,
        channel="chat",
        resource_type="conversation",
        quantity=Decimal(1),
        occurred_at=now,
        dedup_key=f"chat-conversation:{conversation.pk.hex}",
        resource_id=encode("cc", conversation.pk),
    )


def accept_conversation(*, tenant_id: UUID, conversation_id: UUID, agent: User, now: datetime) -> bool:
    """Assign an unassigned open conversation to an agent; False when it is this agent's already.

    Raises WrongState when another agent has it or it is closed.
    """
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id)
    require_active(conversation)
    if conversation.assigned_agent_id == agent.pk:
        return False
    if conversation.assigned_agent_id is not None:
        raise WrongState("Another agent has this conversation.", code="already-assigned")
    conversation.assigned_agent, conversation.assigned_at = agent, now
    conversation.accepted_at, conversation.queued_at = now, None
    conversation.save(update_fields=["assigned_agent", "assigned_at", "accepted_at", "queued_at"])
    payload: dict[str, Any] = {"agent": {"id": encode("us", agent.pk), "name": agent.name}}
    _log(conversation, ChatEvent.Type.ASSIGNMENT, payload, now)
    enqueue_webhook("chat.conversation.assigned", conversation, payload, now)
    return True


def close_conversation(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, now: datetime) -> bool:
    """Close an open conversation; False when it was closed before."""
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor)
    if conversation.status != Conversation.Status.ACTIVE:
        return False
    conversation.status, conversation.closed_at = Conversation.Status.CLOSED, now
    conversation.save(update_fields=["status", "closed_at"])
    _log_status(conversation, Conversation.Status.CLOSED, by=actor.type, now=now)
    enqueue_webhook("chat.conversation.closed", conversation, {"by": actor.type}, now)
    return True


def rate_conversation(
    *, tenant_id: UUID, conversation_id: UUID, actor: Actor, rating: int, feedback: str, now: datetime
) -> None:
    """Store the visitor's rating of a closed conversation, 1 to 5; a later one replaces it."""
    if not actor.is_visitor:
        raise WrongState("Only the visitor rates a conversation.", code="visitor-only")
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor)
    if conversation.status == Conversation.Status.ACTIVE:
        raise WrongState("A conversation is rated after it is closed.", code="conversation-open")
    if (conversation.rating, conversation.feedback) == (rating, feedback):
        return
    conversation.rating, conversation.feedback = rating, feedback
    conversation.save(update_fields=["rating", "feedback"])
    payload = {"rating": rating, "feedback": feedback}
    _log(conversation, ChatEvent.Type.RATING, payload, now)
    enqueue_webhook("chat.conversation.rated", conversation, payload, now)


def _log_status(conversation: Conversation, status: str, *, by: str, now: datetime) -> ChatEvent:
    return _log(conversation, ChatEvent.Type.STATUS, {"status": status, "by": by}, now)


def _log(conversation: Conversation, type: ChatEvent.Type, payload: dict[str, Any], now: datetime) -> ChatEvent:
    event = log.append(
        tenant_id=conversation.tenant_id, conversation_id=conversation.pk, type=type, payload=payload, now=now
    )
    tell(event)
    return event
