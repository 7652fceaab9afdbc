"""Agents' slots: `active_chats` counts the open conversations an agent has, and moves in the transaction that moves them.

Lock order, everywhere: the visitor's row, the conversation's row (and its place in the index of open ones), presence rows
in the order of their keys. Nobody who holds a presence row waits for a conversation.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from accounts.permissions import ROLE_PERMISSIONS
from accounts.presence import engaged
from accounts.presence import services as presence
from accounts.presence.models import AgentPresence
from accounts.tenancy import system_access, tenant_scope
from chat.assignment import GRACE
from chat.models import Conversation, Widget

logger = logging.getLogger(__name__)

MAY_CHAT = sorted(role.value for role, permissions in ROLE_PERMISSIONS.items() if "chat.reply" in permissions)
MOST_ATTEMPTS = 50

FREE = """
p.tenant_id = %(tenant_id)s AND p.status = 'online' AND p.last_seen_at > %(alive_after)s
AND p.active_chats < p.max_concurrent_chats AND NOT p.user_id = ANY(%(excluded)s)
AND (%(only)s::uuid IS NULL OR p.user_id = %(only)s::uuid)
AND EXISTS (
  SELECT FROM memberships m JOIN users u ON u.id = m.user_id
  WHERE m.tenant_id = p.tenant_id AND m.user_id = p.user_id AND m.is_active AND u.is_active AND m.role = ANY(%(roles)s)
)"""
# The limit stands in the UPDATE too, where PostgreSQL holds it against the row as it is when its lock is won.
TAKE = """
UPDATE chat_agent_presence p SET active_chats = p.active_chats + 1, last_assigned_at = %(now)s
FROM chosen WHERE p.id = chosen.id AND p.active_chats < p.max_concurrent_chats
RETURNING p.user_id
"""
# Pass over rows others are claiming at this moment: simultaneous starts spread.
CLAIM_UNLOCKED = """
WITH chosen AS MATERIALIZED (
  SELECT p.id FROM chat_agent_presence p WHERE {free} ORDER BY {order} LIMIT 1 FOR UPDATE OF p SKIP LOCKED
)"""
# Wait for one row, no more: whoever waits for a second while holding a first can wait for ever.
CLAIM_WAITING = """
WITH first AS MATERIALIZED (SELECT p.id FROM chat_agent_presence p WHERE {free} ORDER BY {order} LIMIT 1),
chosen AS MATERIALIZED (
  SELECT p.id FROM chat_agent_presence p JOIN first ON first.id = p.id WHERE {free} FOR UPDATE OF p
)"""
ORDERS = {
    Widget.Routing.LEAST_BUSY: "p.active_chats, p.last_assigned_at NULLS FIRST, p.id",
    Widget.Routing.ROUND_ROBIN: "p.last_assigned_at NULLS FIRST, p.id",
}


def claim(*, tenant_id: UUID, routing: str, excluded: Sequence[UUID], now: datetime) -> UUID | None:
    """Take a slot of the free agent whose turn it is; None when nobody is free.

    Rows others are claiming are passed over first; when only such rows are left, wait for one, and look again as long as
    somebody is free.
    """
    order = ORDERS.get(Widget.Routing(routing), ORDERS[Widget.Routing.LEAST_BUSY])
    for _ in range(MOST_ATTEMPTS):
        values = _values(tenant_id, now, excluded=[*excluded, *engaged.engaged(tenant_id=tenant_id, now=now)])
        for way in (CLAIM_UNLOCKED, CLAIM_WAITING):
            if (agent_id := _attempt(way, order, values)) is not None:
                return agent_id
        if not anybody_free(tenant_id=tenant_id, now=now, excluded=excluded):
            return None
    return None


def claim_of(*, tenant_id: UUID, agent_id: UUID, now: datetime) -> bool:
    """Take a slot of this agent; False when they are away, full, on the telephone, or may not chat."""
    return _attempt(CLAIM_WAITING, "p.id", _values(tenant_id, now, only=agent_id)) is not None


def _attempt(way: str, order: str, values: dict[str, Any]) -> UUID | None:
    # A row that no longer fits once its lock is won stays locked: rolling back to the savepoint lets it go.
    savepoint = transaction.savepoint()
    agent_id = _first(way.format(free=FREE, order=order) + TAKE, values)
    # Asked under the lock of the agent's row, which whoever gives them a call holds too.
    if agent_id is None or agent_id in engaged.engaged(tenant_id=values["tenant_id"], now=values["now"]):
        agent_id = None
        transaction.savepoint_rollback(savepoint)
    else:
        transaction.savepoint_commit(savepoint)
    return agent_id


def anybody_free(*, tenant_id: UUID, now: datetime, excluded: Sequence[UUID] = ()) -> bool:
    """Say whether an agent could be offered a chat now."""
    excluded = [*excluded, *engaged.engaged(tenant_id=tenant_id, now=now)]
    statement = f"SELECT p.user_id FROM chat_agent_presence p WHERE {FREE} LIMIT 1"  # noqa: S608 # our own text
    return _first(statement, _values(tenant_id, now, excluded=list(excluded))) is not None


def take(*, tenant_id: UUID, agent_id: UUID, now: datetime, instead_of: UUID | None = None) -> None:
    """Count one more chat for an agent, one less for whoever had it. A person decided: the limit does not hold."""
    presence.presence_of(tenant_id=tenant_id, user_id=agent_id)
    rows = AgentPresence.objects.for_tenant(tenant_id)
    both = [key for key in (agent_id, instead_of) if key is not None]
    list(rows.filter(user_id__in=both).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    if instead_of is not None:
        release(tenant_id=tenant_id, agent_id=instead_of)
    rows.filter(user_id=agent_id).update(active_chats=F("active_chats") + 1, last_assigned_at=now)


def hold(*, tenant_id: UUID, conversations: QuerySet[Conversation]) -> None:
    """Lock the rows of these conversations' agents in the order of their keys: who frees several calls it first."""
    agent_ids = conversations.exclude(assigned_agent=None).order_by().values("assigned_agent_id")
    rows = AgentPresence.objects.for_tenant(tenant_id).filter(user_id__in=agent_ids)
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def release(*, tenant_id: UUID, agent_id: UUID) -> None:
    """Count one chat less for an agent, never below none."""
    rows = AgentPresence.objects.for_tenant(tenant_id).filter(user_id=agent_id)
    rows.update(active_chats=Greatest(F("active_chats") - 1, 0))


