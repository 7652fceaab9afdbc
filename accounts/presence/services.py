"""Presence: the status an agent chose, believed only while signs of life arrive.

The lease is 70 seconds from the last sign of life. `last_seen_at` in PostgreSQL is written at most every 30 seconds and shows a
living agent's last sign, never older than 60 seconds: `status = 'online' AND last_seen_at > now - 70 s` in SQL finds who is
there, and drops a lost agent 70 seconds after the last sign at the latest. Valkey (accounts.presence.leases) adds what a row
cannot say: which process holds the agent's tabs, and that nobody is gone merely because PostgreSQL could not be written for
a while.

Whoever changes what an agent effectively is sends `accounts.signals.presence_changed`, in the same transaction.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from redis import RedisError

from accounts.presence import leases
from accounts.presence.leases import Agent
from accounts.presence.models import AgentPresence
from accounts.signals import presence_changed
from accounts.tenancy import system_access, tenant_scope
from common.errors import Invalid

logger = logging.getLogger(__name__)
# A lease: an agent whose sockets said nothing for this long is offline, whatever the chosen status.
LEASE = timedelta(seconds=leases.LEASE_SECONDS)

# `gone` is what stood in gone_at before; rows are locked in the order of their keys.
NOTE_SIGNS = """
UPDATE chat_agent_presence p SET last_seen_at = greatest(p.last_seen_at, sign.heard_at), gone_at = NULL
FROM (
  SELECT known.id, heard.heard_at, known.gone_at AS gone
  FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS heard (tenant_id, user_id, heard_at)
  JOIN chat_agent_presence known USING (tenant_id, user_id)
  WHERE known.last_seen_at IS NULL OR known.last_seen_at < heard.heard_at
  ORDER BY known.id FOR UPDATE OF known
) sign
WHERE p.id = sign.id
RETURNING p.tenant_id, p.user_id, p.status, sign.gone IS NOT NULL
"""


def presence_of(*, tenant_id: UUID, user_id: UUID) -> AgentPresence:
    """Return the agent's row, made offline when new. Repeats return the same row."""
    row, _ = AgentPresence.objects.for_tenant(tenant_id).get_or_create(
        user_id=user_id, defaults={"tenant_id": tenant_id}
    )
    return row


def choose_status(
    *, tenant_id: UUID, user_id: UUID, status: str, status_message: str | None = None, now: datetime
) -> AgentPresence:
    """Store the status an agent chose and count it as a sign of life."""
    if status not in AgentPresence.Status.values:
        raise Invalid("status must be one of " + ", ".join(AgentPresence.Status.values) + ".", pointer="/status")
    row = presence_of(tenant_id=tenant_id, user_id=user_id)
    row.status, row.last_seen_at, row.gone_at = AgentPresence.Status(status), now, None
    if status_message is not None:
        row.status_message = status_message[:120]
    row.save(update_fields=["status", "last_seen_at", "gone_at", "status_message"])
    _renew([(Agent(tenant_id, user_id), now)], now)
    _tell(tenant_id, user_id, status, now)
    return row


def arrive(*, tenant_id: UUID, user_id: UUID, now: datetime) -> AgentPresence:
    """Count an agent's new socket as a sign of life; who was thought to be gone is back as what they chose."""
    row = presence_of(tenant_id=tenant_id, user_id=user_id)
    before = effective_status(row, now)
    row.last_seen_at, row.gone_at = now, None
    row.save(update_fields=["last_seen_at", "gone_at"])
    _renew([(Agent(tenant_id, user_id), now)], now)
    if before != row.status:
        _tell(tenant_id, user_id, row.status, now)
    return row


