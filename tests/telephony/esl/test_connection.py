"""One link and one node, against the simulated switch and against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from uuid import uuid4

import pytest

from telephony.esl import commands
from telephony.esl.address import NodeAddress
from telephony.esl.commands import Command
from telephony.esl.connection import Backoff, Node, NodeDown, NodeUp, Notice
from telephony.esl.errors import LinkLost, NotSent, SignInRefused, Unconfirmed
from telephony.esl.link import Link, LinkTimes
from telephony.esl.probe import probe
from telephony.esl.protocol import ApiReply, Event
from telephony.simulator import wire
from telephony.simulator.switch import Switch
from tests.telephony.switches import PASSWORD, running

HASTY = LinkTimes(connect_seconds=1, reply_seconds=0.1, silence_seconds=5)
SOON = Backoff(base_seconds=0.01, cap_seconds=0.02)


@asynccontextmanager
async def serving(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[NodeAddress]:
    """Serve a hand-written conversation."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield NodeAddress("127.0.0.1", server.sockets[0].getsockname()[1], PASSWORD)


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(wire.auth_request())
    await reader.readuntil(b"\n\n")
    writer.write(wire.command_reply("+OK accepted"))


class TestLink:
    async def test_replies_meet_their_commands_in_order(self):
        async with running(Switch()) as address:
            link = await Link.open(address)

            replies = await asyncio.gather(*(link.send(Command(f"api {name}")) for name in ("hostname", "msleep 30")))
            exists = await link.send(commands.exists(uuid4()))
            await link.close()

        assert [*replies, exists] == [ApiReply("fs1"), ApiReply("+OK"), ApiReply("false")]

    async def test_a_late_reply_does_not_shift_the_queue(self):
        async with running(Switch()) as address:
            link = await Link.open(address)

            with pytest.raises(Unconfirmed):
                await link.send(Command("api msleep 200"), timeout_seconds=0.05)
            reply = await link.send(Command("api hostname"))
            await link.close()

        assert reply == ApiReply("fs1")

    async def test_what_was_sent_before_the_link_broke_is_unconfirmed(self):
        async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await welcome(reader, writer)
            await reader.readuntil(b"\n\n")

        async with serving(vanish) as address:
            link = await Link.open(address)

            with pytest.raises(Unconfirmed):
                await link.send(commands.show_channels())
            assert str(await link.lost()) == "the switch closed the connection"

    async def test_what_comes_after_the_link_broke_is_not_sent(self):
        async with running(Switch()) as address:
            link = await Link.open(address)
            await link.close()

            with pytest.raises(NotSent):
                await link.send(commands.show_channels())

    async def test_a_silent_switch_is_a_lost_one(self):
        async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await welcome(reader, writer)
            await reader.read()

        async with serving(fall_silent) as address:
            link = await Link.open(address, times=LinkTimes(silence_seconds=0.05))

            assert str(await link.lost()) == "the switch fell silent"

    async def test_a_goodbye_ends_the_link(self):
        async with running(Switch()) as address:
            link = await Link.open(address)

            await link.send(commands.leave())

            assert str(await link.lost()) == "the switch said goodbye"

    async def test_an_access_list_that_refuses_us_is_a_refused_sign_in(self):
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(wire.rude_rejection() + wire.disconnect_notice())

        async with serving(refuse) as address:
            with pytest.raises(SignInRefused):
                await Link.open(address)

    async def test_a_port_where_nothing_greets_is_a_lost_link(self):
        async def stay_mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving(stay_mute) as address:
            with pytest.raises(LinkLost):
                await Link.open(address, times=LinkTimes(connect_seconds=0.05))

    async def test_a_full_queue_slows_the_switch_and_loses_nothing(self):
        switch = Switch()
        async with running(switch) as address:
            link = await Link.open(address, queue_size=2)
            await link.send(commands.subscribe(["HEARTBEAT"]))
            for _ in range(50):
                switch.heartbeat()

            heard = [int((await link.events.get()).text("Event-Sequence")) for _ in range(50)]
            await link.close()

        assert heard == list(range(heard[0], heard[0] + 50))

    async def test_bytes_that_are_no_utf8_do_not_stop_it(self):
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await welcome(reader, writer)
            for payload in (b"\xff\xfe", b'{"Event-Name":"CUSTOM","x":"\xff"}'):
                writer.write(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(payload) + payload)
            await reader.read()

        async with serving(babble) as address:
            link = await Link.open(address)
            async with asyncio.timeout(2):
                heard = await link.events.get()
            await link.close()

        assert heard.name == "CUSTOM"


