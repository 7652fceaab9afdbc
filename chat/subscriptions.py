"""A socket's topics. While it catches up, live frames of that topic are held back; then they follow in order."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from common.live.hub import hub


class Subscriptions:
    """The topics one socket listens to."""

    def __init__(self, deliver: Callable[[str], None]) -> None:
        self._deliver = deliver
        self._listeners: dict[str, Callable[[str], None]] = {}

    async def join(self, topic: str) -> None:
        """Hear a topic's frames as they come. A repeat changes nothing."""
        if topic not in self._listeners:
            self._listeners[topic] = self._deliver
            await hub().subscribe(topic, self._deliver)

    @asynccontextmanager
    async def held_back(self, topic: str) -> AsyncIterator[None]:
        """Join a topic, hold its frames back during the block, then pass them on. Left again when the block fails."""
        if topic in self._listeners:
            yield
            return
        waiting: list[str] | None = []

        def deliver(text: str) -> None:
            if waiting is None:
                self._deliver(text)
            else:
                waiting.append(text)

        self._listeners[topic] = deliver
        await hub().subscribe(topic, deliver)
        try:
            yield
        except BaseException:
            await self.leave(topic)
            raise
        held, waiting = waiting, None
        for text in held or ():
            self._deliver(text)

    async def leave(self, topic: str) -> None:
        """Hear it no more."""
        if listener := self._listeners.pop(topic, None):
            await hub().unsubscribe(topic, listener)

    async def leave_all(self) -> None:
        """Hear nothing more."""
        for topic in list(self._listeners):
            await self.leave(topic)