def note_signs(signs: Iterable[tuple[Agent, datetime]], *, now: datetime) -> None:
    """Extend the leases of agents of any tenants, each from when it was heard. One statement for all of them."""
    lives = list(signs)
    _renew(lives, now)
    columns: list[Any] = [
        [a.tenant_id for a, _ in lives],
        [a.user_id for a, _ in lives],
        [heard_at for _, heard_at in lives],
    ]
    with system_access("agents' signs of life"), connection.cursor() as cursor:
        cursor.execute(NOTE_SIGNS, columns)
        back = [row[:3] for row in cursor.fetchall() if row[3]]
        for tenant_id, user_id, status in back:
            with tenant_scope(tenant_id):
                _tell(tenant_id, user_id, status, now)


def part(*, tenant_id: UUID, user_id: UUID, now: datetime) -> None:
    """After the clean close of this process's last socket of an agent, let the lease end in 8 seconds.

    Another process's tab keeps its own lease. Whoever comes back renews it.
    """
    try:
        ends = leases.shorten(Agent(tenant_id, user_id), now=now)
    except RedisError:
        logger.warning("a lease could not be shortened in Valkey", exc_info=True)
        ends = now + timedelta(seconds=leases.SHORT_SECONDS)
    rows = AgentPresence.objects.for_tenant(tenant_id).filter(user_id=user_id, last_seen_at__gt=ends - LEASE)
    rows.update(last_seen_at=ends - LEASE)


def declare_gone(*, now: datetime) -> int:
    """Tell once of each agent whose lease has run out; return how many.

    `gone_at` is then when. An agent Valkey still knows a lease of is not gone, nor is anybody while Valkey's memory is
    younger than a lease; when Valkey is away, PostgreSQL's word counts.
    """
    with system_access("agents whose lease ran out"):
        run_out = AgentPresence.unscoped.filter(_has_run_out(now)).order_by("pk")
        silent = {Agent(row.tenant_id, row.user_id): row.pk for row in run_out}
    if not silent:
        return 0
    try:
        gone = set(silent) - leases.alive(list(silent), now=now)
    except RedisError:
        logger.warning("Valkey knows no leases just now", exc_info=True)
        gone = set(silent)
    return sum(_declare_gone(agent, silent[agent], now) for agent in gone)


def _declare_gone(agent: Agent, id: UUID, now: datetime) -> int:
    with tenant_scope(agent.tenant_id):
        rows = AgentPresence.objects.for_tenant(agent.tenant_id).filter(_has_run_out(now), pk=id)
        changed = rows.update(gone_at=now)
        if changed:
            _tell(agent.tenant_id, agent.user_id, AgentPresence.Status.OFFLINE, now)
    return changed


def _has_run_out(now: datetime) -> Q:
    silent = Q(last_seen_at=None) | Q(last_seen_at__lte=now - LEASE)
    return silent & Q(gone_at=None) & ~Q(status=AgentPresence.Status.OFFLINE)


def online(*, tenant_id: UUID, now: datetime) -> QuerySet[AgentPresence]:
    """Return the agents who chose online and live."""
    return AgentPresence.objects.for_tenant(tenant_id).filter(
        status=AgentPresence.Status.ONLINE, last_seen_at__gt=now - LEASE
    )


def effective_status(row: AgentPresence, now: datetime) -> str:
    """Return the chosen status, or offline once the lease has run out."""
    is_alive = row.last_seen_at is not None and row.last_seen_at > now - LEASE
    return row.status if is_alive else AgentPresence.Status.OFFLINE


def is_gone(row: AgentPresence) -> bool:
    """Say whether the agent was declared gone and has not come back (`declare_gone`, `gone_at`)."""
    return row.gone_at is not None


def _renew(lives: list[tuple[Agent, datetime]], now: datetime) -> None:
    try:
        leases.renew(lives, now=now)
    except RedisError:
        logger.warning("leases could not be renewed in Valkey", exc_info=True)


def _tell(tenant_id: UUID, user_id: UUID, status: str, now: datetime) -> None:
    presence_changed.send(sender=AgentPresence, tenant_id=tenant_id, user_id=user_id, status=str(status), now=now)
