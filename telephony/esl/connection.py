"""Keep one switch connected: two links (events, commands), reconnected with full jitter for as long as it runs."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from telephony.esl import commands
from telephony.esl.address import NodeAddress
from telephony.esl.commands import Command
from telephony.esl.errors import LinkLost, NotSent, SignInRefused, Unconfirmed
from telephony.esl.link import Link, LinkTimes, Reply
from telephony.esl.protocol import CommandReply, Event

log = logging.getLogger(__name__)

HEARTBEAT = "HEARTBEAT"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter: before try n wait a random time up to base * 2**n, at most the cap, in seconds.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog.
    """

    base_seconds: float = 0.2
    cap_seconds: float = 15.0
    draw: Callable[[float, float], float] = field(default=random.uniform)

    def seconds(self, attempt: int) -> float:
        """Return how long to wait before the given attempt, counted from 0."""
        return self.draw(0.0, min(self.cap_seconds, self.base_seconds * 2.0 ** min(attempt, 30)))


@dataclass(frozen=True, slots=True)
class NodeUp:
    """Both links are signed in and subscribed; what happened while disconnected was not replayed."""


@dataclass(frozen=True, slots=True)
class NodeDown:
    """A link was lost; both are closed and will be opened anew."""

    reason: str


Notice = NodeUp | NodeDown | Event


class Node:
    """One switch. A blocking `api` stalls its connection, hence events and commands travel apart."""

    def __init__(
        self,
        address: NodeAddress,
        *,
        events: Sequence[str],
        times: LinkTimes | None = None,
        backoff: Backoff | None = None,
        queue_size: int = 1000,
    ) -> None:
        self.address = address
        self._events = [HEARTBEAT, *events]
        self._times = times or LinkTimes()
        self._backoff = backoff or Backoff()
        self._queue_size = queue_size
        self._commands: Link | None = None
        self._listening: Link | None = None
        self._closing = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Say whether commands can be sent now."""
        return self._commands is not None

    async def send(self, command: Command, *, timeout_seconds: float | None = None) -> Reply:
        """Send a command and return its reply; raises NotSent or Unconfirmed."""
        if self._commands is None:
            raise NotSent(f"{self.address.name} is not connected")
        return await self._commands.send(command, timeout_seconds=timeout_seconds)

    async def close(self) -> None:
        """Close both links; `notices` yields what had arrived, and ends."""
        self._closing.set()
        for link in (self._commands, self._listening):
            if link is not None:
                await link.close()

    async def notices(self) -> AsyncGenerator[Notice, None]:
        """Yield what happens on this switch, in order, until `close`; reconnects by itself.

        The consumer sets the pace: while it works, at most `queue_size` events wait here and the rest at the switch.
        """
        attempt = 0
        while not self._closing.is_set():
            try:
                async with self._connected() as link:
                    yield NodeUp()
                    async for event in self._until_lost(link):
                        # Only a link that carried something counts as recovered: one that flaps is not hammered.
                        attempt = 0
                        yield event
            except (LinkLost, SignInRefused) as error:
                log.warning("%s: %s", self.address.name, error)
                yield NodeDown(reason=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._backoff.seconds(attempt))
            attempt += 1

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Link]:
        events = self._listening = await self._open(self._events)
        try:
            # The commands link hears heartbeats too: its watchdog notices silence the same way.
            self._commands = await self._open([HEARTBEAT])
            try:
                yield events
            finally:
                link, self._commands = self._commands, None
                await link.close()
        finally:
            self._listening = None
            await events.close()

    async def _open(self, events: Sequence[str]) -> Link:
        link = await Link.open(self.address, times=self._times, queue_size=self._queue_size)
        try:
            reply = await link.send(commands.subscribe(events))
            if not isinstance(reply, CommandReply) or not reply.is_ok:
                raise SignInRefused(f"{self.address.name} refused the subscription")
        except (NotSent, Unconfirmed) as error:
            await link.close()
            raise LinkLost(f"{self.address.name} did not confirm the subscription") from error
        except BaseException:
            await link.close()
            raise
        return link

    async def _until_lost(self, events: Link) -> AsyncIterator[Event]:
        """Yield events until a link is lost and what it had delivered is used up, then raise LinkLost."""
        assert self._commands is not None
        ends = [asyncio.create_task(events.lost()), asyncio.create_task(self._commands.lost())]
        heartbeats = asyncio.create_task(_discard(self._commands))
        try:
            while not any(end.done() for end in ends):
                while not events.events.empty():
                    yield events.events.get_nowait()
                following = asyncio.create_task(events.events.get())
                await asyncio.wait([following, *ends], return_when=asyncio.FIRST_COMPLETED)
                if not following.cancel():
                    yield following.result()
            while not events.events.empty():
                yield events.events.get_nowait()
            raise next(end for end in ends if end.done()).result()
        finally:
            for task in (*ends, heartbeats):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def _discard(link: Link) -> None:
    while True:
        await link.events.get()
