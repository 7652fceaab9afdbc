"""Whole calls through a queue, with a simulated switch: music, the agent's telephone, talking, the end."""

import asyncio
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.presence.models import AgentPresence
from common.db import in_database_thread
from telephony.models import Extension
from telephony.queues import waiting
from telephony.queues.models import AgentLine, QueueEntry
from telephony.simulator.carrier import Plan
from telephony.simulator.life import arrive as come_in
from telephony.simulator.switch import Switch
from tests.telephony.inbound.conftest import books, impatient
from tests.telephony.listener.books import PATIENCE_SECONDS, Books, listening, wait_for
from tests.telephony.queues.conftest import make_desk
from tests.telephony.switches import running

__all__ = ["books", "impatient"]
HANGS_UP = Plan(rings_after=0.0, answered_after=0.5, hangs_up_after=5.0)


async def telephones(books: Books, *, there: tuple[str, ...]) -> dict[str, str]:
    """Make the desk, let some of its agents be there, and return everybody's SIP user by name."""

    def make(tenant_id: UUID) -> dict[str, str]:
        make_desk(books.company)
        rows = AgentPresence.objects.for_tenant(tenant_id)
        rows.update(status="offline", last_seen_at=timezone.now())
        rows.filter(user__name__in=there).update(status="online")
        found = Extension.objects.for_tenant(tenant_id).select_related("user")
        return {row.user.name: row.sip_user for row in found if row.user}

    return await books.scoped(make)


async def until_entry(books: Books, status: str) -> QueueEntry:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await books.scoped(
                lambda tenant_id: QueueEntry.objects.for_tenant(tenant_id).filter(status=status).first()
            )
            if found is not None:
                return found
            await asyncio.sleep(0.02)


async def test_a_caller_is_connected_with_the_agent_who_is_free(books: Books):
    users = await telephones(books, there=("Ben",))
    switch = Switch(pace=0.1, telephones={users["Ben"]: HANGS_UP})
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to="15550109999", caller="15550100777")
        await wait_for(lambda: bool(channel.bridged_with))
        assert switch.channels[channel.bridged_with].dialled.number == users["Ben"]
        entry = await until_entry(books, "completed")
        done = await books.until(UUID(channel.uuid))
        await wait_for(lambda: not switch.channels)

    assert done.status == "completed"
    assert channel.heard == ["file_string://ivr/ivr-you_are_number.wav!digits/1.wav!local_stream://moh"]
    assert (entry.call_id, entry.reason) == (done.pk, "")
    timeline = await books.timeline(done.pk)
    assert [kind for kind in timeline if kind.startswith("queue_")] == [
        "queue_entered",
        "queue_offered",
        "queue_completed",
    ]
    lines = await books.scoped(
        lambda tenant_id: list(AgentLine.objects.for_tenant(tenant_id).values_list("user__name", "phase"))
    )
    assert lines == [("Ben", "wrap_up")]


async def test_a_telephone_that_is_off_passes_the_caller_on(books: Books):
    users = await telephones(books, there=("Bob", "Ben"))
    switch = Switch(pace=0.1, telephones={users["Ben"]: Plan(rings_after=0.0, answered_after=0.5)})
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to="15550109999", caller="15550100777")
        await wait_for(lambda: bool(channel.bridged_with))
        assert switch.channels[channel.bridged_with].dialled.number == users["Ben"]


@pytest.mark.parametrize("kills", [1, 3])
async def test_a_caller_waits_through_restarts_of_the_listener(books: Books, kills: int):
    users = await telephones(books, there=())
    switch = Switch(pace=0.1, telephones={users["Bea"]: Plan(rings_after=0.0, answered_after=0.5)})
    async with running(switch) as address:
        channel = come_in(switch, to="15550109999", caller="15550100777")
        for _ in range(kills):
            async with listening(address):
                await until_entry(books, "waiting")
        await books.scoped(
            lambda tenant_id: (
                AgentPresence.objects.for_tenant(tenant_id)
                .filter(user__name="Bea")
                .update(status="online", last_seen_at=timezone.now())
            )
        )
        async with listening(address):
            await wait_for(lambda: bool(channel.heard))
            await in_database_thread(lambda: waiting.tend(now=timezone.now()))
            await wait_for(lambda: bool(channel.bridged_with))

    assert channel.hangup is None