async def first(count: int, node: Node) -> list[Notice]:
    async with asyncio.timeout(5), aclosing(node.notices()) as notices:
        found = []
        async for notice in notices:
            found.append(notice)
            if len(found) == count:
                break
        return found


class TestNode:
    async def test_comes_up_and_delivers_events(self):
        switch = Switch(heartbeat_seconds=0.02)
        async with running(switch) as address:
            up, beat = await first(2, Node(address, events=["CHANNEL_ANSWER"], backoff=SOON))

        assert up == NodeUp()
        assert isinstance(beat, Event)
        assert beat.name == "HEARTBEAT"

    async def test_reconnects_after_the_switch_went_away(self):
        switch = Switch(heartbeat_seconds=0.02)
        seen: list[Notice] = []
        async with running(switch) as address:
            node = Node(address, events=["CHANNEL_ANSWER"], backoff=SOON)
            notices = node.notices()
            seen.append(await anext(notices))
            assert node.is_up
        async with asyncio.timeout(5), aclosing(notices):
            while not isinstance(seen[-1], NodeDown):
                seen.append(await anext(notices))
            assert not node.is_up
            async with running(Switch(), port=address.port):
                while not isinstance(seen[-1], NodeUp):
                    seen.append(await anext(notices))

        assert isinstance(seen[0], NodeUp)

    async def test_a_command_while_down_is_not_sent(self):
        node = Node(NodeAddress("127.0.0.1", 9, PASSWORD), events=["CHANNEL_ANSWER"])

        with pytest.raises(NotSent):
            await node.send(commands.show_channels())

    async def test_says_why_it_can_not_sign_in(self):
        async with running(Switch()) as address:
            wrong = NodeAddress(address.host, address.port, "wrong")
            (down,) = await first(1, Node(wrong, events=["CHANNEL_ANSWER"]))

        assert down == NodeDown(f"{address.name} refused the user or password of FREESWITCH_URL")

    async def test_commands_travel_while_a_blocking_one_stalls_nobody_but_itself(self):
        switch = Switch(heartbeat_seconds=0.02)
        async with running(switch) as address:
            node = Node(address, events=["CHANNEL_ANSWER"], backoff=SOON)
            async with asyncio.timeout(5), aclosing(node.notices()) as notices:
                await anext(notices)
                slow = asyncio.create_task(node.send(Command("api msleep 300")))
                beats = [await anext(notices) for _ in range(3)]

                assert not slow.done()
                assert await slow == ApiReply("+OK")

        assert len(beats) == 3


class TestBackoff:
    def test_waits_at_most_the_doubled_base_and_never_above_the_cap(self):
        most = Backoff(base_seconds=0.5, cap_seconds=10, draw=lambda low, high: high)

        assert [most.seconds(attempt) for attempt in (0, 1, 2, 5, 500)] == [0.5, 1, 2, 10, 10]

    def test_may_not_wait_at_all(self):
        assert Backoff(draw=lambda low, high: low).seconds(3) == 0


class TestProbe:
    async def test_a_greeting_switch_is_there(self):
        async with running(Switch()) as address:
            assert await probe(f"esl://:wrong@{address.name}", 1)

    async def test_nobody_there(self):
        assert not await probe("esl://:x@127.0.0.1:9", 1)

    async def test_a_hanging_switch_costs_only_the_timeout(self):
        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving(hang) as address:
            began = asyncio.get_running_loop().time()

            assert not await probe(f"esl://:x@{address.name}", 0.1)
            assert asyncio.get_running_loop().time() - began < 1

    async def test_a_wrong_address_is_no_switch(self):
        assert not await probe("http://nowhere", 1)
