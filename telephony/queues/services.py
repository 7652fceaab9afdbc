"""Set up queues and say who serves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from accounts.models import Membership
from common.errors import Conflict, FieldProblem, Invalid, NotFound
from common.ids import encode
from telephony.inbound.models import NumberRoute
from telephony.queues.models import OPEN, Overflow, Queue, QueueEntry, QueueMember

MOST_MEMBERS = 500
FIELDS = (
    "name", "skills", "is_position_announced", "announce_every_seconds", "ring_seconds", "wrap_up_seconds",
    "max_wait_seconds", "max_waiting", "overflow", "overflow_queue", "is_active",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody who serves a queue: what they are good at, and in which round they are asked."""

    user_id: UUID
    skills: Sequence[str] = ()
    tier: int = 1


def queues(*, tenant_id: UUID) -> QuerySet[Queue]:
    """Return a tenant's queues. No query yet."""
    return Queue.objects.for_tenant(tenant_id)


def queue(*, tenant_id: UUID, queue_id: UUID) -> Queue:
    """Return one queue; raises NotFound."""
    found = queues(tenant_id=tenant_id).filter(pk=queue_id).first()
    if found is None:
        raise NotFound("There is no such queue.")
    return found


def create_queue(*, tenant_id: UUID, values: Mapping[str, Any], by: Actor, now: datetime) -> Queue:
    """Make a queue of some of FIELDS. Raises Invalid with a pointer, or Conflict for a name that is taken."""
    row = Queue(tenant_id=tenant_id, created_at=now)
    _apply(row, values)
    _store(row, force_insert=True)
    _audit(row, "queue.created", by, {"name": row.name})
    return row


def change_queue(*, tenant_id: UUID, queue_id: UUID, values: Mapping[str, Any], by: Actor) -> Queue:
    """Change some of FIELDS; callers who wait go on by the new ones."""
    row = _locked(tenant_id, queue_id)
    _apply(row, values)
    _store(row, update_fields=list(FIELDS))
    _audit(row, "queue.changed", by, {name: str(value) for name, value in values.items()})
    return row


def delete_queue(*, tenant_id: UUID, queue_id: UUID, by: Actor) -> None:
    """Delete a queue; raises NotFound, or Conflict while anything leads to it or anybody waits in it."""
    row = _locked(tenant_id, queue_id)
    if NumberRoute.objects.for_tenant(tenant_id).filter(queue=row).exists():
        raise Conflict("A number leads to this queue; change its route first.", code="in-use")
    if queues(tenant_id=tenant_id).filter(overflow_queue=row.pk).exclude(pk=row.pk).exists():
        raise Conflict("Another queue overflows into this one; change it first.", code="in-use")
    if QueueEntry.objects.for_tenant(tenant_id).filter(queue=row, status__in=OPEN).exists():
        raise Conflict("A caller is in this queue now.", code="in-use")
    _audit(row, "queue.deleted", by, {"name": row.name})
    row.delete()


def members(*, tenant_id: UUID, queue_id: UUID) -> list[QueueMember]:
    """Return who serves a queue, with their people, the first to be asked first. Two queries."""
    row = queue(tenant_id=tenant_id, queue_id=queue_id)
    found = QueueMember.objects.for_tenant(tenant_id).filter(queue=row).select_related("user")
    return list(found.order_by("tier", "id"))


def set_members(
    *, tenant_id: UUID, queue_id: UUID, servers: Sequence[Server], by: Actor, now: datetime
) -> list[QueueMember]:
    """Let exactly these people serve a queue. Raises NotFound, or Invalid with a pointer to who is nobody of the company."""
    row = _locked(tenant_id, queue_id)
    _require_people(tenant_id, servers)
    rows = QueueMember.objects.for_tenant(tenant_id).filter(queue=row)
    rows.exclude(user_id__in=[server.user_id for server in servers]).delete()
    for server in servers:
        rows.update_or_create(
            queue=row,
            user_id=server.user_id,
            defaults={"skills": list(server.skills), "tier": server.tier},
            create_defaults={
                "tenant_id": tenant_id,
                "skills": list(server.skills),
                "tier": server.tier,
                "created_at": now,
            },
        )
    _audit(row, "queue.staffed", by, {"people": [encode("us", server.user_id) for server in servers]})
    return members(tenant_id=tenant_id, queue_id=queue_id)


def _require_people(tenant_id: UUID, servers: Sequence[Server]) -> None:
    if len(servers) > MOST_MEMBERS:
        raise Invalid(f"A queue has {MOST_MEMBERS} people at most.", code="too-many", pointer="/members")
    active = Membership.objects.for_tenant(tenant_id).filter(is_active=True)
    known = set(active.values_list("user_id", flat=True))
    seen: set[UUID] = set()
    wrong: list[FieldProblem] = []
    for index, server in enumerate(servers):
        here = f"/members/{index}/user"
        if server.user_id not in known:
            wrong.append(FieldProblem(here, "no-member", "This is nobody of your company."))
        elif server.user_id in seen:
            wrong.append(FieldProblem(here, "twice", "This person stands in the list already."))
        seen.add(server.user_id)
    if wrong:
        raise Invalid.many(wrong)


def _apply(row: Queue, values: Mapping[str, Any]) -> None:
    for name in FIELDS:
        if name in values:
            setattr(row, name, values[name])
    if row.overflow == Overflow.QUEUE:
        others = queues(tenant_id=row.tenant_id).exclude(pk=row.pk)
        if row.overflow_queue is None or not others.filter(pk=row.overflow_queue).exists():
            raise Invalid("There is no such other queue.", code="not-found", pointer="/overflow_queue")


def _locked(tenant_id: UUID, queue_id: UUID) -> Queue:
    found = queues(tenant_id=tenant_id).select_for_update().filter(pk=queue_id).first()
    if found is None:
        raise NotFound("There is no such queue.")
    return found


def _store(row: Queue, **how: Any) -> None:
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        if "queues_name" in str(error):
            raise Conflict("Another queue has this name.", code="name-taken", pointer="/name") from error
        raise


def _audit(row: Queue, action: str, by: Actor, changes: dict[str, Any]) -> None:
    audit.record(tenant_id=row.tenant_id, action=action, by=by, object_id=encode("qu", row.pk), changes=changes)
