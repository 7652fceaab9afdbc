"""Publishing: on commit, from any thread, without waiting and without ever failing the caller."""

import asyncio
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.db import transaction

from common.live.layer import channel_layer

logger = logging.getLogger(__name__)
MOST_WAITING = 10_000


@dataclass(frozen=True)
class LiveEvent:
    """A fact screens want to hear of. Each app's `events.py` derives its own."""

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return (topic, frame) pairs: one frame for each audience."""
        raise TypeError(f"{type(self).__name__} does not say what it sends.")


def publish_on_commit(event: LiveEvent) -> None:
    """Ring the doorbell once the transaction has committed; a dead channel layer is logged, never raised."""
    transaction.on_commit(lambda: publish(event), robust=True)


def publish(event: LiveEvent) -> None:
    """Ring the doorbell now. Returns at once; the sending happens in this process's publisher thread."""
    for name, frame in event.frames():
        _publisher().put(name, orjson.dumps(frame).decode())


def flush(timeout_seconds: float = 5) -> None:
    """Wait until what was published so far has left this process."""
    _publisher().flush(timeout_seconds)


class Publisher:
    """One thread with one event loop and one connection to the channel layer, for every publishing thread of the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._queue: asyncio.Queue[tuple[str, str] | asyncio.Event] = asyncio.Queue()
        threading.Thread(target=self._run, name="live-publisher", daemon=True).start()

    def put(self, name: str, text: str) -> None:
        if self._queue.qsize() >= MOST_WAITING:
            logger.warning("live event for %s dropped: %s are waiting", name, MOST_WAITING)
            return
        self._loop.call_soon_threadsafe(self._queue.put_nowait, (name, text))

    def flush(self, timeout_seconds: float) -> None:
        async def drained() -> None:
            done = asyncio.Event()
            await self._queue.put(done)
            await done.wait()

        asyncio.run_coroutine_threadsafe(drained(), self._loop).result(timeout_seconds)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        layer = channel_layer()
        while True:
            item = await self._queue.get()
            if isinstance(item, asyncio.Event):
                item.set()
                continue
            name, text = item
            try:
                await asyncio.wait_for(layer.group_send(name, {"type": "live", "topic": name, "text": text}), 2)
            except Exception:  # whatever the layer raises, the saved row stands: the next ping's heads repair the loss
                logger.warning("live event for %s could not be sent", name, exc_info=True)


@cache
def _publisher() -> Publisher:
    return Publisher()
