"""What agents do on the telephone: taken for an offer, talking, wrapping up, idle again. Each hold is a lease."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.permissions import ROLE_PERMISSIONS
from accounts.presence import engaged
from accounts.presence.services import LEASE
from accounts.tenancy import system_access, tenant_scope
from telephony.queues.models import AgentLine, Phase, QueueEntry

MAY_TALK = sorted(role.value for role, permissions in ROLE_PERMISSIONS.items() if "calls.place" in permissions)

# The longest idle of the first tier with somebody free; who never had a call has been idle the longest.
NEXT = """
SELECT m.user_id, x.sip_user
FROM queue_members m
JOIN chat_agent_presence p ON p.tenant_id = m.tenant_id AND p.user_id = m.user_id
JOIN extensions x ON x.tenant_id = m.tenant_id AND x.user_id = m.user_id AND x.is_active
LEFT JOIN agent_lines l ON l.tenant_id = m.tenant_id AND l.user_id = m.user_id
WHERE m.tenant_id = %(tenant_id)s AND m.queue_id = %(queue_id)s AND m.skills @> %(skills)s::varchar[]
  AND p.status = 'online' AND p.last_seen_at > %(alive_after)s
  AND (l.engaged_until IS NULL OR l.engaged_until <= %(now)s)
  AND NOT m.user_id = ANY(%(excluded)s)
  AND EXISTS (
    SELECT FROM memberships s JOIN users u ON u.id = s.user_id
    WHERE s.tenant_id = m.tenant_id AND s.user_id = m.user_id AND s.is_active AND u.is_active AND s.role = ANY(%(roles)s)
  )
ORDER BY m.tier, l.idle_since NULLS FIRST, m.user_id
LIMIT 1
"""


def next_agent(entry: QueueEntry, *, skills: Sequence[str], now: datetime) -> tuple[UUID, str] | None:
    """Return whose turn it is for a caller, and their SIP user; None when nobody is free.

    Who missed this caller is asked again only when all have, and the last of them last.
    """
    missed = list(entry.missed_by)
    for excluded in (missed, missed[-1:], []):
        if (found := _first(entry, skills=skills, excluded=excluded, now=now)) is not None:
            return found
    return None


def _first(entry: QueueEntry, *, skills: Sequence[str], excluded: list[UUID], now: datetime) -> tuple[UUID, str] | None:
    values: dict[str, Any] = {
        "tenant_id": entry.tenant_id,
        "queue_id": entry.queue_id,
        "skills": list(skills),
        "alive_after": now - LEASE,
        "excluded": excluded,
        "roles": MAY_TALK,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(NEXT, values)
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def take(*, tenant_id: UUID, user_id: UUID, call_id: UUID, until: datetime, now: datetime) -> bool:
    """Hold an agent for an offer until a moment; False when somebody else was faster."""
    engaged.hold(tenant_id=tenant_id, user_id=user_id)
    line, _ = AgentLine.objects.for_tenant(tenant_id).get_or_create(user_id=user_id, defaults={"tenant_id": tenant_id})
    line = AgentLine.objects.for_tenant(tenant_id).select_for_update().get(pk=line.pk)
    if line.engaged_until is not None and line.engaged_until > now:
        return False
    _set(line, phase=Phase.OFFERED, by=call_id, until=until)
    engaged.tell(tenant_id=tenant_id, user_id=user_id, is_engaged=True, now=now)
    return True


def talk(*, tenant_id: UUID, user_id: UUID, call_id: UUID, until: datetime) -> None:
    """Hold an agent who answered for as long as the call can last."""
    line = _held(tenant_id, user_id, call_id)
    if line is not None:
        _set(line, phase=Phase.TALKING, by=call_id, until=until)


def let_go(*, tenant_id: UUID, user_id: UUID, call_id: UUID, wrap_up: timedelta, now: datetime) -> None:
    """Let an agent go, after some time for the work a call leaves; whoever isn't held by this call stays as they are."""
    line = _held(tenant_id, user_id, call_id)
    if line is None:
        return
    if wrap_up:
        _set(line, phase=Phase.WRAP_UP, by=call_id, until=now + wrap_up)
    else:
        _idle(line, since=now, now=now)


def end_leases(*, now: datetime) -> set[UUID]:
    """Let everybody go whose lease has run out: wrap-up that is over, and holds of calls somebody died with.

    Return the tenants they are of. Each agent in a transaction of its own.
    """
    over = AgentLine.unscoped.filter(engaged_until__lte=now)
    with system_access("agents whose hold ran out"):
        found = list(over.order_by("id").values_list("tenant_id", "id"))
    for tenant_id, key in found:
        with tenant_scope(tenant_id):
            rows = AgentLine.objects.for_tenant(tenant_id).select_for_update()
            line = rows.filter(pk=key, engaged_until__lte=now).first()
            if line is not None and line.engaged_until is not None:
                _idle(line, since=line.engaged_until, now=now)
    return {tenant_id for tenant_id, _ in found}


def held(*, tenant_id: UUID, now: datetime) -> set[UUID]:
    """Return the agents the telephone holds. One query."""
    rows = AgentLine.objects.for_tenant(tenant_id).filter(engaged_until__gt=now)
    return set(rows.values_list("user_id", flat=True))


def _held(tenant_id: UUID, user_id: UUID, call_id: UUID) -> AgentLine | None:
    rows = AgentLine.objects.for_tenant(tenant_id).select_for_update()
    return rows.filter(user_id=user_id, engaged_by=call_id).first()


def _set(line: AgentLine, *, phase: Phase, by: UUID, until: datetime) -> None:
    line.phase, line.engaged_by, line.engaged_until = phase.value, by, until
    line.save(update_fields=["phase", "engaged_by", "engaged_until"])


def _idle(line: AgentLine, *, since: datetime, now: datetime) -> None:
    line.phase, line.engaged_by, line.engaged_until, line.idle_since = Phase.IDLE.value, None, None, since
    line.save(update_fields=["phase", "engaged_by", "engaged_until", "idle_since"])
    engaged.tell(tenant_id=line.tenant_id, user_id=line.user_id, is_engaged=False, now=now)
