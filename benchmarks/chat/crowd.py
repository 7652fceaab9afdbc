"""A crowd of sockets at one server, and what it hears."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from benchmarks.chat.contestants import Contestant
from benchmarks.chat.stage import Stage, agent_tickets
from benchmarks.chat.websocket import Socket, connect

PARALLEL_CONNECTS = 50
MARK = b"@"
_ids = count(1)


@dataclass
class Crowd:
    """Visitors, each in its conversation, and agents who follow them. Times are monotonic nanoseconds."""

    contestant: Contestant
    stage: Stage
    visitors: list[Socket] = field(default_factory=list)
    agents: list[Socket] = field(default_factory=list)
    sent: dict[bytes, int] = field(default_factory=dict)
    heard: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    answered: dict[bytes, int] = field(default_factory=dict)
    frames: int = 0

    async def gather(self, *, visitors: int, agents: int, tabs_of_one_visitor: bool = False) -> float:
        """Connect and sign everybody in; return the seconds until the last was ready."""
        stage = self.stage
        began = time.perf_counter()
        share = max(1, -(-visitors // agents)) if agents else 0
        for start in range(0, agents, PARALLEL_CONNECTS):
            tickets = agent_tickets(stage, min(PARALLEL_CONNECTS, agents - start))
            self.agents += await asyncio.gather(
                *(
                    self._join(False, {"ticket": ticket}, self._followed(start + n, share, visitors))
                    for n, ticket in enumerate(tickets)
                )
            )
        wanted = [0 if tabs_of_one_visitor else n for n in range(visitors)]
        gate = asyncio.Semaphore(PARALLEL_CONNECTS)

        async def one(n: int) -> Socket:
            async with gate:
                return await self._join(True, {"visitor_token": stage.visitor_tokens[n]}, [stage.conversations[n]])

        self.visitors += await asyncio.gather(*(one(n) for n in wanted))
        return time.perf_counter() - began

    def _followed(self, agent: int, share: int, visitors: int) -> list[str]:
        return self.stage.conversations[agent * share : min(visitors, (agent + 1) * share)]

    async def _join(self, is_visitor: bool, credentials: dict[str, str], rooms: list[str]) -> Socket:
        dialect = self.contestant.dialect
        path = dialect.path_visitor if is_visitor else dialect.path_agent
        socket = await connect(self.contestant.port, path, self._on_text)
        dialect.sign_in(socket, credentials=dict(credentials), rooms=rooms)
        await asyncio.wait_for(socket.ready, 60)
        return socket

    def _on_text(self, socket: Socket, text: bytes) -> None:
        now = time.monotonic_ns()
        self.frames += 1
        dialect = self.contestant.dialect
        if dialect.is_event in text[:400] and (at := text.find(MARK)) >= 0:
            self.heard[text[at : at + 13]].append(now)
        elif dialect.is_answer in text[:60]:
            if (at := text.find(b'"id":"m')) >= 0:
                self.answered[b"@" + text[at + 7 : at + 19]] = now
        elif not dialect.on_text(socket, text) and dialect.is_ready in text[:60] and not socket.ready.done():
            socket.ready.set_result(text)

    def send(self, socket: Socket, conversation: str, *, inbox: bool = True) -> bytes:
        """Send one message, its mark being id and text; return the mark."""
        mark = f"@{next(_ids):012d}"
        key = mark.encode()
        self.sent[key] = time.monotonic_ns()
        text = f"{mark} A message of usual length."
        self.contestant.dialect.send(socket, conversation=conversation, id=f"m{mark[1:]}", text=text, inbox=inbox)
        return key

    async def until(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Wait until `is_done()`; False when it took longer."""
        deadline = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.001)
        return True

    async def disperse(self) -> None:
        """Close every socket."""
        for socket in (*self.visitors, *self.agents):
            socket.close()
        await asyncio.gather(*(socket.closed for socket in (*self.visitors, *self.agents)))
        self.visitors.clear()
        self.agents.clear()
