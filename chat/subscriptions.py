"""A socket's topics. While it catches up, live frames are held back; then they follow in order."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from common.live.hub import hub

MOST_HELD: Final = 500


class Subscriptions:
    """The topics one socket listens to."""

    __slots__ = ("_deliver", "_holds", "_topics", "_waiting")

    def __init__(self, deliver: Callable[[str], None]) -> None:
        self._deliver = deliver
        self._topics: set[str] = set()
        self._holds = 0
        self._waiting: list[str] | None = None

    async def join(self, *topics: str) -> None:
        """Hear these topics' frames as they come. A repeat changes nothing."""
        fresh = [topic for topic in topics if topic not in self._topics]
        self._topics.update(fresh)
        if len(fresh) == 1:
            await hub().subscribe(fresh[0], self._hear)
        elif fresh:
            await asyncio.gather(*(hub().subscribe(topic, self._hear) for topic in fresh))

    async def leave(self, topics: Iterable[str]) -> None:
        """Hear them no more."""
        for topic in tuple(topics):
            if topic in self._topics:
                self._topics.discard(topic)
                await hub().unsubscribe(topic, self._hear)

    async def leave_all(self) -> None:
        """Hear nothing more."""
        await self.leave(self._topics)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold live frames back during the block, then pass them on."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds:
                self._release()

    def _hear(self, text: str) -> None:
        if not self._holds:
            self._deliver(text)
            return
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(text)
        if len(self._waiting) > MOST_HELD:
            self._release()  # early frames are gaps to the client, which knows what to do; endless waiting would be worse

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, None
        for text in waiting or ():
            self._deliver(text)
