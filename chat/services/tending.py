"""The round: what nobody tends goes back to the queue, is abandoned or closed. Every 15 seconds, over all tenants."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from accounts.presence import services as presence
from accounts.presence.models import AgentPresence
from accounts.tenancy import system_access, tenant_scope
from chat import assignment
from chat.assignment import Rules, Situation, Step
from chat.models import Conversation, Widget
from chat.services import routing
from chat.services.conversations import end

MOST_PER_ROUND = 1_000
# Finds, coarsely; `assignment.next_step` decides, under the row's lock.
DUE = """
SELECT c.tenant_id, c.id FROM chat_conversations c
JOIN chat_widgets w ON w.id = c.widget_id
JOIN chat_visitors v ON v.id = c.visitor_id
LEFT JOIN chat_agent_presence p ON p.tenant_id = c.tenant_id AND p.user_id = c.assigned_agent_id
WHERE c.status = 'active' AND (
  (c.assigned_agent_id IS NOT NULL AND c.accepted_at IS NULL AND w.answer_seconds > 0
    AND c.assigned_at <= %(now)s - w.answer_seconds * interval '1 second')
  OR (c.assigned_agent_id IS NOT NULL AND (c.accepted_at IS NULL OR c.waiting_since IS NOT NULL)
    AND c.assigned_at <= %(alive_after)s AND (p.id IS NULL OR p.gone_at IS NOT NULL
      OR p.status = 'offline' AND coalesce(p.last_seen_at, '-infinity') <= %(alive_after)s))
  OR (c.first_response_at IS NULL AND NOT c.is_offline AND w.abandon_minutes > 0
    AND greatest(v.last_seen_at, c.last_message_at) <= %(now)s - w.abandon_minutes * interval '1 minute')
  OR (c.waiting_since IS NULL AND w.idle_close_minutes > 0
    AND greatest(c.last_message_at, c.assigned_at, c.accepted_at, c.queued_at)
      <= %(now)s - w.idle_close_minutes * interval '1 minute')
)
ORDER BY c.last_message_at LIMIT %(most)s
"""


def tend_all(*, now: datetime) -> int:
    """Take each due conversation's next step, each in a transaction of its own; return how many steps were taken."""
    with system_access("the round over open conversations"), connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "alive_after": now - assignment.GRACE, "most": MOST_PER_ROUND})
        found = cursor.fetchall()
    return sum(tend(tenant_id=tenant_id, conversation_id=key, now=now) is not None for tenant_id, key in found)


def tend(*, tenant_id: UUID, conversation_id: UUID, now: datetime) -> Step | None:
    """Take one conversation's next step, if one is due; a row somebody holds is left to the next round."""
    with tenant_scope(tenant_id):
        rows = Conversation.objects.for_tenant(tenant_id).select_related("visitor", "widget")
        rows = rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
        conversation = rows.filter(pk=conversation_id, status=Conversation.Status.ACTIVE).first()
        if conversation is None:
            return None
        situation = situation_of(conversation, now)
        step = assignment.next_step(situation, rules_of(conversation.widget), now)
        if step is not None:
            _take(step, conversation, situation, now)
        return step


def _take(step: Step, conversation: Conversation, situation: Situation, now: datetime) -> None:
    match step:
        case Step.ABANDON:
            end(conversation, Conversation.Status.ABANDONED, by="system", now=now)
        case Step.CLOSE_IDLE:
            end(conversation, Conversation.Status.CLOSED, by="system", reason=step.value, now=now)
        case Step.NO_ANSWER | Step.AGENT_GONE:
            _return(step, conversation, situation, now)


def _return(step: Step, conversation: Conversation, situation: Situation, now: datetime) -> None:
    agent_id = conversation.assigned_agent_id
    missed = [key for key in routing.missed_by(conversation) if key != agent_id]
    routing.remember_missed(conversation, [*missed, agent_id] if agent_id else missed)
    routing.queue(conversation, since=assignment.queued_since(situation, now), reason=step.value, now=now)


def rules_of(widget: Widget) -> Rules:
    """Return a widget's patience."""
    return Rules(
        answer=timedelta(seconds=widget.answer_seconds),
        abandon=timedelta(minutes=widget.abandon_minutes),
        idle=timedelta(minutes=widget.idle_close_minutes),
    )


def situation_of(conversation: Conversation, now: datetime) -> Situation:
    """Return what the rules look at; one query when somebody has it."""
    has_agent = conversation.assigned_agent_id is not None
    return Situation(
        has_agent=has_agent,
        is_agent_gone=has_agent and _is_gone(conversation, now),
        assigned_at=conversation.assigned_at,
        accepted_at=conversation.accepted_at,
        queued_at=conversation.queued_at,
        waiting_since=conversation.waiting_since,
        last_message_at=conversation.last_message_at,
        is_answered=conversation.first_response_at is not None,
        is_offline=conversation.is_offline,
        visitor_seen_at=conversation.visitor.last_seen_at,
    )


def _is_gone(conversation: Conversation, now: datetime) -> bool:
    """Say whether its agent was declared gone, never came, or chose offline and went."""
    rows = AgentPresence.objects.for_tenant(conversation.tenant_id)
    row = rows.filter(user=conversation.assigned_agent_id).first()
    if row is None or presence.is_gone(row):
        return True
    silent = row.last_seen_at is None or row.last_seen_at <= now - assignment.GRACE
    return silent and row.status == AgentPresence.Status.OFFLINE