def agents(tenant_id: UUID) -> QuerySet[AgentPresence]:
    """Return presence rows with what is counted beside what they say, as `counted`."""
    open_ones = (
        Conversation.objects.for_tenant(tenant_id)
        .filter(status=Conversation.Status.ACTIVE, assigned_agent_id=OuterRef("user_id"))
        .order_by()
        .values("assigned_agent_id")
        .annotate(n=Count("pk"))
        .values("n")
    )
    counted = Coalesce(Subquery(open_ones, output_field=IntegerField()), 0)
    return AgentPresence.objects.for_tenant(tenant_id).annotate(counted=counted)


def compare(*, tenant_id: UUID) -> int:
    """Hold every agent's `active_chats` against the count; mend and log what differs. Returns how many did."""
    # One statement sees one moment: what differs in it differs in truth.
    wrong = list(agents(tenant_id).filter(~Q(active_chats=F("counted"))).order_by("pk").values_list("pk", flat=True))
    return sum(_mend(tenant_id, key) for key in wrong)


def compare_all() -> int:
    """Compare for every tenant with agents, each in a transaction of its own."""
    with system_access("tenants with agents"):
        rows = AgentPresence.unscoped.order_by("tenant_id").values_list("tenant_id", flat=True)
        tenants = list(rows.distinct())
    return sum(_compare_one(tenant_id) for tenant_id in tenants)


def _compare_one(tenant_id: UUID) -> int:
    with tenant_scope(tenant_id):
        return compare(tenant_id=tenant_id)


def _mend(tenant_id: UUID, key: UUID) -> bool:
    # Whoever moves a chat holds this row until it commits: counted under its lock, nothing is under way.
    row = AgentPresence.objects.for_tenant(tenant_id).select_for_update(no_key=True).get(pk=key)
    counted = int(agents(tenant_id).get(pk=key).counted)  # type: ignore[attr-defined] # annotated
    if row.active_chats == counted:
        return False
    logger.warning("agent %s has %d open chats, %d were counted", row.user_id, counted, row.active_chats)
    AgentPresence.objects.for_tenant(tenant_id).filter(pk=key).update(active_chats=counted)
    return True


def _values(
    tenant_id: UUID, now: datetime, *, excluded: list[UUID] | None = None, only: UUID | None = None
) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "alive_after": now - GRACE,
        "excluded": excluded or [],
        "only": only,
        "roles": MAY_CHAT,
        "now": now,
    }


def _first(statement: str, values: dict[str, Any]) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row[0] if row else None
