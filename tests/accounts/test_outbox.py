"""What leaves a socket by the server's own transport."""

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from accounts.sockets.outbox import Full, Outbox
from common.wire import websocket_frame


async def _never(message: object) -> None:
    raise AssertionError("With a transport of its own nothing goes through ASGI.")


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 70_000])
def test_frames_are_what_a_websocket_client_reads(size: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    text = "ü" + "a" * (size - 2) if size > 1 else "a"
    client.receive_data(websocket_frame(text))
    parts = [event for event in client.events() if isinstance(event, TextMessage)]
    assert "".join(part.data for part in parts) == text
    assert parts[-1].message_finished


def test_writes_each_frame_at_once_and_in_order() -> None:
    written: list[bytes] = []
    outbox = Outbox(_never, lambda frame: written.append(frame) is None)
    outbox.put("one")
    outbox.put("two")
    assert written == [b"\x81\x03one", b"\x81\x03two"]


def test_refuses_when_the_server_says_that_too_much_waits() -> None:
    outbox = Outbox(_never, lambda frame: False)
    with pytest.raises(Full):
        outbox.put("one")


def test_sends_nothing_after_it_was_dropped() -> None:
    written: list[bytes] = []
    outbox = Outbox(_never, lambda frame: written.append(frame) is None)
    outbox.drop()
    outbox.put("one")
    assert written == []
