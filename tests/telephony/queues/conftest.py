"""Acme's queue, agents at their telephones, and callers whose calls the tests drive by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.audit import SYSTEM
from accounts.models import User
from accounts.permissions import Role
from accounts.presence.models import AgentPresence
from accounts.tenancy import tenant_scope
from common.ids import uuid7
from telephony.facts import Answered, Ended
from telephony.inbound import extensions, routes
from telephony.inbound.arriving import arrive
from telephony.inbound.models import RouteKind
from telephony.inbound.reading import Arrival
from telephony.inbound.routes import RouteWish
from telephony.models import Call, CallCommand, CallEvent, CallLeg, PhoneNumber
from telephony.queues import services, waiting
from telephony.queues.models import AgentLine, Queue, QueueEntry
from telephony.queues.services import Server
from telephony.services.progress import apply_fact
from telephony.states import HangupSource
from tests.factories import NOW, Company, add_person

NODE = "fs1:8021"


@dataclass
class Desk:
    """A company's telephones, by names."""

    company: Company
    people: dict[str, User]
    queue: Queue
    now: datetime = NOW

    @property
    def tenant_id(self) -> UUID:
        return self.company.tenant.pk

    def later(self, seconds: float) -> None:
        """Let time pass; everybody who is there gives signs of life."""
        self.now += timedelta(seconds=seconds)
        AgentPresence.objects.for_tenant(self.tenant_id).update(last_seen_at=self.now)

    def set(self, name: str, status: str) -> None:
        AgentPresence.objects.for_tenant(self.tenant_id).filter(user=self.people[name]).update(status=status)

    def serve(self, *servers: tuple[str, int, list[str]], queue: Queue | None = None) -> None:
        """Say who serves the queue: name, tier, skills."""
        people = [Server(self.people[name].pk, skills, tier) for name, tier, skills in servers]
        key = (queue or self.queue).pk
        services.set_members(tenant_id=self.tenant_id, queue_id=key, servers=people, by=SYSTEM, now=self.now)

    def change(self, **values: Any) -> None:
        services.change_queue(tenant_id=self.tenant_id, queue_id=self.queue.pk, values=values, by=SYSTEM)

    def caller(self) -> UUID:
        """Let somebody call Acme's number."""
        arrival = Arrival(uuid7(), "+15550109999", "+15550100777")
        assert arrive(arrival=arrival, node=NODE, now=self.now) == ""
        return arrival.channel

    def drain(self) -> int:
        return waiting.drain(tenant_id=self.tenant_id, now=self.now)

    def tend(self) -> None:
        waiting.tend(now=self.now)

    def entry(self, call_id: UUID) -> QueueEntry:
        """Return the newest entry of a call."""
        rows = QueueEntry.objects.for_tenant(self.tenant_id).filter(call_id=call_id)
        return rows.select_related("agent").order_by("-created_at", "-id")[0]

    def state(self, call_id: UUID) -> tuple[str, str | None]:
        """Return an entry's status, and the name of its agent."""
        entry = self.entry(call_id)
        return entry.status, entry.agent.name if entry.agent else None

    def phase(self, name: str) -> str:
        line = AgentLine.objects.for_tenant(self.tenant_id).filter(user=self.people[name]).first()
        return line.phase if line else "idle"

    def answer(self, call_id: UUID) -> None:
        """Let the agent who is rung answer."""
        leg = self.entry(call_id).leg
        assert leg is not None
        self.tell(call_id, Answered(leg, self.now))

    def miss(self, call_id: UUID, cause: str = "NO_ANSWER") -> None:
        """Let the leg of the agent end."""
        leg = self.entry(call_id).leg
        assert leg is not None
        self.tell(call_id, Ended(leg, self.now, cause=cause, source=HangupSource.PLATFORM))

    def leave(self, call_id: UUID) -> None:
        """Let the caller hang up."""
        self.tell(call_id, Ended(call_id, self.now, cause="ORIGINATOR_CANCEL", source=HangupSource.CALLER))

    def tell(self, call_id: UUID, fact: Any) -> None:
        apply_fact(tenant_id=self.tenant_id, call_id=call_id, fact=fact, now=self.now)

    def call(self, call_id: UUID) -> Call:
        return Call.objects.for_tenant(self.tenant_id).get(pk=call_id)

    def legs(self, call_id: UUID) -> list[CallLeg]:
        return list(CallLeg.objects.for_tenant(self.tenant_id).filter(call_id=call_id).order_by("position"))

    def ordered(self, leg_id: UUID) -> list[tuple[str, Any]]:
        """Return what was ordered of a leg: kind and params."""
        rows = CallCommand.objects.for_tenant(self.tenant_id).filter(leg_id=leg_id)
        return list(rows.order_by("created_at", "id").values_list("kind", "params"))

    def timeline(self, call_id: UUID) -> list[str]:
        rows = CallEvent.objects.for_tenant(self.tenant_id).filter(call_id=call_id).order_by("seq")
        return list(rows.values_list("type", flat=True))


def make_desk(company: Company) -> Desk:
    """Put Bob, Ben and Bea at their telephones, all serving one queue that Acme's number leads to."""
    tenant_id = company.tenant.pk
    others = {name: add_person(company, name, Role.AGENT).user for name in ("Ben", "Bea")}
    people = {"Bob": company.agent, **others}
    queue = services.create_queue(
        tenant_id=tenant_id, values={"name": "Support", "wrap_up_seconds": 10, "ring_seconds": 20}, by=SYSTEM, now=NOW
    )
    for number, user in enumerate(people.values(), start=101):
        extensions.create_extension(tenant_id=tenant_id, number=str(number), user_id=user.pk, by=SYSTEM, now=NOW)
        AgentPresence.objects.create(tenant_id=tenant_id, user=user, status="online", last_seen_at=NOW)
    number = PhoneNumber.objects.for_tenant(tenant_id).get()
    routes.set_route(
        tenant_id=tenant_id, number_id=number.pk, wish=RouteWish(RouteKind.QUEUE, queue=queue.pk), by=SYSTEM, now=NOW
    )
    desk = Desk(company, people, queue)
    desk.serve(*((name, 1, []) for name in people))
    return desk


@pytest.fixture
def desk(acme_line: Company) -> Iterator[Desk]:
    with tenant_scope(acme_line.tenant.pk):
        yield make_desk(acme_line)
