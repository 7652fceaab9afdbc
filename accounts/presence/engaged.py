"""Agents whom something else than chat holds just now, a telephone call above all.

Chat doesn't know telephony: it asks here, and whoever holds agents answers. An agent is taken with their presence row locked
(`hold`), and whoever gives them something else asks again under the same lock: no agent gets both in the same moment.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import Signal

from accounts.presence.models import AgentPresence
from accounts.presence.services import effective_status
from accounts.signals import presence_changed

# Who is held? Sent with tenant_id: UUID, now: datetime; a receiver returns the user ids it holds, as a set.
who_is_engaged = Signal()


def engaged(*, tenant_id: UUID, now: datetime) -> frozenset[UUID]:
    """Return the users somebody holds. As many queries as there are rooms that hold agents."""
    answers: list[tuple[Any, Any]] = who_is_engaged.send(sender=AgentPresence, tenant_id=tenant_id, now=now)
    return frozenset(user_id for _, found in answers for user_id in found)


def shown_status(row: AgentPresence, *, held: frozenset[UUID], now: datetime) -> str:
    """Return what an agent is to colleagues: busy while somebody holds them, unless they are not there at all."""
    status = effective_status(row, now)
    is_held = row.user_id in held and status != AgentPresence.Status.OFFLINE
    return str(AgentPresence.Status.BUSY) if is_held else status


def hold(*, tenant_id: UUID, user_id: UUID) -> None:
    """Lock an agent's presence row until the transaction ends."""
    rows = AgentPresence.objects.for_tenant(tenant_id).filter(user_id=user_id)
    list(rows.select_for_update(no_key=True).values_list("pk"))


def tell(*, tenant_id: UUID, user_id: UUID, is_engaged: bool, now: datetime) -> None:
    """Say to everybody what an agent has become by being held, or let go. Nothing of who is not there anyway."""
    row = AgentPresence.objects.for_tenant(tenant_id).filter(user_id=user_id).first()
    if row is None or (status := effective_status(row, now)) == AgentPresence.Status.OFFLINE:
        return
    shown = AgentPresence.Status.BUSY if is_engaged else status
    presence_changed.send(sender=AgentPresence, tenant_id=tenant_id, user_id=user_id, status=str(shown), now=now)
