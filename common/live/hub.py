"""The receiving side: this process joins the channel layer once per topic and hands each frame to its own sockets."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from uuid import uuid4
from weakref import WeakKeyDictionary

from redis import RedisError

from common.live.layer import channel_layer

logger = logging.getLogger(__name__)
Deliver = Callable[[str], None]
CONFIRMATION_SECONDS = 3


class Hub:
    """Topics and their local listeners, in one event loop. A listener takes an encoded frame and never blocks."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Deliver]] = defaultdict(set)
        self._joined: dict[str, asyncio.Task[None]] = {}
        self._probes: dict[str, asyncio.Event] = {}
        self._channel: asyncio.Future[str] | None = None
        self._receiver: asyncio.Task[None] | None = None

    async def subscribe(self, topic: str, deliver: Deliver) -> None:
        """Hand every later frame of `topic` to `deliver`. Returns once the channel layer has confirmed the subscription.

        Read the head only after this: what commits later is heard.
        """
        self._listeners[topic].add(deliver)
        if topic not in self._joined:
            self._joined[topic] = asyncio.ensure_future(self._join(topic))
        try:
            await asyncio.shield(self._joined[topic])
        except (RedisError, OSError, TimeoutError):
            # Valkey is away: the ping's heads catch what this topic misses. The next subscriber tries again.
            self._joined.pop(topic, None)
            logger.warning("topic %s could not be joined", topic, exc_info=True)

    async def unsubscribe(self, topic: str, deliver: Deliver) -> None:
        """Hand it no more; the last listener leaves the topic."""
        self._listeners[topic].discard(deliver)
        if self._listeners[topic]:
            return
        del self._listeners[topic]
        if self._joined.pop(topic, None) and self._channel is not None:
            try:
                await channel_layer().group_discard(topic, await self._channel)
            except (RedisError, OSError):
                logger.warning("topic %s could not be left", topic, exc_info=True)

    async def _join(self, topic: str) -> None:
        layer, channel = channel_layer(), await self._own_channel()
        await layer.group_add(topic, channel)
        # The layer does not wait for the server's confirmation: our own probe coming back is one.
        probe, heard = uuid4().hex, asyncio.Event()
        self._probes[probe] = heard
        try:
            async with asyncio.timeout(CONFIRMATION_SECONDS):
                while not heard.is_set():
                    await layer.group_send(topic, {"type": "probe", "probe": probe})
                    try:
                        await asyncio.wait_for(heard.wait(), 0.2)
                    except TimeoutError:
                        continue
        finally:
            del self._probes[probe]

    async def _own_channel(self) -> str:
        if self._channel is None:
            self._channel = asyncio.ensure_future(channel_layer().new_channel())
        try:
            channel = await asyncio.shield(self._channel)
        except (RedisError, OSError):
            self._channel = None
            raise
        if self._receiver is None or self._receiver.done():
            self._receiver = asyncio.ensure_future(self._receive_for_ever(channel))
        return channel

    async def _receive_for_ever(self, channel: str) -> None:
        layer = channel_layer()
        while True:
            message = await layer.receive(channel)
            if message["type"] == "probe":
                if probe := self._probes.get(message["probe"]):
                    probe.set()
                continue
            for deliver in tuple(self._listeners.get(message["topic"], ())):
                deliver(message["text"])


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
