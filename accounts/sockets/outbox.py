"""What waits to be sent to one client: nothing while it keeps up, 500 frames or a MiB at most when it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final

from common.wire import websocket_frame

Write = Callable[[bytes], bool]
Send = Callable[[dict[str, Any]], Awaitable[None]]
MOST_WAITING_FRAMES: Final = 500


class Full(Exception):
    """The client does not read what it is sent."""


class Outbox:
    """Writes at once, in the caller's own step, while the transport takes it; otherwise one task writes what waits, in order.

    With `write` (DIRECT) nothing waits here: the server's own buffer is the outbox.
    """

    __slots__ = ("_is_broken", "_send", "_waiting", "_write_now", "_writer")

    def __init__(self, send: Send, write: Write | None = None) -> None:
        self._send = send
        self._write_now = write
        self._waiting: deque[str] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._is_broken = False

    def put(self, text: str) -> None:
        """Send a frame after those put before it; raise Full when too many wait."""
        if self._is_broken:
            return
        if self._write_now is not None:
            if not self._write_now(websocket_frame(text)):
                raise Full
        elif self._waiting is None:
            self._write(text)
        elif len(self._waiting) >= MOST_WAITING_FRAMES:
            raise Full
        else:
            self._waiting.append(text)

    async def drain(self) -> None:
        """Wait until everything is written."""
        while self._writer is not None:
            await asyncio.shield(self._writer)

    def drop(self) -> None:
        """Forget what waits and send nothing more."""
        self._is_broken = True
        if self._writer is not None:
            self._writer.cancel()

    def _write(self, text: str) -> None:
        # A server's `send` seldom has to wait: its first step is then its last, and no task is made for it.
        step = self._send({"type": "websocket.send", "text": text}).__await__()
        try:
            pending = next(step)
        except StopIteration:
            return
        except OSError:  # the client has gone: its disconnect follows
            self._is_broken = True
            return
        self._waiting = deque()
        self._writer = asyncio.ensure_future(self._write_on(_Rest(step, pending)))

    async def _write_on(self, first: "_Rest") -> None:
        try:
            await first
            while self._waiting:
                await self._send({"type": "websocket.send", "text": self._waiting.popleft()})
        except OSError:
            self._is_broken = True
        finally:
            self._waiting = self._writer = None


class _Rest:
    """What is left of an awaitable whose first step was taken: it waits for `pending`."""

    __slots__ = ("_pending", "_step")

    def __init__(self, step: Generator[Any, None, Any], pending: Any) -> None:
        self._step, self._pending = step, pending

    def __await__(self) -> Generator[Any, None, None]:
        yield self._pending
        yield from self._step
