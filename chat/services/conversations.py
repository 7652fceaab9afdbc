"""The life of a conversation: started, closed or abandoned, rated. Who has it: `handing`, `routing`; again: `reopening`."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from accounts.presence import services as presence
from chat import limits, log
from chat.actors import Actor
from chat.ledgers import ChatEvent
from chat.models import Conversation, Visitor, Widget
from chat.presenters import conversation_row
from chat.services import routing, slots
from chat.services.recording import enqueue_webhook, lock_conversation, log_status, tell
from common import hours
from common.errors import Forbidden, Invalid, NotFound, WrongState
from common.ids import encode
from usage.services import record_usage


@dataclass(frozen=True)
class Page:
    """Where on the customer's site the visitor is."""

    url: str = ""
    title: str = ""
    referrer: str = ""


@dataclass(frozen=True)
class VisitorFacts:
    """What a visitor's page says of them."""

    name: str = ""
    email: str = ""


def start_conversation(
    *,
    widget: Widget,
    visitor_id: UUID | None,
    facts: VisitorFacts,
    page: Page,
    now: datetime,
) -> tuple[Conversation, bool]:
    """Return the visitor's open conversation at this widget, or a new one (True), offered to an agent if one is free.

    Concurrent starts make one. A new one is linked to the visitor's last at this widget. Raises Invalid, Forbidden (blocked).
    """
    if widget.require_email and not facts.email:
        raise Invalid("This widget asks for an e-mail address.", code="required", pointer="/visitor_email")
    visitor = _visitor(widget.tenant_id, visitor_id, facts, now)
    require_welcome(visitor)
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
    routing.route_fairly(conversation, now=now)
    _meter(conversation)
    return conversation, True


def require_welcome(visitor: Visitor) -> None:
    """Raise Forbidden for a visitor an agent has blocked."""
    if visitor.blocked_at is not None:
        raise Forbidden("You cannot write here any more.", code="blocked")


def is_anybody_here(widget: Widget, now: datetime) -> bool:
    """Say whether a visitor may expect an answer: within business hours, with an agent online."""
    is_open = hours.is_open(widget.business_hours, widget.tenant.timezone, now)
    return is_open and presence.online(tenant_id=widget.tenant_id, now=now).exists()


def _visitor(tenant_id: UUID, visitor_id: UUID | None, facts: VisitorFacts, now: datetime) -> Visitor:
    visitor = Visitor.objects.for_tenant(tenant_id).filter(pk=visitor_id).first() if visitor_id else None
    if visitor is None:
        return Visitor.objects.create(tenant_id=tenant_id, name=facts.name, email=facts.email, last_seen_at=now)
    visitor.name, visitor.email, visitor.last_seen_at = facts.name or visitor.name, facts.email or visitor.email, now
    visitor.save(update_fields=["name", "email", "last_seen_at"])
    return visitor


def _open(widget: Widget, visitor: Visitor) -> Conversation | None:
    rows = Conversation.objects.for_tenant(widget.tenant_id).select_related("visitor", "assigned_agent", "widget")
    return rows.filter(widget=widget, visitor=visitor, status=Conversation.Status.ACTIVE).first()


def _create(widget: Widget, visitor: Visitor, page: Page, now: datetime) -> Conversation:
    _hold(widget)
    earlier = Conversation.objects.for_tenant(widget.tenant_id).filter(widget=widget, visitor=visitor)
    return Conversation.objects.create(
        tenant_id=widget.tenant_id,
        widget=widget,
        visitor=visitor,
        previous=earlier.order_by("-created_at").first(),
        is_offline=not is_anybody_here(widget, now),
        page_url=page.url,
        page_title=page.title,
        referrer=page.referrer,
        created_at=now,
        queued_at=now,
        last_message_at=now,
    )


def _hold(widget: Widget) -> None:
    """Keep a widget from being deleted until the transaction ends, as its foreign key will; raise NotFound when it is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM chat_widgets WHERE id = %s FOR KEY SHARE", [widget.pk])
        if cursor.rowcount == 0:
            raise NotFound("There is no such widget.", pointer="/widget_key")


def _announce_start(conversation: Conversation, now: datetime) -> None:
    log_status(conversation, by="visitor", now=now)
    row = conversation_row(conversation, for_visitor=False)
    enqueue_webhook("chat.conversation.started", conversation, {"conversation": row}, now)


def _meter(conversation: Conversation) -> None:
    record_usage(
        tenant_id=conversation.tenant_id,
        channel="chat",
        resource_type="conversation",
        quantity=Decimal(1),
        occurred_at=conversation.created_at,
        dedup_key=f"chat-conversation:{conversation.pk.hex}",
        resource_id=encode("cc", conversation.pk),
    )


def close_conversation(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, now: datetime) -> bool:
    """Close an open conversation and free its agent; False when it was closed before."""
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor)
    if conversation.status != Conversation.Status.ACTIVE:
        return False
    end(conversation, Conversation.Status.CLOSED, by=actor.type, now=now)
    return True


def end(conversation: Conversation, status: Conversation.Status, *, by: str, now: datetime, **more: str) -> None:
    """Close or abandon an open conversation whose row is locked. It keeps its agent's name; the slot is free."""
    conversation.status, conversation.closed_at = status, now
    conversation.queued_at, conversation.waiting_since = None, None
    routing.remember_missed(conversation, [])
    conversation.save(update_fields=["status", "closed_at", "queued_at", "waiting_since", "metadata"])
    if conversation.assigned_agent_id is not None:
        slots.release(tenant_id=conversation.tenant_id, agent_id=conversation.assigned_agent_id)
        routing.drain_on_commit(conversation.tenant_id, now=now)
    log_status(conversation, by=by, now=now, **more)
    enqueue_webhook("chat.conversation.closed", conversation, {"by": by, "status": status.value, **more}, now)


def rate_conversation(
    *, tenant_id: UUID, conversation_id: UUID, actor: Actor, rating: int, feedback: str, now: datetime
) -> None:
    """Store the visitor's rating of a closed conversation, 1 to 5; a later one replaces it."""
    if not actor.is_visitor:
        raise WrongState("Only the visitor rates a conversation.", code="visitor-only")
    limits.note_change(visitor_id=actor.id, now=now)
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor)
    if conversation.status == Conversation.Status.ACTIVE:
        raise WrongState("A conversation is rated after it is closed.", code="conversation-open")
    if (conversation.rating, conversation.feedback) == (rating, feedback):
        return
    conversation.rating, conversation.feedback = rating, feedback
    conversation.save(update_fields=["rating", "feedback"])
    payload = {"rating": rating, "feedback": feedback}
    tell(
        log.append(
            tenant_id=tenant_id,
            conversation_id=conversation_id,
            type=ChatEvent.Type.RATING,
            payload=payload,
            now=now,
        )
    )
    enqueue_webhook("chat.conversation.rated", conversation, payload, now)
