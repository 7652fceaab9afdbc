"""Channels' layer, as configured: channels_redis' publish/subscribe, made to say when it connects."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 2


class Layer(RedisPubSubChannelLayer):  # type: ignore[misc] # channels_redis has no types
    """One retry and no pause between: the layer holds a lock meanwhile. `on_connect` tells of each new connection."""

    def __init__(self, hosts: Sequence[str], **options: Any) -> None:
        self._told: WeakKeyDictionary[asyncio.AbstractEventLoop, Callable[[], None]] = WeakKeyDictionary()
        shared = {
            "redis_connect_func": self._connected,
            "retry": Retry(NoBackoff(), 1),
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_keepalive": True,
        }
        super().__init__(hosts=[{"address": address, **shared} for address in hosts], **options)

    def on_connect(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever this event loop's part of the layer has connected to Valkey."""
        self._told[asyncio.get_running_loop()] = tell

    async def reset(self) -> None:
        """Close this event loop's connections and forget its topics, whatever state they are in."""
        layer = self._get_layer()
        flushing = asyncio.ensure_future(layer.flush())
        while not (await asyncio.wait([flushing], timeout=0.2))[0]:
            # A receiver that is just connecting again swallows its cancellation, and the flush waits for its end.
            for shard in layer._shards:
                if shard._receive_task is not None:
                    shard._receive_task.cancel()
        await flushing

    async def _connected(self, connection: Connection) -> None:
        await connection.on_connect()
        if tell := self._told.get(asyncio.get_running_loop()):
            tell()


def channel_layer() -> Layer:
    """Return the configured channel layer."""
    layer = get_channel_layer()
    if not isinstance(layer, Layer):
        raise RuntimeError("CHANNEL_LAYERS' default must be common.live.layer.Layer.")
    return layer
