"""The doorbell outlives Valkey: a lost connection, a restart, a FLUSHALL. Topics are joined anew, and whoever asked is told."""

import asyncio
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async

from common.live import hub as hubs
from common.live import topic
from common.live.hub import Hub
from common.live.layer import Layer
from irisx.local.ports import free_port
from irisx.local.processes import spawn
from irisx.local.servers import server_environment, valkey_in
from irisx.local.valkey import Valkey
from tests.local.waiting import eventually, eventually_async


class Server:
    """A Valkey of the test's own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.valkey: Valkey = valkey_in(home, port=free_port(), password=secrets.token_hex(8), is_durable=False)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = self.valkey.program(environment=server_environment(self._home))
        self._process = spawn(program, output=subprocess.DEVNULL)
        assert eventually(self.valkey.is_ready)

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.valkey.url)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    layer = Layer([server.valkey.url], prefix="irisx")
    monkeypatch.setattr(hubs, "channel_layer", lambda: layer)
    yield server
    server.kill()


class Ear:
    """A hub with one listener, and how often it was told of a recovery."""

    def __init__(self, topics: int = 1) -> None:
        self.hub, self.heard, self.recoveries = Hub(), [""], 0
        self.topics = [topic(uuid4(), "test", audience="agents") for _ in range(topics)]
        self.hub.on_recovery(self._told)

    def _told(self) -> None:
        self.recoveries += 1

    async def listen(self) -> None:
        for name in self.topics:
            await self.hub.subscribe(name, self.heard.append)

    async def hears(self, text: str, name: str = "") -> bool:
        to = name or self.topics[0]
        await hubs.channel_layer().group_send(to, {"type": "live", "topic": to, "text": text})
        return await eventually_async(lambda: text in self.heard, seconds=3)


@pytest.fixture
async def ear(server: Server) -> Ear:
    ear = Ear(topics=3)
    await ear.listen()
    assert await ear.hears("before")
    return ear


async def test_a_lost_connection_is_noticed_at_once(server: Server, ear: Ear) -> None:
    with server.client() as client:
        client.client_kill_filter(_type="pubsub")
    assert await eventually_async(lambda: ear.recoveries == 1, seconds=5)
    for number, name in enumerate(ear.topics):
        assert await ear.hears(f"after {number}", name)


async def test_a_restart_is_outlived(server: Server, ear: Ear) -> None:
    await sync_to_async(server.kill)()
    await sync_to_async(server.start)()
    assert await eventually_async(lambda: ear.recoveries > 0, seconds=15)
    for number, name in enumerate(ear.topics):
        assert await ear.hears(f"after {number}", name)


async def test_who_subscribes_while_valkey_is_away_hears_later(server: Server, ear: Ear) -> None:
    await sync_to_async(server.kill)()
    late = topic(uuid4(), "test", audience="agents")
    async with asyncio.timeout(5):
        await ear.hub.subscribe(late, ear.heard.append)
    await sync_to_async(server.start)()
    assert await eventually_async(lambda: ear.recoveries > 0, seconds=15)
    assert await ear.hears("late", late)


async def test_a_flush_changes_nothing(server: Server, ear: Ear) -> None:
    with server.client() as client:
        client.flushall()
    assert await ear.hears("after")
    assert ear.recoveries == 0


async def test_a_message_nobody_can_read_silences_nobody(server: Server, ear: Ear) -> None:
    await hubs.channel_layer().group_send(ear.topics[0], {"type": "live"})
    await hubs.channel_layer().group_send(ear.topics[0], {"type": "probe"})
    assert await ear.hears("after")


async def test_one_listeners_trouble_is_not_the_others(server: Server, ear: Ear) -> None:
    def fail(text: str) -> None:
        raise RuntimeError(text)

    await ear.hub.subscribe(ear.topics[0], fail)
    assert await ear.hears("after")
