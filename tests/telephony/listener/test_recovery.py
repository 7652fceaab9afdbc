"""What the listener makes good: restarts, lost links, a switch that forgot."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from telephony.esl.errors import NotSent
from telephony.esl.link import Link
from telephony.simulator import session
from telephony.simulator.channel import Hangup
from telephony.simulator.session import Request, Session
from telephony.simulator.switch import Switch
from tests.telephony.listener.books import Books, listening, wait_for
from tests.telephony.switches import PASSWORD, running


async def test_a_call_outlives_a_restart_of_the_listener(books: Books):
    switch = Switch(pace=0.1)
    async with running(switch) as address:
        async with listening(address):
            call_id = await books.place("+15550100200")
            await books.until(call_id, "answered")
        async with listening(address):
            await books.hang_up(call_id)
            call = await books.until(call_id)

    assert (call.status, call.is_estimated, call.hangup_source) == ("completed", False, "api")
    assert switch.sessions == 1
    assert await books.metered(call_id) == [Decimal(60)]


async def test_what_was_answered_while_nobody_listened_is_learned_from_the_channel(books: Books):
    switch = Switch(pace=0.5)
    async with running(switch) as address:
        async with listening(address):
            call_id = await books.place("+15550100200")
            await books.until(call_id, "ringing")
        channel = switch.channels[str(call_id)]
        await wait_for(lambda: channel.answered_us > 0)
        async with listening(address):
            call = await books.until(call_id, "answered")
            answered_us = int(call.answered_at.timestamp() * 1_000_000)

    assert abs(answered_us - channel.answered_us) <= 1
    assert await books.timeline(call_id) == ["queued", "initiated", "ringing", "answered"]


async def test_what_ended_while_nobody_listened_ends_at_its_last_proof_of_life(books: Books):
    switch = Switch(pace=0.1)
    async with running(switch) as address:
        async with listening(address):
            call_id = await books.place("+15550100200")
            await books.until(call_id, "answered")
        seen_at = (await books.leg(call_id)).last_seen_at
        switch.channels[str(call_id)].end(Hangup("NORMAL_CLEARING", is_remote=True))
        await wait_for(lambda: not switch.shown)
        async with listening(address):
            call = await books.until(call_id)

    assert (call.status, call.is_estimated, call.is_price_final) == ("completed", True, False)
    assert call.ended_at == max(seen_at, call.answered_at)
    assert await books.metered(call_id) == [Decimal(60)]


async def test_a_switch_that_died_with_its_calls_leaves_no_phantom(books: Books):
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        address = await first.enter_async_context(running(Switch(pace=0.1)))
        await stack.enter_async_context(listening(address))
        call_id = await books.place("+15550100200")
        await books.until(call_id, "answered")
        await first.aclose()
        await stack.enter_async_context(running(Switch(pace=0.1), port=address.port))
        call = await books.until(call_id)
        other = await books.until(await books.place("+15550100486"))

    assert (call.status, call.is_estimated) == ("completed", True)
    assert other.status == "busy"


async def test_a_link_that_drops_is_mended_and_nothing_is_dialled_twice(books: Books):
    switch = Switch(pace=0.2)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        address = await first.enter_async_context(running(switch))
        await stack.enter_async_context(listening(address))
        call_id = await books.place("+15550100203")
        await books.until(call_id, "initiated", "ringing")
        await first.aclose()
        await wait_for(lambda: switch.channels[str(call_id)].answered_us > 0)
        await stack.enter_async_context(running(switch, port=address.port))
        call = await books.until(call_id)

    assert call.status == "completed"
    assert switch.sessions == 1
    assert await books.metered(call_id) == [Decimal(60)]


async def test_an_originate_whose_reply_was_lost_is_never_sent_again(books: Books, monkeypatch: pytest.MonkeyPatch):
    understand = Session._bgapi
    dialled: list[str] = []

    async def dial_and_drop(client: Session, request: Request) -> None:
        dialled.append(request.argument)
        await understand(client, request)
        client._writer.transport.abort()

    monkeypatch.setitem(session._HANDLERS, "bgapi", dial_and_drop)
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        call_id = await books.place("+15550100203")
        call = await books.until(call_id)

    assert call.status == "completed"
    assert len(dialled) == switch.sessions == 1
    assert [command[0] for command in await books.commands(call_id)] == ["originate"]


async def test_a_command_that_never_left_is_sent_once_the_link_is_back(books: Books, monkeypatch: pytest.MonkeyPatch):
    send, failures = Link.send, [1]

    async def fail_once(link: Link, command: object, **options: object) -> object:
        if repr(command) == "Command(bgapi)" and failures:
            failures.pop()
            raise NotSent("gone")
        return await send(link, command, **options)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr(Link, "send", fail_once)
    switch = Switch(pace=0.1)
    async with running(switch) as address, listening(address):
        call = await books.until(await books.place("+15550100212"))

    assert (call.status, switch.sessions) == ("completed", 1)


async def test_the_process_starts_works_and_stops_politely(books: Books):
    async with running(Switch(pace=0.1)) as address:
        environment = {**os.environ, "FREESWITCH_URL": f"esl://:{PASSWORD}@{address.name}"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "manage.py", "telephony_listener", env=environment, stderr=asyncio.subprocess.PIPE
        )
        try:
            call = await books.until(await books.place("+15550100212"))
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(15):
                _, errors = await process.communicate()

    assert call.status == "completed"
    assert process.returncode == 0
    assert b"Traceback" not in errors
