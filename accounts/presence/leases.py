"""Leases in Valkey: until when each process believes an agent to be there.

A sorted set per agent, a member for each process that holds a socket of the agent, its score the end of the lease. A
clean close shortens the member of that process alone: another process's tab goes on counting. Nothing here is the truth about
anything durable: after a FLUSHALL, absence counts again only when the era, which began with the first lease written
since, is older than a lease.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from common.valkey import client

LEASE_SECONDS = 70
SHORT_SECONDS = 8
ERA = "irisx:lease:era"
_process = uuid4().hex[:12]


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent in one tenant."""

    tenant_id: UUID
    user_id: UUID

    @property
    def key(self) -> str:
        return f"irisx:lease:{self.tenant_id.hex}:{self.user_id.hex}"


def renew(lives: Iterable[tuple[Agent, datetime]], *, now: datetime, process: str = _process) -> None:
    """Extend this process's leases of agents to 70 seconds after each was heard. One round trip; raises RedisError."""
    pipeline = client().pipeline(transaction=False)
    pipeline.set(ERA, int(now.timestamp()), nx=True)
    for agent, heard_at in lives:
        ends = heard_at.timestamp() + LEASE_SECONDS
        pipeline.zremrangebyscore(agent.key, 0, now.timestamp())
        pipeline.zadd(agent.key, {process: ends})
        pipeline.expire(agent.key, LEASE_SECONDS)
    pipeline.execute()


def shorten(agent: Agent, *, now: datetime, process: str = _process) -> datetime:
    """Let this process's lease end in 8 seconds; return when the agent's last lease ends. Raises RedisError."""
    pipeline = client().pipeline(transaction=True)
    pipeline.zadd(agent.key, {process: now.timestamp() + SHORT_SECONDS})
    pipeline.expire(agent.key, LEASE_SECONDS)
    pipeline.zrange(agent.key, 0, 0, desc=True, withscores=True)
    [(_, ends)] = pipeline.execute()[-1]
    return datetime.fromtimestamp(float(ends), tz=UTC)


def alive(agents: Collection[Agent], *, now: datetime) -> set[Agent]:
    """Return those of the agents whom Valkey does not show to be gone: with a lease, or all while the era is young.

    Raises RedisError.
    """
    pipeline = client().pipeline(transaction=False)
    pipeline.set(ERA, int(now.timestamp()), nx=True)
    pipeline.get(ERA)
    for agent in agents:
        pipeline.zcount(agent.key, f"({now.timestamp()}", "+inf")
    _, era, *counts = pipeline.execute()
    if _is_young(era, now):
        return set(agents)
    return {agent for agent, count in zip(agents, counts, strict=True) if count}


def _is_young(era: Any, now: datetime) -> bool:
    return now.timestamp() - float(era) < LEASE_SECONDS
