"""`/v1/queues`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.audit import actor_of
from common.ids import decode, encode, encode_call
from common.pagination import paginate
from common.timestamps import rfc3339
from telephony.inbound.api import CURSOR, LIMIT, MANAGE, READ, named
from telephony.queues import schemas, selectors, services
from telephony.queues.models import Queue, QueueMember
from telephony.queues.services import Server


class QueueViewSet(TenantViewSet):
    """Set queues up, and look into them."""

    permissions = {
        "list": READ,
        "retrieve": READ,
        "members": READ,
        "status": ("calls.read", READ),
        "create": MANAGE,
        "change": MANAGE,
        "remove": MANAGE,
        "staff": MANAGE,
    }

    @extend_schema(
        summary="Queues, newest first", parameters=[CURSOR, LIMIT], responses={200: schemas.QueuePage}, tags=["queues"]
    )
    def list(self, request: Request) -> Response:
        """List the tenant's queues."""
        rows = services.queues(tenant_id=self.principal.tenant_id)
        return Response(paginate(rows, request, present=present_queue))

    @extend_schema(
        summary="Add a queue",
        request=schemas.QueueRequest,
        responses={201: schemas.QueueAnswer},
        examples=[schemas.QUEUE_EXAMPLE],
        tags=["queues"],
    )
    def create(self, request: Request) -> Response:
        """Make a queue."""
        values = _values(self.read(schemas.QueueRequest))
        return self.once(lambda: self._create(values))

    @extend_schema(summary="One queue", responses={200: schemas.QueueAnswer}, tags=["queues"])
    def retrieve(self, request: Request, id: str) -> Response:
        """Show a queue."""
        return Response(present_queue(services.queue(tenant_id=self.principal.tenant_id, queue_id=decode("qu", id))))

    @extend_schema(
        summary="Change a queue",
        description="Callers who wait go on by the new values.",
        request=schemas.QueueChange,
        responses={200: schemas.QueueAnswer},
        examples=[schemas.CHANGE_QUEUE_EXAMPLE],
        tags=["queues"],
    )
    def change(self, request: Request, id: str) -> Response:
        """Change a queue."""
        key = decode("qu", id)
        row = services.change_queue(
            tenant_id=self.principal.tenant_id,
            queue_id=key,
            values=_values(self.read(schemas.QueueChange)),
            by=actor_of(self.principal),
        )
        return Response(present_queue(row))

    @extend_schema(summary="Delete a queue with its history", responses={204: None}, tags=["queues"])
    def remove(self, request: Request, id: str) -> Response:
        """Delete a queue nothing leads to."""
        services.delete_queue(
            tenant_id=self.principal.tenant_id, queue_id=decode("qu", id), by=actor_of(self.principal)
        )
        return Response(status=204)

    @extend_schema(
        summary="Who serves a queue, the first to be asked first",
        responses={200: schemas.MembersAnswer},
        tags=["queues"],
    )
    def members(self, request: Request, id: str) -> Response:
        """List who serves a queue."""
        rows = services.members(tenant_id=self.principal.tenant_id, queue_id=decode("qu", id))
        return Response({"members": [present_member(row) for row in rows]})

    @extend_schema(
        summary="Say who serves a queue",
        description="Exactly these people from now on; whoever rings or talks goes on.",
        request=schemas.MembersRequest,
        responses={200: schemas.MembersAnswer},
        examples=[schemas.MEMBERS_EXAMPLE],
        tags=["queues"],
    )
    def staff(self, request: Request, id: str) -> Response:
        """Replace who serves a queue."""
        key = decode("qu", id)
        rows = services.set_members(
            tenant_id=self.principal.tenant_id,
            queue_id=key,
            servers=_servers(self.read(schemas.MembersRequest)["members"]),
            by=actor_of(self.principal),
            now=self.now,
        )
        return Response({"members": [present_member(row) for row in rows]})

    @extend_schema(
        summary="A queue just now: who waits, and what its agents do",
        responses={200: schemas.QueueStatusAnswer},
        tags=["queues"],
    )
    def status(self, request: Request, id: str) -> Response:
        """Show who is in a queue."""
        tenant_id, key = self.principal.tenant_id, decode("qu", id)
        agents = selectors.agents(tenant_id=tenant_id, queue_id=key, now=self.now)
        callers = selectors.callers(tenant_id=tenant_id, queue_id=key)
        return Response(
            {
                "callers": [present_caller(caller) for caller in callers],
                "agents": [present_agent(agent) for agent in agents],
            }
        )

    def _create(self, values: dict[str, Any]) -> Response:
        row = services.create_queue(
            tenant_id=self.principal.tenant_id, values=values, by=actor_of(self.principal), now=self.now
        )
        return Response(present_queue(row), status=201)


def present_queue(row: Queue) -> dict[str, Any]:
    """Return a queue as the API shows it."""
    return {
        "id": encode("qu", row.pk),
        "name": row.name,
        "skills": row.skills,
        "announce_position": row.is_position_announced,
        "announce_every_seconds": row.announce_every_seconds,
        "ring_seconds": row.ring_seconds,
        "wrap_up_seconds": row.wrap_up_seconds,
        "max_wait_seconds": row.max_wait_seconds,
        "max_waiting": row.max_waiting,
        "overflow": row.overflow,
        "overflow_queue": None if row.overflow_queue is None else encode("qu", row.overflow_queue),
        "is_active": row.is_active,
        "created_at": rfc3339(row.created_at),
    }


def present_member(row: QueueMember) -> dict[str, Any]:
    """Return somebody who serves a queue; their user is loaded."""
    return {"user": encode("us", row.user_id), "name": row.user.name, "skills": row.skills, "tier": row.tier}


def present_caller(caller: selectors.Caller) -> dict[str, Any]:
    """Return a caller in a queue."""
    entry = caller.entry
    return {
        "call": encode_call(entry.call_id),
        "position": caller.position,
        "status": entry.status,
        "agent": None if entry.agent_id is None else encode("us", entry.agent_id),
        "waiting_since": rfc3339(entry.created_at),
    }


def present_agent(agent: selectors.AtTheLine) -> dict[str, Any]:
    """Return what an agent does."""
    return {
        "user": encode("us", agent.user_id),
        "name": agent.name,
        "presence": agent.presence,
        "phase": agent.phase.value,
        "extension": agent.extension,
    }


def _values(body: dict[str, Any]) -> dict[str, Any]:
    values = dict(body)
    if "overflow_queue" in values:
        values["overflow_queue"] = named("qu", values["overflow_queue"], "/overflow_queue")
    return values


def _servers(rows: list[dict[str, Any]]) -> list[Server]:
    found = []
    for index, row in enumerate(rows):
        user_id = named("us", row["user"], f"/members/{index}/user")
        assert user_id is not None
        found.append(Server(user_id=user_id, skills=row["skills"], tier=row["tier"]))
    return found
