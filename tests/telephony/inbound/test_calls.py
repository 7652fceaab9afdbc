"""Whole calls that come in: parked by the simulated switch, taken by the listener, led to where the number leads."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import system_access
from common.db import in_database_thread
from telephony.inbound.arriving import arrive
from telephony.inbound.models import RouteKind
from telephony.inbound.reading import Arrival
from telephony.models import Call
from telephony.simulator.carrier import BUSY, Plan
from telephony.simulator.channel import Channel
from telephony.simulator.life import arrive as come_in
from telephony.simulator.switch import Switch
from tests.telephony.inbound.conftest import Lead
from tests.telephony.listener.books import PATIENCE_SECONDS, Books, listening, wait_for
from tests.telephony.switches import running

US, CALLER = "15550109999", "15550100777"
ANSWERS = Plan(rings_after=0.0, answered_after=0.2)
Telephone = Callable[..., Awaitable[str]]


async def taken(books: Books, channel: Channel) -> Call:
    """Wait until a channel is a call in the books."""
    key = UUID(channel.uuid)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await books.scoped(lambda tenant_id: Call.objects.for_tenant(tenant_id).filter(pk=key).exists()):
            await asyncio.sleep(0.02)
    return await books.call(key)


async def test_a_call_rings_the_extension_and_both_hear_each_other(books: Books, telephone: Telephone):
    sip_user = await telephone(lead_there=True)
    switch = Switch(pace=0.1, telephones={sip_user: Plan(rings_after=0.0, answered_after=1.0, hangs_up_after=20.0)})
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to=US, caller=CALLER)
        call = await taken(books, channel)
        await wait_for(lambda: bool(channel.bridged_with))
        assert switch.channels[channel.bridged_with].dialled.number == sip_user
        done = await books.until(call.pk)
        await wait_for(lambda: not switch.channels)

    assert (call.direction, call.to_number, call.from_number) == ("inbound", f"+{US}", f"+{CALLER}")
    assert (done.status, done.hangup_cause) == ("completed", "NORMAL_CLEARING")
    timeline = await books.timeline(call.pk)
    assert timeline == ["initiated", "routed", "leg_ordered", "connected", "answered", "leg_ended", "completed"]
    # The caller's side alone is a carrier's: metered once, at the rate of calls that come in.
    assert await books.metered(call.pk) == [Decimal(60)]
    assert (done.billed_seconds, done.price) == (60, Decimal("0.015"))


async def test_a_busy_extension_is_told_to_the_caller(books: Books, telephone: Telephone):
    sip_user = await telephone(lead_there=True)
    switch = Switch(pace=0.1, telephones={sip_user: Plan(refusal=BUSY)})
    async with running(switch) as address, listening(address):
        done = await books.until((await taken(books, come_in(switch, to=US, caller=CALLER))).pk)

    assert (done.status, done.hangup_cause, done.answered_at) == ("busy", "USER_BUSY", None)
    assert await books.metered(done.pk) == []


async def test_a_telephone_that_is_not_there_ends_the_call(books: Books, telephone: Telephone):
    await telephone(lead_there=True)
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        done = await books.until((await taken(books, come_in(switch, to=US, caller=CALLER))).pk)
        await wait_for(lambda: not switch.channels)

    assert (done.status, done.hangup_cause) == ("no_answer", "NO_USER_RESPONSE")


async def test_a_caller_who_gives_up_stops_the_ringing(books: Books, telephone: Telephone):
    sip_user = await telephone(lead_there=True)
    switch = Switch(telephones={sip_user: Plan(rings_after=0.0)})
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to=US, caller=CALLER, hangs_up_after=1.5)
        call = await taken(books, channel)
        await wait_for(lambda: len(switch.channels) == 2)
        done = await books.until(call.pk)
        await wait_for(lambda: not switch.channels)

    assert (done.status, done.reason, done.hangup_cause) == ("canceled", "missed", "ORIGINATOR_CANCEL")
    assert done.hangup_source == "caller"


async def test_a_sip_address_is_rung(books: Books, lead: Lead):
    await lead(kind=RouteKind.SIP_URI, sip_uri="sip:0203@pbx.example.com")
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to=US, caller=CALLER)
        done = await books.until((await taken(books, channel)).pk)

    assert done.status == "completed"
    assert channel.bridged_with


async def test_a_number_that_leads_nowhere_says_so(books: Books):
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        done = await books.until((await taken(books, come_in(switch, to=US, caller=CALLER))).pk)

    assert (done.status, done.hangup_cause) == ("failed", "NO_ROUTE_DESTINATION")


@pytest.mark.parametrize("number", ["15550108888", "reception", "", "0015550109999"])
async def test_a_number_that_is_nobodys_is_refused_and_written_nowhere(books: Books, number: str):
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to=number, caller=CALLER)
        await wait_for(lambda: channel.hangup is not None)
        assert channel.hangup.cause == "UNALLOCATED_NUMBER"
    assert await books.scoped(lambda tenant_id: Call.objects.for_tenant(tenant_id).count()) == 0


async def test_a_suspended_companys_number_is_refused(books: Books):
    def suspend() -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=books.company.tenant.pk).update(status=Tenant.Status.SUSPENDED)

    await in_database_thread(suspend)
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to=US, caller=CALLER)
        await wait_for(lambda: channel.hangup is not None)
        assert channel.hangup.cause == "CALL_REJECTED"
    assert await books.scoped(lambda tenant_id: Call.objects.for_tenant(tenant_id).count()) == 0


async def test_what_the_switch_parked_for_itself_is_left_alone(books: Books):
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        channel = come_in(switch, to=US, caller=CALLER, is_ours=False)
        known = come_in(switch, to="15550108888", caller=CALLER)
        await wait_for(lambda: known.hangup is not None)
        assert channel.hangup is None


async def test_a_hidden_caller_is_taken(books: Books):
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        call = await taken(books, come_in(switch, to=US, caller="anonymous"))
    assert call.from_number == ""


async def test_a_call_that_came_in_while_nobody_listened_is_found(books: Books, telephone: Telephone):
    sip_user = await telephone(lead_there=True)
    switch = Switch(pace=0.1, telephones={sip_user: ANSWERS})
    async with running(switch) as address:
        channel = come_in(switch, to=US, caller=CALLER)
        async with listening(address):
            await wait_for(lambda: bool(channel.bridged_with))


async def test_a_listener_that_dies_between_ring_and_answer_is_followed_by_the_next(books: Books, telephone: Telephone):
    sip_user = await telephone(lead_there=True)
    switch = Switch(telephones={sip_user: Plan(rings_after=0.0, answered_after=1.0)})
    async with running(switch) as address:
        async with listening(address):
            channel = come_in(switch, to=US, caller=CALLER)
            await wait_for(lambda: len(switch.channels) == 2)
        await wait_for(lambda: any(other.answered_us for other in switch.channels.values()))
        async with listening(address):
            await wait_for(lambda: bool(channel.bridged_with))


async def test_two_listeners_take_a_call_once(books: Books, telephone: Telephone):
    await telephone(lead_there=True)
    arrival = Arrival(UUID("0196f1d2-a4c8-7b3e-9d5f-0a1b2c3d4e5f"), f"+{US}", f"+{CALLER}")

    def take() -> str:
        return arrive(arrival=arrival, node="fs:8021", now=timezone.now())

    causes = await asyncio.gather(*(in_database_thread(take) for _ in range(8)))

    assert causes == [""] * 8
    assert await books.timeline(arrival.channel) == ["initiated", "routed", "leg_ordered"]
