"""A bounded outbox: written at once while the client reads, in order when it does not, full at 500 frames."""

import asyncio
from typing import Any

import pytest

from accounts.sockets.outbox import MOST_WAITING_FRAMES, Full, Outbox


class Server:
    """A server's `send` that can be made to wait, as when a client does not read."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.writable = asyncio.Event()
        self.writable.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self.writable.wait()
        self.sent.append(message["text"])


async def test_writes_in_the_callers_own_step() -> None:
    server = Server()
    outbox = Outbox(server.send)
    outbox.put("a")
    outbox.put("b")
    assert server.sent == ["a", "b"]


async def test_keeps_the_order_of_what_had_to_wait() -> None:
    server = Server()
    outbox = Outbox(server.send)
    outbox.put("a")
    server.writable.clear()
    for text in "bcd":
        outbox.put(text)
    assert server.sent == ["a"]
    server.writable.set()
    await outbox.drain()
    outbox.put("e")
    assert server.sent == list("abcde")


async def test_is_full_when_nobody_reads() -> None:
    server = Server()
    server.writable.clear()
    outbox = Outbox(server.send)
    for number in range(MOST_WAITING_FRAMES + 1):
        outbox.put(str(number))
    with pytest.raises(Full):
        outbox.put("one too many")
    outbox.drop()
    outbox.put("forgotten")
    server.writable.set()
    await asyncio.sleep(0)
    assert server.sent == []


async def test_a_client_that_has_gone_is_no_error() -> None:
    async def gone(message: dict[str, Any]) -> None:
        raise OSError

    outbox = Outbox(gone)
    outbox.put("a")
    outbox.put("b")
    await outbox.drain()
