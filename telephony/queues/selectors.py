"""Read what goes on in a queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from accounts.presence.models import AgentPresence
from accounts.presence.services import effective_status
from telephony.inbound.models import Extension
from telephony.queues.models import OPEN, AgentLine, EntryStatus, Phase, QueueEntry
from telephony.queues.services import members


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller in a queue; `position` counts from 1 those who wait for an agent."""

    entry: QueueEntry
    position: int | None


@dataclass(frozen=True, slots=True)
class AtTheLine:
    """An agent of a queue just now."""

    user_id: UUID
    name: str
    presence: str
    phase: Phase
    extension: str | None


def callers(*, tenant_id: UUID, queue_id: UUID) -> list[Caller]:
    """Return who is in a queue, who came first first. One query."""
    rows = QueueEntry.objects.for_tenant(tenant_id).filter(queue_id=queue_id, status__in=OPEN)
    found, position = [], 0
    for entry in rows.order_by("created_at", "id"):
        is_waiting = entry.status != EntryStatus.CONNECTED
        position += is_waiting
        found.append(Caller(entry, position if is_waiting else None))
    return found


def position_of(entry: QueueEntry) -> int:
    """Return how many wait in front of a caller, and themselves. One query."""
    ahead = QueueEntry.objects.for_tenant(entry.tenant_id).filter(
        queue_id=entry.queue_id, status__in=(EntryStatus.WAITING.value, EntryStatus.OFFERED.value)
    )
    earlier = Q(created_at__lt=entry.created_at) | Q(created_at=entry.created_at, id__lt=entry.pk)
    return ahead.filter(earlier).count() + 1


def agents(*, tenant_id: UUID, queue_id: UUID, now: datetime) -> list[AtTheLine]:
    """Return what those who serve a queue are doing. Five queries, however many they are."""
    people = members(tenant_id=tenant_id, queue_id=queue_id)
    ids = [member.user_id for member in people]
    there = {row.user_id: row for row in AgentPresence.objects.for_tenant(tenant_id).filter(user_id__in=ids)}
    lines = {row.user_id: row for row in AgentLine.objects.for_tenant(tenant_id).filter(user_id__in=ids)}
    telephones = dict(
        Extension.objects.for_tenant(tenant_id).filter(user_id__in=ids, is_active=True).values_list("user_id", "number")
    )
    return [
        AtTheLine(
            user_id=member.user_id,
            name=member.user.name,
            presence=_presence(there, member.user_id, now),
            phase=_phase(lines.get(member.user_id), now),
            extension=telephones.get(member.user_id),
        )
        for member in people
    ]


def _presence(there: Mapping[UUID, AgentPresence], user_id: UUID, now: datetime) -> str:
    row = there.get(user_id)
    return str(AgentPresence.Status.OFFLINE if row is None else effective_status(row, now))


def _phase(line: AgentLine | None, now: datetime) -> Phase:
    is_engaged = line is not None and line.engaged_until is not None and line.engaged_until > now
    return Phase(line.phase) if line is not None and is_engaged else Phase.IDLE
