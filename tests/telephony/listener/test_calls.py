"""Whole calls: placed, dialled by the listener, answered by the simulated switch, metered from its times."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from django.utils import timezone

from telephony.esl.address import NodeAddress
from telephony.listener import serving
from telephony.simulator import api
from telephony.simulator.session import Request, Session
from telephony.simulator.switch import Switch
from tests.telephony.listener.books import Books, listening, wait_for
from tests.telephony.switches import running


async def test_an_answered_call_is_hung_up_by_the_far_end_and_metered_once(books: Books):
    async with running(Switch(pace=0.1)) as address, listening(address):
        call_id = await books.place("+15550100203")
        call = await books.until(call_id)

    assert (call.status, call.hangup_cause, call.hangup_source, call.sip_status) == (
        "completed",
        "NORMAL_CLEARING",
        "callee",
        200,
    )
    assert await books.timeline(call_id) == ["queued", "initiated", "ringing", "answered", "completed"]
    assert call.ended_at - call.answered_at >= timedelta(seconds=0.3)
    assert (call.billed_seconds, call.price) == (60, Decimal("0.015"))
    assert await books.metered(call_id) == [Decimal(60)]
    assert await books.commands(call_id) == [("originate", "done", f"+OK Job-UUID: {call_id}")]


ENDS = [
    ("+15550100486", 1.0, "busy", "", 486),
    ("+15550100180", 0.01, "no_answer", "", 487),
    ("+15550100100", 0.01, "no_answer", "", 487),
    ("+15550100403", 1.0, "failed", "carrier", 403),
    ("+15550100404", 1.0, "failed", "invalid_number", 404),
    ("+15550100503", 1.0, "failed", "network", 503),
    ("+15550100603", 0.1, "no_answer", "declined", 603),
]


@pytest.mark.parametrize(("to", "pace", "status", "reason", "sip"), ENDS)
async def test_an_unanswered_call_ends_as_its_cause_says(
    books: Books, to: str, pace: float, status: str, reason: str, sip: int
):
    async with running(Switch(pace=pace)) as address, listening(address):
        call_id = await books.place(to)
        call = await books.until(call_id)

    assert (call.status, call.reason, call.sip_status) == (status, reason, sip)
    assert await books.metered(call_id) == []


async def test_a_gateway_the_switch_does_not_know_is_a_fault_of_ours(books: Books):
    async with running(Switch(gateways=frozenset({"other"}))) as address, listening(address):
        call = await books.until(await books.place("+15550100203"))

    assert (call.status, call.reason, call.hangup_cause) == ("failed", "configuration", "INVALID_GATEWAY")


async def test_a_ringing_call_is_canceled_on_request(books: Books):
    async with running(Switch()) as address, listening(address):
        call_id = await books.place("+15550100180")
        await books.until(call_id, "ringing")
        await books.hang_up(call_id)
        call = await books.until(call_id)

    assert (call.status, call.hangup_source, call.answered_at) == ("canceled", "api", None)
    assert (await books.timeline(call_id))[-2:] == ["hangup_requested", "canceled"]


async def test_an_answered_call_is_hung_up_on_request(books: Books):
    async with running(Switch(pace=0.1)) as address, listening(address):
        call_id = await books.place("+15550100200")
        await books.until(call_id, "answered")
        await books.hang_up(call_id)
        call = await books.until(call_id)

    assert (call.status, call.hangup_source) == ("completed", "api")
    assert await books.metered(call_id) == [Decimal(60)]


async def test_the_time_limit_ends_a_call_and_bounds_its_price(books: Books):
    async with running(Switch(pace=0.02)) as address, listening(address):
        call_id = await books.place("+15550100200", time_limit_seconds=20)
        call = await books.until(call_id)

    assert (call.status, call.hangup_cause, call.hangup_source) == ("completed", "ALLOTTED_TIMEOUT", "limit")
    assert await books.metered(call_id) == [Decimal(60)]


async def test_a_command_past_its_time_is_never_dialled(books: Books):
    switch = Switch()
    async with running(switch) as address:
        call_id = await books.place("+15550100203", now=timezone.now() - timedelta(seconds=31))
        async with listening(address):
            call = await books.until(call_id)

    assert (call.status, call.reason) == ("failed", "not_sent")
    assert await books.commands(call_id) == [("originate", "failed", "not sent in time")]
    assert switch.sessions == 0


async def test_a_command_past_its_time_fails_though_no_switch_answers(books: Books):
    nobody = NodeAddress(host="127.0.0.1", port=9, password="x")
    call_id = await books.place("+15550100203", now=timezone.now() - timedelta(seconds=31))

    async with listening(nobody):
        call = await books.until(call_id)

    assert (call.status, call.reason) == ("failed", "not_sent")


async def test_what_waited_while_nobody_listened_is_dialled_on_start(books: Books):
    call_id = await books.place("+15550100212")

    async with running(Switch(pace=0.1)) as address, listening(address):
        call = await books.until(call_id)

    assert call.status == "completed"


async def test_two_listeners_dial_a_call_once(books: Books):
    switch = Switch(pace=0.05)
    async with running(switch) as address, listening(address), listening(address):
        calls = [await books.place("+15550100212") for _ in range(5)]
        statuses = [(await books.until(call_id)).status for call_id in calls]

    assert statuses == ["completed"] * 5
    assert switch.sessions == 5


async def test_many_calls_at_once_each_end_and_are_metered_once(books: Books):
    switch = Switch(pace=0.05)
    async with running(switch) as address, listening(address):
        calls = [await books.place("+15550100203") for _ in range(12)]
        ended = [await books.until(call_id) for call_id in calls]

    assert {call.status for call in ended} == {"completed"}
    assert [await books.metered(call_id) for call_id in calls] == [[Decimal(60)]] * 12
    for call_id in calls:
        assert await books.timeline(call_id) == ["queued", "initiated", "ringing", "answered", "completed"]


async def test_no_text_of_a_customer_reaches_the_socket(books: Books, monkeypatch: pytest.MonkeyPatch):
    heard: list[Request] = []
    understand = Session._request

    def overhear(lines: list[str]) -> Request:
        request = understand(lines)
        heard.append(request)
        return request

    monkeypatch.setattr(Session, "_request", staticmethod(overhear))
    hostile = "',origination_uuid=x}${system(id)}\r\n\r\napi system id\n\n"
    async with running(Switch(pace=0.1)) as address, listening(address):
        call_id = await books.place("+15550100212", metadata={"caller_name": hostile, hostile: "x"})
        await books.until(call_id)

    said = "\n".join([request.line for request in heard] + [f"{request.headers}" for request in heard])
    assert f"origination_uuid={call_id}" in said
    assert not any(word in said for word in ("system", "$", "caller_name", "uuid=x"))
    assert {request.verb for request in heard} <= {"auth", "event", "bgapi", "api", "exit"}


async def test_leaves_a_sign_of_life(books: Books, valkey_client: redis.Redis):
    async with running(Switch()) as address, listening(address):
        await wait_for(lambda: bool(valkey_client.exists("irisx:alive:listener")))

    assert abs(int(valkey_client.get("irisx:alive:listener") or 0) - timezone.now().timestamp()) < 60


async def test_ends_though_a_library_drops_a_cancel(books: Books, monkeypatch: pytest.MonkeyPatch):
    dropped = []

    async def beat() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if dropped:
                    raise
                dropped.append("a cancel")

    monkeypatch.setattr(serving, "_beat", beat)
    async with asyncio.timeout(20), running(Switch()) as address, listening(address):
        call = await books.until(await books.place("+15550100486"))

    assert (call.status, dropped) == ("busy", ["a cancel"])


async def test_events_of_channels_that_are_not_ours_are_passed_over(books: Books):
    switch = Switch(pace=0.05)
    async with running(switch) as address, listening(address):
        await api.run(switch, "originate sofia/gateway/carrier/15550100212 &park")
        call = await books.until(await books.place("+15550100486"))

    assert call.status == "busy"


async def test_a_repeated_event_changes_nothing(books: Books, monkeypatch: pytest.MonkeyPatch):
    once = Switch.publish

    def twice(switch: Switch, name: str, headers: dict[str, str], body: str = "") -> None:
        once(switch, name, headers, body)
        once(switch, name, headers, body)

    monkeypatch.setattr(Switch, "publish", twice)
    async with running(Switch(pace=0.1)) as address, listening(address):
        call_id = await books.place("+15550100203")
        await books.until(call_id)
        last = await books.place("+15550100486")
        await books.until(last)

    assert await books.timeline(call_id) == ["queued", "initiated", "ringing", "answered", "completed"]
    assert await books.metered(call_id) == [Decimal(60)]
