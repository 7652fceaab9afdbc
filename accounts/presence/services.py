"""Presence: the status an agent chose, believed only while signs of life arrive."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.presence.models import AgentPresence
from common.errors import Invalid

# A lease: an agent whose socket said nothing for this long is offline, whatever the chosen status.
LEASE = timedelta(seconds=70)
WRITE_AT_MOST_EVERY = timedelta(seconds=25)


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
    row.status, row.last_seen_at = AgentPresence.Status(status), now
    if status_message is not None:
        row.status_message = status_message[:120]
    row.save(update_fields=["status", "last_seen_at", "status_message"])
    return row


def sign_of_life(*, tenant_id: UUID, user_id: UUID, now: datetime) -> None:
    """Extend the lease; writes at most every 25 seconds."""
    stale = Q(last_seen_at=None) | Q(last_seen_at__lt=now - WRITE_AT_MOST_EVERY)
    AgentPresence.objects.for_tenant(tenant_id).filter(stale, user_id=user_id).update(last_seen_at=now)


def shorten_lease(*, tenant_id: UUID, user_id: UUID, now: datetime, left: timedelta = timedelta(seconds=8)) -> None:
    """After a clean close, let the lease end in 8 seconds; another tab's sign of life renews it."""
    AgentPresence.objects.for_tenant(tenant_id).filter(user_id=user_id, last_seen_at__gt=now - LEASE + left).update(
        last_seen_at=now - LEASE + left
    )


def online(*, tenant_id: UUID, now: datetime) -> QuerySet[AgentPresence]:
    """Return the agents who chose online and live."""
    return AgentPresence.objects.for_tenant(tenant_id).filter(
        status=AgentPresence.Status.ONLINE, last_seen_at__gt=now - LEASE
    )


def effective_status(row: AgentPresence, now: datetime) -> str:
    """Return the chosen status, or offline once the lease has run out."""
    is_alive = row.last_seen_at is not None and row.last_seen_at > now - LEASE
    return row.status if is_alive else AgentPresence.Status.OFFLINE
