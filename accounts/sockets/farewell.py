"""Before the server stops, every socket is told to come back: `restart`, then close 1012.

uvicorn closes its connections as soon as its own handler of SIGTERM has run. Ours stands before it: it says goodbye, then hands
the signal on. A second signal goes straight through.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from accounts.sockets.pulse import registry
from common.live import flush

logger = logging.getLogger(__name__)
FAREWELL_SECONDS = 3
SIGNALS = (signal.SIGTERM, signal.SIGINT)
Handler = Callable[[int, FrameType | None], Any]


async def lifespan(
    scope: Any, receive: Callable[[], Awaitable[dict[str, Any]]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """Serve ASGI's lifespan protocol."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _stand_before_the_server()
            await send({"type": "lifespan.startup.complete"})
        else:
            await asyncio.to_thread(_send_what_waits)
            await send({"type": "lifespan.shutdown.complete"})
            return


def _stand_before_the_server() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler):
            _Farewell(asyncio.get_running_loop(), handler).install(number)


class _Farewell:
    """Says goodbye to the sockets of a loop, then calls the server's own handler."""

    def __init__(self, loop: asyncio.AbstractEventLoop, then: Handler) -> None:
        self._loop, self._then = loop, then
        self._is_begun = False
        self._task: asyncio.Task[None] | None = None

    def install(self, number: int) -> None:
        signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_begun:
            self._then(number, frame)
            return
        self._is_begun = True
        self._loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        self._task = asyncio.ensure_future(self._say(number))

    async def _say(self, number: int) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await registry().send_away()
        except Exception:  # whatever happens, the server must stop
            logger.warning("not every socket could be told of the restart", exc_info=True)
        finally:
            self._then(number, None)


def _send_what_waits() -> None:
    try:
        flush(2)
    except Exception:  # Valkey is away: the next ping's heads repair the loss
        logger.warning("not every live event could be sent before the stop", exc_info=True)
