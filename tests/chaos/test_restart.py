"""A real server that is told to stop says so to its sockets first."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from irisx.local.ports import free_port
from tests import factories
from tests.chaos.theatre import Part, web_process
from tests.chat.conftest import Chat, start_chat

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def chat(committed_db: None) -> Chat:
    return start_chat(factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona"))


@pytest.fixture
def web(committed_db: None, tmp_path: Path) -> Iterator[tuple[Part, int]]:
    """A server of this process's database and Valkey."""
    port = free_port()
    part = web_process("irisx.asgi:application", port=port, log=tmp_path / "web.log")
    part.start()
    yield part, port
    part.stop()


async def test_every_socket_is_told_to_come_back_later(chat: Chat, web: tuple[Part, int]) -> None:
    part, port = web
    address = f"ws://127.0.0.1:{port}/ws/v1/visitor"
    async with connect(address) as one, connect(address) as two:
        for socket in (one, two):
            await socket.send(json.dumps({"v": 1, "type": "auth", "visitor_token": chat.visitor_token}))
            assert json.loads(await socket.recv())["type"] == "ready"
        assert part.process is not None
        part.process.send_signal(signal.SIGTERM)
        for socket in (one, two):
            assert json.loads(await socket.recv()) == {"v": 1, "type": "restart", "retry_after_seconds": 30}
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1012
    assert await asyncio.to_thread(part.process.wait, 20) in {0, -signal.SIGTERM}
