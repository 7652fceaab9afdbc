"""Whole calls by a switch and a carrier: what the books say of them in the end."""

import asyncio
from decimal import Decimal

import pytest

from telephony.esl.address import NodeAddress
from tests.telephony.listener.books import Books, listening

ANSWERED = ["queued", "initiated", "ringing", "answered", "completed"]


async def test_an_answered_call_ended_by_the_far_end_is_metered_once(books: Books, switch: NodeAddress) -> None:
    async with listening(switch):
        call_id = await books.place("+15550100203")
        call = await books.until(call_id)

    assert (call.status, call.hangup_cause, call.hangup_source, call.sip_status) == (
        "completed",
        "NORMAL_CLEARING",
        "callee",
        200,
    )
    assert await books.timeline(call_id) == ANSWERED
    assert (call.billed_seconds, call.price) == (60, Decimal("0.015"))
    assert await books.metered(call_id) == [Decimal(60)]


@pytest.mark.parametrize(
    ("to", "status", "reason", "sip"),
    [
        ("+15550100486", "busy", "", 486),
        ("+15550100403", "failed", "carrier", 403),
        ("+15550100404", "failed", "invalid_number", 404),
        ("+15550100503", "failed", "network", 503),
        ("+15550100603", "no_answer", "declined", 603),
    ],
)
async def test_an_unanswered_call_ends_as_the_carrier_says(
    books: Books, switch: NodeAddress, to: str, status: str, reason: str, sip: int
) -> None:
    async with listening(switch):
        call_id = await books.place(to)
        call = await books.until(call_id)

    assert (call.status, call.reason, call.sip_status) == (status, reason, sip)
    assert await books.metered(call_id) == []


async def test_a_ringing_call_is_canceled(books: Books, switch: NodeAddress) -> None:
    async with listening(switch):
        call_id = await books.place("+15550100180")
        await books.until(call_id, "ringing")
        await books.hang_up(call_id)
        call = await books.until(call_id)

    assert (call.status, call.hangup_source, call.answered_at) == ("canceled", "api", None)


async def test_an_answered_call_is_hung_up(books: Books, switch: NodeAddress) -> None:
    async with listening(switch):
        call_id = await books.place("+15550100200")
        await books.until(call_id, "answered")
        await books.hang_up(call_id)
        call = await books.until(call_id)

    assert (call.status, call.hangup_source) == ("completed", "api")
    assert await books.metered(call_id) == [Decimal(60)]


async def test_the_time_limit_ends_a_call(books: Books, switch: NodeAddress) -> None:
    async with listening(switch):
        call_id = await books.place("+15550100200", time_limit_seconds=2)
        call = await books.until(call_id)

    assert (call.status, call.hangup_cause, call.hangup_source) == ("completed", "ALLOTTED_TIMEOUT", "limit")


async def test_two_listeners_dial_a_call_once(books: Books, switch: NodeAddress) -> None:
    async with listening(switch), listening(switch):
        calls = [await books.place("+15550100212") for _ in range(4)]
        ended = [await books.until(call_id) for call_id in calls]

    assert {call.status for call in ended} == {"completed"}
    assert [await books.metered(call_id) for call_id in calls] == [[Decimal(60)]] * 4


async def test_a_call_that_outlives_its_listener_is_kept_by_the_next(books: Books, switch: NodeAddress) -> None:
    async with listening(switch):
        call_id = await books.place("+15550100200")
        await books.until(call_id, "answered")
    async with listening(switch):
        await books.hang_up(call_id)
        call = await books.until(call_id)

    assert (call.status, call.hangup_source) == ("completed", "api")
    assert await books.timeline(call_id) == [*ANSWERED[:-1], "hangup_requested", "completed"]
    assert await books.metered(call_id) == [Decimal(60)]


async def test_a_call_that_ends_while_nobody_listens_ends_in_the_books(books: Books, switch: NodeAddress) -> None:
    async with listening(switch):
        call_id = await books.place("+15550100203")
        await books.until(call_id, "answered")
    await asyncio.sleep(4)
    async with listening(switch):
        call = await books.until(call_id)

    assert call.status == "completed"
    assert await books.metered(call_id) == [Decimal(60)]
