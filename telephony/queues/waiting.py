"""Callers wait, are offered to agents in order, talk, and leave. Whoever changes an entry holds its call's row."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.tenancy import system_access, tenant_scope
from common.ids import encode
from telephony.inbound.ringing import TelephoneTarget, connect, hang_up_caller, hang_up_others, ring
from telephony.models import Call, CallLeg
from telephony.models.commands import CommandKind
from telephony.queues import agents
from telephony.queues.models import OPEN, EntryStatus, Overflow, Queue, QueueEntry
from telephony.queues.selectors import position_of
from telephony.services.hanging_up import hang_up_leg
from telephony.services.placing import order
from telephony.services.timeline import append, locked_call

MUSIC_WITHIN = timedelta(seconds=30)
# An offer's lease outlives the ringing by what the switch and we may be late.
SLACK = timedelta(seconds=15)
# A caller goes from queue to queue so often, then is let go: queues may overflow into one another.
MOST_QUEUES = 5
MOST_AT_ONCE = 100


def join(*, call: Call, queue: Queue, now: datetime) -> None:
    """Let a locked call wait in a queue, its music on; one that is full or closed overflows at once."""
    entry = QueueEntry.objects.create(tenant_id=call.tenant_id, queue=queue, call=call, created_at=now)
    ahead = position_of(entry)
    _tell(call, "queue_entered", {"queue": encode("qu", queue.pk), "position": ahead}, now)
    if not queue.is_active or ahead > queue.max_waiting:
        _overflow(call, entry, "closed" if not queue.is_active else "full", now)
        return
    _play(call, entry, queue, ahead, now)
    drain_on_commit(call.tenant_id, now=now)


def drain_on_commit(tenant_id: UUID, *, now: datetime) -> None:
    """Offer those who wait to agents who are free once the transaction has committed."""
    transaction.on_commit(partial(drain, tenant_id=tenant_id, now=now), robust=True)


def drain(*, tenant_id: UUID, now: datetime) -> int:
    """Offer a company's waiting callers, who came first first; return how many found an agent.

    Begun outside a transaction: each offer commits at once. One runs at a time, so that nobody overtakes.
    """
    with tenant_scope(tenant_id):
        rows = QueueEntry.objects.for_tenant(tenant_id).filter(status=EntryStatus.WAITING.value)
        waiting = list(rows.order_by("created_at", "id").values_list("call_id", "id")[:MOST_AT_ONCE])
    return sum(_offer(tenant_id, call_id, entry_id, now) for call_id, entry_id in waiting)


def _offer(tenant_id: UUID, call_id: UUID, entry_id: UUID, now: datetime) -> bool:
    with tenant_scope(tenant_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"call queues {tenant_id}"])
        call = locked_call(tenant_id=tenant_id, call_id=call_id)
        entry = _entries(tenant_id).filter(pk=entry_id, status=EntryStatus.WAITING.value).first()
        if entry is None or call.is_final or call.cancel_requested_at is not None:
            return False
        found = agents.next_agent(entry, skills=sorted({*entry.queue.skills, *entry.skills}), now=now)
        if found is None:
            return False
        user_id, sip_user = found
        until = now + timedelta(seconds=entry.queue.ring_seconds) + SLACK
        if not agents.take(tenant_id=tenant_id, user_id=user_id, call_id=call_id, until=until, now=now):
            return False
        leg = ring(call, TelephoneTarget(sip_user), now=now, ring_seconds=entry.queue.ring_seconds)
        entry.status, entry.agent_id, entry.leg, entry.offered_until = EntryStatus.OFFERED.value, user_id, leg.pk, until
        entry.save(update_fields=["status", "agent", "leg", "offered_until"])
        _tell(call, "queue_offered", {"agent": encode("us", user_id)}, now, leg_id=leg.pk)
        return True


def on_answered(*, call: Call, leg: CallLeg, now: datetime) -> bool:
    """Connect a caller with the agent who answered; say whether the caller is in a queue."""
    entry = _open_entry(call)
    if entry is None:
        return False
    if entry.leg != leg.pk or entry.agent_id is None or entry.status != EntryStatus.OFFERED:
        # The offer was taken back before they answered.
        hang_up_leg(call, leg, now=now)
        return True
    entry.status, entry.answered_at, entry.offered_until = EntryStatus.CONNECTED.value, now, None
    entry.save(update_fields=["status", "answered_at", "offered_until"])
    until = now + timedelta(seconds=call.time_limit_seconds)
    agents.talk(tenant_id=call.tenant_id, user_id=entry.agent_id, call_id=call.pk, until=until)
    connect(call, leg, now=now)
    return True


def on_ended(*, call: Call, leg: CallLeg, now: datetime) -> bool:
    """Go on after a leg has ended, the caller's or an agent's; say whether the caller was in a queue."""
    entry = _open_entry(call)
    if entry is None:
        return False
    is_connected = entry.status == EntryStatus.CONNECTED
    if leg.pk == call.pk:
        _close(call, entry, EntryStatus.COMPLETED if is_connected else EntryStatus.ABANDONED, "", now)
        hang_up_others(call, now=now)
    elif entry.leg == leg.pk and is_connected:
        _close(call, entry, EntryStatus.COMPLETED, "", now)
        hang_up_caller(call, cause="NORMAL_CLEARING", now=now)
    elif entry.leg == leg.pk:
        _missed(call, entry, now)
    return True


def tend(*, now: datetime) -> int:
    """Do what is due by the clock: leases that ran out, too long a wait, positions, offers. Return how many callers were seen to.

    Whatever a process that died left undone is done here.
    """
    tenants = agents.end_leases(now=now)
    open_ones = QueueEntry.unscoped.filter(status__in=(EntryStatus.WAITING.value, EntryStatus.OFFERED.value))
    with system_access("callers in queues"):
        rows = list(open_ones.order_by("created_at", "id").values_list("tenant_id", "call_id", "id"))
    for tenant_id, call_id, entry_id in rows:
        _tend_one(tenant_id, call_id, entry_id, now)
    for tenant_id in sorted(tenants | {row[0] for row in rows}):
        drain(tenant_id=tenant_id, now=now)
    return len(rows)


def _tend_one(tenant_id: UUID, call_id: UUID, entry_id: UUID, now: datetime) -> None:
    with tenant_scope(tenant_id):
        call = locked_call(tenant_id=tenant_id, call_id=call_id)
        entry = _entries(tenant_id).filter(pk=entry_id, status__in=OPEN).first()
        if entry is None or entry.status == EntryStatus.CONNECTED:
            return
        queue = entry.queue
        if entry.status == EntryStatus.OFFERED:
            if entry.offered_until is not None and entry.offered_until <= now:
                _missed(call, entry, now)
        elif now - entry.created_at >= timedelta(seconds=queue.max_wait_seconds):
            _overflow(call, entry, "waited", now)
        elif queue.is_position_announced and _is_due(entry, now):
            _play(call, entry, queue, position_of(entry), now)


def _is_due(entry: QueueEntry, now: datetime) -> bool:
    every = timedelta(seconds=entry.queue.announce_every_seconds)
    return entry.announced_at is not None and now - entry.announced_at >= every


def _missed(call: Call, entry: QueueEntry, now: datetime) -> None:
    """Take an offer back: the caller keeps their place, the agent is asked last."""
    agent_id, leg_id = entry.agent_id, entry.leg
    entry.status, entry.agent, entry.leg, entry.offered_until = EntryStatus.WAITING.value, None, None, None
    entry.missed_by = [key for key in entry.missed_by if key != agent_id] + ([agent_id] if agent_id else [])
    entry.save(update_fields=["status", "agent", "leg", "offered_until", "missed_by"])
    _tell(call, "queue_missed", {"agent": encode("us", agent_id) if agent_id else None}, now, leg_id=leg_id)
    if agent_id is not None:
        agents.let_go(tenant_id=call.tenant_id, user_id=agent_id, call_id=call.pk, wrap_up=timedelta(), now=now)
    hang_up_others(call, now=now)
    drain_on_commit(call.tenant_id, now=now)


def _overflow(call: Call, entry: QueueEntry, reason: str, now: datetime) -> None:
    _close(call, entry, EntryStatus.OVERFLOWED, reason, now)
    queue = entry.queue
    been_in = QueueEntry.objects.for_tenant(call.tenant_id).filter(call=call).count()
    following = None
    if queue.overflow == Overflow.QUEUE and queue.overflow_queue and been_in < MOST_QUEUES:
        following = Queue.objects.for_tenant(call.tenant_id).filter(pk=queue.overflow_queue).first()
    if following is None:
        hang_up_caller(call, cause="NO_ANSWER", now=now)
    else:
        join(call=call, queue=following, now=now)


def _close(call: Call, entry: QueueEntry, status: EntryStatus, reason: str, now: datetime) -> None:
    entry.status, entry.ended_at, entry.reason, entry.offered_until = status.value, now, reason, None
    entry.save(update_fields=["status", "ended_at", "reason", "offered_until"])
    payload = {"queue": encode("qu", entry.queue_id), **({"reason": reason} if reason else {})}
    _tell(call, f"queue_{status.value}", payload, now)
    if entry.agent_id is not None:
        worked = entry.answered_at is not None
        wrap_up = timedelta(seconds=entry.queue.wrap_up_seconds if worked else 0)
        agents.let_go(tenant_id=call.tenant_id, user_id=entry.agent_id, call_id=call.pk, wrap_up=wrap_up, now=now)
        drain_on_commit(call.tenant_id, now=now)


def _play(call: Call, entry: QueueEntry, queue: Queue, position: int, now: datetime) -> None:
    params = {"position": position} if queue.is_position_announced else {}
    caller = CallLeg.objects.for_tenant(call.tenant_id).get(pk=call.pk)
    order(caller, kind=CommandKind.MUSIC, not_after=now + MUSIC_WITHIN, now=now, params=params)
    entry.announced_at = now
    entry.save(update_fields=["announced_at"])


def _entries(tenant_id: UUID) -> Any:
    return QueueEntry.objects.for_tenant(tenant_id).select_related("queue").select_for_update(of=("self",))


def _open_entry(call: Call) -> QueueEntry | None:
    found: QueueEntry | None = _entries(call.tenant_id).filter(call=call, status__in=OPEN).first()
    return found


def _tell(call: Call, type: str, payload: dict[str, Any], now: datetime, *, leg_id: UUID | None = None) -> None:
    append(call, type=type, occurred_at=now, leg_id=leg_id, payload=payload)
