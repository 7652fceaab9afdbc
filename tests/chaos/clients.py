"""Clients written from docs/guides/websocket.md alone: a log per conversation, an outbox, cursors, heads."""

import asyncio
import json
import random
import urllib.request
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

Frame = dict[str, Any]
ACK_SECONDS = 3
LONGEST_PAUSE_SECONDS = 1.0


@dataclass
class Client:
    """One tab: `ports` are the processes behind the same address, `auth` returns a fresh auth frame's fields."""

    name: str
    path: str
    ports: list[int]
    auth: Callable[[], Frame]
    token: str
    conversations: list[str]
    clock_minutes: float = 0.0
    logs: dict[str, list[Frame]] = field(default_factory=dict)
    outbox: deque[tuple[str, str, str]] = field(default_factory=deque)
    acknowledged: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    closes: list[int] = field(default_factory=list)
    refusals: list[Frame] = field(default_factory=list)
    is_stopped: bool = False
    _acks: dict[str, asyncio.Future[Frame]] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _written: asyncio.Event = field(default_factory=asyncio.Event)
    _socket: ClientConnection | None = None

    def __post_init__(self) -> None:
        self.logs = {id: [] for id in self.conversations}

    def write(self, conversation_id: str, client_message_id: str, text: str) -> None:
        self.outbox.append((conversation_id, client_message_id, text))
        self._written.set()

    # --- the connection ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be connected, again and again, until stopped."""
        sender = asyncio.create_task(self._send_for_ever())
        try:
            while not self.is_stopped:
                with suppress(OSError, TimeoutError, WebSocketException, InvalidHandshake):
                    await self._connect()
                await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
        finally:
            sender.cancel()

    async def stop(self) -> None:
        self.is_stopped = True
        if self._socket is not None:
            await self._socket.close()

    async def _connect(self) -> None:
        address = f"ws://127.0.0.1:{random.choice(self.ports)}/ws/v1/{self.path}"
        async with connect(address, open_timeout=3, compression=None) as socket:
            self._socket, self._asked = socket, set()
            cursors = {id: len(log) for id, log in self.logs.items()}
            await self._send("auth", cursors=cursors, **self.auth())
            try:
                async for text in socket:
                    await self._hear(json.loads(text))
            finally:
                self._ready.clear()
                self.closes.append(socket.close_code or 1006)

    async def _send(self, type: str, **fields: Any) -> None:
        # A client's own clock is wrong, and nobody reads what it says.
        wrong = (datetime.now(tz=UTC) + timedelta(minutes=self.clock_minutes)).isoformat()
        assert self._socket is not None
        await self._socket.send(json.dumps({"v": 1, "type": type, "created_at": wrong, "now": wrong, **fields}))

    # --- what comes in -----------------------------------------------------------------------------------------------

    async def _hear(self, frame: Frame) -> None:
        match frame["type"]:
            case "ready":
                self.connections += 1
                self._ready.set()
                await self._compare(frame["heads"])
            case "event":
                await self._apply(frame["conversation_id"], frame)
            case "events":
                self._asked.discard(frame["conversation_id"])
                for entry in frame["events"]:
                    await self._apply(frame["conversation_id"], entry)
                await self._compare({frame["conversation_id"]: frame["head"]})
            case "reset":
                self._asked.discard(frame["conversation_id"])
                await self._load(frame["conversation_id"])
            case "ping":
                await self._send("pong")
                await self._compare(frame.get("heads", {}))
            case "ack" | "problem":
                self._settle(frame)

    async def _apply(self, id: str, entry: Frame) -> None:
        log = self.logs.setdefault(id, [])
        if entry["seq"] == len(log) + 1:
            log.append(entry["event"])
        elif entry["seq"] > len(log):
            await self._ask(id)

    async def _compare(self, heads: dict[str, int]) -> None:
        for id, head in heads.items():
            if head > len(self.logs.setdefault(id, [])):
                await self._ask(id)

    async def _ask(self, id: str) -> None:
        if id not in self._asked:
            self._asked.add(id)
            await self._send("events.get", id=f"get-{id}", conversation_id=id, after_seq=len(self.logs[id]))

    async def _load(self, id: str) -> None:
        """Load the log over HTTP, page by page."""
        self.logs[id] = []
        while page := await asyncio.to_thread(self._page, id, len(self.logs[id])):
            for entry in page:
                await self._apply(id, entry)

    def _page(self, id: str, after: int) -> list[Frame]:
        address = f"http://127.0.0.1:{random.choice(self.ports)}/v1/chat/conversation/{id}/events?after_seq={after}"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own address
            return list(json.load(answer)["events"])

    # --- what goes out -----------------------------------------------------------------------------------------------

    def _settle(self, frame: Frame) -> None:
        # A sign-in may be refused: a FLUSHALL forgets tickets too. The next connection brings a new one.
        is_answer = frame.get("id", "") in self._acks
        if is_answer and frame["type"] == "problem" and frame["problem"]["status"] not in {429, 503}:
            self.refusals.append(frame)
        self._asked.discard(str(frame.get("id", "")).removeprefix("get-"))  # refused: the next ping asks again
        if (waiting := self._acks.get(frame.get("id", ""))) and not waiting.done():
            waiting.set_result(frame)

    async def _send_for_ever(self) -> None:
        while True:
            await self._ready.wait()
            if not self.outbox:
                self._written.clear()
                await self._written.wait()
                continue
            with suppress(OSError, TimeoutError, WebSocketException):
                await self._send_first()
            await asyncio.sleep(0)

    async def _send_first(self) -> None:
        conversation_id, client_message_id, text = self.outbox[0]
        answer = self._acks[client_message_id] = asyncio.get_running_loop().create_future()
        await self._send(
            "message.send",
            id=client_message_id,
            conversation_id=conversation_id,
            client_message_id=client_message_id,
            text=text,
        )
        frame = await asyncio.wait_for(answer, ACK_SECONDS)
        if frame["type"] == "ack":
            self.acknowledged[client_message_id] = frame["seq"]
            self.outbox.popleft()
            await self._apply(conversation_id, frame)
        else:
            await asyncio.sleep(random.uniform(0.1, 0.5))
