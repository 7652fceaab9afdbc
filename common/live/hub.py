"""The receiving side: this process joins the channel layer once per topic and hands each frame to its own sockets.

Publish/subscribe forgets what passes while nobody listens. The hub notices every loss of its connection (the layer tells of a new
one, and a probe of its own goes round every few seconds), joins every topic anew, confirmed, and then says so to those who must
look for what was lost (`on_recovery`).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from redis import RedisError

from common.live.layer import channel_layer

logger = logging.getLogger(__name__)
Deliver = Callable[[str], None]
CONFIRMATION_SECONDS = 3
PROBE_SECONDS = 3
RETRY_SECONDS = 0.5
CONNECTIONS = 2  # one listens, one publishes our probes; a third means that one of them was lost
# RuntimeError: the layer was flushed between two of our steps; AttributeError: so was the connection under redis-py.
FAILURES = (RedisError, OSError, TimeoutError, RuntimeError, AttributeError)


class Hub:
    """Topics and their local listeners, in one event loop. A listener takes an encoded frame and never blocks."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Deliver]] = {}
        self._joined: set[str] = set()
        self._joining: dict[str, asyncio.Task[None]] = {}
        self._probes: dict[str, asyncio.Event] = {}
        self._recoveries: list[Callable[[], None]] = []
        self._own_topic = f"hub.{uuid4().hex}"
        self._channel: str | None = None
        self._opening = asyncio.Lock()
        self._connects = 0
        self._is_lost = False
        self._woken = asyncio.Event()
        self._receiver: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None

    def on_recovery(self, tell: Callable[[], None]) -> None:
        """Call `tell` each time the doorbell works again after a loss, every topic joined."""
        self._recoveries.append(tell)

    async def subscribe(self, topic: str, deliver: Deliver) -> None:
        """Hand every later frame of `topic` to `deliver`. Returns once the channel layer has confirmed the subscription.

        Read the head only after this: what commits later is heard. While Valkey is away it returns at once; the topic is
        joined when it is back.
        """
        self._listeners.setdefault(topic, set()).add(deliver)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch_for_ever())
        if topic in self._joined or self._is_lost:
            return
        if topic not in self._joining:
            self._joining[topic] = asyncio.create_task(self._join(topic))
        try:
            await asyncio.shield(self._joining[topic])
        except FAILURES:
            logger.warning("topic %s could not be joined", topic, exc_info=True)
            self._lose()

    async def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Hand it no more; the last listener leaves the topic."""
        listeners = self._listeners.get(topic, set())
        listeners.discard(deliver)
        if listeners:
            return
        self._listeners.pop(topic, None)
        if topic in self._joined:
            await self._leave(topic)

    async def _join(self, topic: str) -> None:
        try:
            channel = await self._open()
            await channel_layer().group_add(topic, channel)
            await self._confirm(topic)
        finally:
            del self._joining[topic]
        self._joined.add(topic)
        if topic not in self._listeners:
            await self._leave(topic)

    async def _leave(self, topic: str) -> None:
        self._joined.discard(topic)
        if self._channel is None:
            return
        try:
            await channel_layer().group_discard(topic, self._channel)
        except FAILURES:
            logger.warning("topic %s could not be left", topic, exc_info=True)

    async def _confirm(self, topic: str) -> None:
        """Wait until our own probe comes back: the layer does not wait for the server's confirmation itself."""
        probe, heard = uuid4().hex, asyncio.Event()
        self._probes[probe] = heard
        try:
            async with asyncio.timeout(CONFIRMATION_SECONDS):
                while not heard.is_set():
                    await channel_layer().group_send(topic, {"type": "probe", "probe": probe})
                    try:
                        await asyncio.wait_for(heard.wait(), 0.2)
                    except TimeoutError:
                        continue
        finally:
            del self._probes[probe]

    async def _open(self) -> str:
        async with self._opening:
            if self._channel is None:
                layer = channel_layer()
                layer.on_connect(self._note_connection)
                channel: str = await layer.new_channel()
                await layer.group_add(self._own_topic, channel)
                self._receiver = asyncio.create_task(self._receive_for_ever(channel))
                self._channel = channel
            return self._channel

    # --- losing the connection and finding it again --------------------------------------------------------------------

    def _note_connection(self) -> None:
        self._connects += 1
        if self._connects > CONNECTIONS:
            self._lose()

    def _lose(self) -> None:
        self._is_lost = True
        self._woken.set()

    async def _watch_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), PROBE_SECONDS)
            self._woken.clear()
            try:
                if not self._is_lost and self._channel is not None:
                    await self._confirm(self._own_topic)
                while self._is_lost:
                    await self._recover()
            except Exception as error:  # whatever the layer raises: this watch is what repairs it
                logger.warning("the doorbell is out of order (%s); joining again", str(error) or type(error).__name__)
                self._is_lost = True
                await asyncio.sleep(RETRY_SECONDS)
                self._woken.set()

    async def _recover(self) -> None:
        """Close what is left of the old connections, join every topic over new ones, tell those who asked."""
        self._is_lost = False
        self._joined.clear()
        async with self._opening:
            self._channel = None
            await channel_layer().reset()
            if self._receiver is not None:
                self._receiver.cancel()  # after that, or it would leave its channel over the connection just lost
            self._connects = 0
        channel = await self._open()
        for topic in tuple(self._listeners):
            await channel_layer().group_add(topic, channel)
            self._joined.add(topic)
        # The server takes the subscriptions of one connection in order: the last one confirmed, all are.
        last = f"{self._own_topic}.{uuid4().hex[:8]}"
        await channel_layer().group_add(last, channel)
        await self._confirm(last)
        await channel_layer().group_discard(last, channel)
        self._joined.intersection_update(self._listeners)
        if not self._is_lost:
            logger.info("the doorbell works again: %s topics joined", len(self._joined))
            for tell in self._recoveries:
                tell()

    async def _receive_for_ever(self, channel: str) -> None:
        while True:
            try:
                self._hand_out(await channel_layer().receive(channel))
            except Exception:  # a message nobody can read must not silence the process
                logger.exception("a live message could not be handed out")
                await asyncio.sleep(0.01)

    def _hand_out(self, message: dict[str, Any]) -> None:
        if message["type"] == "probe":
            if probe := self._probes.get(message["probe"]):
                probe.set()
            return
        for deliver in tuple(self._listeners.get(message["topic"], ())):
            try:
                deliver(message["text"])
            except Exception:  # one listener's trouble is not the others'
                logger.exception("a listener of %s failed", message["topic"])


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
