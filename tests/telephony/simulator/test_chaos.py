"""The troubles a simulated switch can make, and that our client comes through each of them."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from telephony.esl import commands
from telephony.esl.connection import Backoff, Node, NodeDown, NodeUp, Notice
from telephony.esl.errors import LinkLost, Unconfirmed
from telephony.esl.link import Link
from telephony.esl.protocol import ApiReply, Event
from telephony.simulator.chaos import Chaos
from telephony.simulator.switch import Switch
from tests.telephony.switches import running

CUSTOM = commands.subscribe(["CUSTOM"])


async def heard(switch: Switch, *, count: int, notes: list[str]) -> list[str]:
    """Publish notes and return the first that arrive."""
    async with running(switch) as address:
        link = await Link.open(address)
        await link.send(CUSTOM)
        for note in notes:
            switch.publish("CUSTOM", {"Note": note})
        async with asyncio.timeout(5):
            arrived = [(await link.events.get()).text("Note") for _ in range(count)]
        await link.close()
        return arrived


async def test_a_lost_event_never_comes_and_the_next_one_does():
    switch = Switch(chaos=Chaos(lose=1.0))
    async with running(switch) as address:
        link = await Link.open(address)
        await link.send(CUSTOM)
        switch.publish("CUSTOM", {"Note": "first"})
        switch.chaos.lose = 0.0
        switch.publish("CUSTOM", {"Note": "second"})
        async with asyncio.timeout(5):
            arrived = await link.events.get()
        await link.close()

    assert arrived.text("Note") == "second"


async def test_a_doubled_event_comes_twice_with_one_sequence():
    assert await heard(Switch(chaos=Chaos(duplicate=1.0)), count=2, notes=["only"]) == ["only", "only"]


async def test_a_late_event_comes_behind_a_younger_one():
    switch = Switch(chaos=Chaos(delay=1.0, delay_seconds=0.05))
    async with running(switch) as address:
        link = await Link.open(address)
        await link.send(CUSTOM)
        switch.publish("CUSTOM", {"Note": "older"})
        switch.chaos.delay = 0.0
        switch.publish("CUSTOM", {"Note": "younger"})
        async with asyncio.timeout(5):
            arrived = [(await link.events.get()).text("Note") for _ in range(2)]
        await link.close()

    assert arrived == ["younger", "older"]


async def test_half_a_frame_is_never_taken_for_an_event():
    switch = Switch(chaos=Chaos(cut=1.0))
    async with running(switch) as address:
        link = await Link.open(address)
        await link.send(CUSTOM)
        switch.publish("CUSTOM", {"Note": "cut off"})
        async with asyncio.timeout(5):
            lost = await link.lost()

    assert isinstance(lost, LinkLost)
    assert link.events.empty()


@pytest.mark.parametrize("kind", ["plain", "json", "xml"])
async def test_a_line_feed_in_a_value_forges_no_header_and_three_megabytes_arrive_whole(kind: str):
    switch, forged = Switch(), "Alice\nEvent-Name: CHANNEL_HANGUP_COMPLETE\n\nContent-Length: 5"
    async with running(switch) as address:
        link = await Link.open(address)
        await link.send(commands.Command(f"event {kind} CUSTOM"))
        switch.publish("CUSTOM", {"Caller-Caller-ID-Name": forged})
        switch.publish("CUSTOM", {"Note": "big"}, "x" * 3_000_000)
        async with asyncio.timeout(5):
            first, second = await link.events.get(), await link.events.get()
        reply = await link.send(commands.exists(uuid4()))
        await link.close()

    assert (first.name, first.text("Caller-Caller-ID-Name")) == ("CUSTOM", forged)
    assert (second.text("Note"), len(second.body)) == ("big", 3_000_000)
    assert reply == ApiReply(body="false")


async def test_a_crashed_switch_comes_back_as_another_with_no_calls():
    switch = Switch(pace=0.01)
    async with running(switch) as address:
        node = Node(address, events=["CUSTOM"], backoff=Backoff(base_seconds=0.01, cap_seconds=0.02))
        notices = node.notices()
        async with asyncio.timeout(10):
            assert isinstance(await anext(notices), NodeUp)
            before = switch.core_uuid
            channel = uuid4()
            await node.send(
                commands.Command(f"api originate {{origination_uuid={channel}}}loopback/9196/default &park")
            )

            switch.crash()

            assert isinstance(await down(notices), NodeDown)
            assert isinstance(await anext(notices), NodeUp)
            answered = await node.send(commands.exists(channel))
            named = await node.send(commands.Command("api global_getvar core_uuid"))
        await node.close()
        await notices.aclose()

    assert answered == ApiReply(body="false")
    assert isinstance(named, ApiReply)
    assert named.body != before


async def test_who_waits_for_an_answer_is_let_go_by_a_crash():
    switch = Switch()
    async with running(switch) as address:
        link = await Link.open(address)
        await link.send(commands.subscribe(["CHANNEL_PROGRESS"]))
        ringing = asyncio.create_task(
            link.send(commands.Command("api originate sofia/gateway/carrier/15550100180 &park"))
        )
        async with asyncio.timeout(5):
            await link.events.get()

            switch.crash()

            with pytest.raises(Unconfirmed):
                await ringing

    assert not switch.channels


async def down(notices: AsyncGenerator[Notice]) -> Notice:
    """Return the first notice that is no event."""
    while isinstance(notice := await anext(notices), Event):
        pass
    return notice
