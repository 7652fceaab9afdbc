"""Routing: who is offered a conversation, and the queue of those nobody has yet, oldest first."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.presence import services as presence
from accounts.presence.models import AgentPresence
from accounts.tenancy import system_access, tenant_scope
from chat import assignment, log
from chat.ledgers import ChatEvent
from chat.models import Conversation, Widget
from chat.services import slots
from chat.services.recording import enqueue_webhook, tell
from common.errors import Invalid
from common.ids import encode

MISSED = "missed_by"
MOST_CHATS = 50
# One drain after a commit offers this many at most; the rounds do the rest.
MOST_AT_ONCE = 50
ASSIGNMENT_FIELDS = ["assigned_agent", "assigned_at", "accepted_at", "queued_at", "metadata"]


def route(conversation: Conversation, *, now: datetime) -> bool:
    """Offer a queued conversation, whose row is locked, to the agent whose turn it is; False when it goes on waiting."""
    if conversation.widget.routing == Widget.Routing.MANUAL:
        return False
    missed = missed_by(conversation)
    for excluded in assignment.rounds(missed):
        agent_id = slots.claim(
            tenant_id=conversation.tenant_id, routing=conversation.widget.routing, excluded=excluded, now=now
        )
        if agent_id is not None:
            # Asked again after all have missed it: a new round, in which only the last of them is known.
            remember_missed(conversation, missed if excluded == missed else missed[-1:])
            assign(conversation, agent_id, reason="routed", now=now)
            return True
    return False


def route_fairly(conversation: Conversation, *, now: datetime) -> bool:
    """Offer a conversation that has just come, unless others wait before it; then, and when nobody is free, it queues."""
    routed = not _others_wait(conversation) and route(conversation, now=now)
    if not routed:
        drain_on_commit(conversation.tenant_id, now=now)
    return routed


def assign(
    conversation: Conversation, agent_id: UUID, *, reason: str, now: datetime, accepted_at: datetime | None = None
) -> None:
    """Give a conversation, whose row is locked, to an agent whose slot is taken: row, log, outbox, screens."""
    agent = User.objects.get(pk=agent_id)
    conversation.assigned_agent, conversation.assigned_at = agent, now
    conversation.accepted_at, conversation.queued_at = accepted_at, None
    conversation.save(update_fields=ASSIGNMENT_FIELDS)
    log_assignment(conversation, {"id": encode("us", agent.pk), "name": agent.name}, reason, now)


def queue(conversation: Conversation, *, since: datetime, reason: str, now: datetime) -> None:
    """Put a conversation, whose row is locked, into the queue, and free its agent; drains after the commit."""
    agent_id = conversation.assigned_agent_id
    conversation.assigned_agent, conversation.assigned_at = None, None
    conversation.accepted_at, conversation.queued_at = None, since
    conversation.save(update_fields=ASSIGNMENT_FIELDS)
    if agent_id is not None:
        slots.release(tenant_id=conversation.tenant_id, agent_id=agent_id)
    log_assignment(conversation, None, reason, now)
    drain_on_commit(conversation.tenant_id, now=now)


def log_assignment(conversation: Conversation, agent: dict[str, Any] | None, reason: str, now: datetime) -> None:
    """Write that a conversation changed hands to its log and the outbox, and ring."""
    payload = {"agent": agent, "reason": reason}
    event = log.append(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.pk,
        type=ChatEvent.Type.ASSIGNMENT,
        payload=payload,
        now=now,
    )
    conversation.last_seq, conversation.last_visitor_seq = event.seq, event.visitor_seq or 0
    tell(event)
    enqueue_webhook("chat.conversation.assigned", conversation, payload, now)


def missed_by(conversation: Conversation) -> list[UUID]:
    """Return the agents this conversation was offered to in vain, in that order."""
    return [UUID(hex=key) for key in conversation.metadata.get(MISSED, [])]


def remember_missed(conversation: Conversation, missed: list[UUID]) -> None:
    """Note the agents a conversation was offered to in vain; `ASSIGNMENT_FIELDS` saves it."""
    others = {key: value for key, value in conversation.metadata.items() if key != MISSED}
    conversation.metadata = {**others, MISSED: [key.hex for key in missed]} if missed else others


def drain_on_commit(tenant_id: UUID, *, now: datetime) -> None:
    """Offer waiting conversations to free agents once the transaction is committed, each in a transaction of its own."""
    transaction.on_commit(partial(drain, tenant_id=tenant_id, now=now), robust=True)


def drain(*, tenant_id: UUID, now: datetime, most: int = MOST_AT_ONCE) -> int:
    """Offer waiting conversations, oldest first, while somebody is free; return how many found an agent.

    Begun outside a transaction: each offer commits at once and holds no lock longer. Concurrent drains share the work.
    """
    with tenant_scope(tenant_id):
        if not _waiting(tenant_id).exists():
            return 0
        slots.compare(tenant_id=tenant_id)
    for done in range(most):
        with tenant_scope(tenant_id):
            if not (slots.anybody_free(tenant_id=tenant_id, now=now) and _offer_oldest(tenant_id, now)):
                return done
    return most


def drain_all(*, now: datetime) -> int:
    """Drain the queue of every tenant that has one; return how many conversations found an agent."""
    with system_access("tenants with a queue"):
        rows = _routed(Conversation.unscoped.all()).order_by("tenant_id")
        tenants = list(rows.values_list("tenant_id", flat=True).distinct())
    return sum(drain(tenant_id=tenant_id, now=now) for tenant_id in tenants)


def _offer_oldest(tenant_id: UUID, now: datetime) -> bool:
    # One offer of a tenant's queue at a time: else the second in it could win the last slot from the first.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"chat queue {tenant_id}"])
    rows = (
        _waiting(tenant_id)
        .select_related("widget", "visitor")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
    )
    oldest = rows.order_by("queued_at", "pk").first()
    return oldest is not None and route(oldest, now=now)


def _waiting(tenant_id: UUID) -> QuerySet[Conversation]:
    return _routed(Conversation.objects.for_tenant(tenant_id))


def _routed(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Return the queue, without what waits for an agent to choose it."""
    rows = rows.filter(status=Conversation.Status.ACTIVE, assigned_agent=None, queued_at__isnull=False)
    return rows.exclude(widget__routing=Widget.Routing.MANUAL)


def _others_wait(conversation: Conversation) -> bool:
    return _waiting(conversation.tenant_id).exclude(pk=conversation.pk).exists()


def limit_chats(*, tenant_id: UUID, user_id: UUID, most: int, now: datetime) -> AgentPresence:
    """Store how many chats an agent takes at a time, 1 to 50; a higher limit drains the queue after the commit."""
    if not 1 <= most <= MOST_CHATS:
        raise Invalid(f"It must be from 1 to {MOST_CHATS}.", pointer="/max_concurrent_chats")
    row = presence.presence_of(tenant_id=tenant_id, user_id=user_id)
    row.max_concurrent_chats = most
    row.save(update_fields=["max_concurrent_chats"])
    drain_on_commit(tenant_id, now=now)
    return row
