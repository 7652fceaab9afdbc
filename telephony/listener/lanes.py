"""Work in parallel, in order per call: each leg's events go through one lane."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


class Lanes(Generic[T]):
    """A few bounded queues, each worked by one task; the same leg always takes the same lane."""

    def __init__(self, work: Callable[[T], Awaitable[None]], *, count: int = 4, length: int = 200) -> None:
        self._work = work
        self._queues: list[asyncio.Queue[T]] = [asyncio.Queue(maxsize=length) for _ in range(count)]

    async def put(self, leg_id: UUID, item: T) -> None:
        """Hand over an item; waits while the lane is full."""
        await self._queues[leg_id.int % len(self._queues)].put(item)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            for queue in self._queues:
                group.create_task(self._serve(queue))

    async def idle(self) -> None:
        """Wait until everything handed over has been worked."""
        for queue in self._queues:
            await queue.join()

    async def _serve(self, queue: asyncio.Queue[T]) -> None:
        while True:
            item = await queue.get()
            try:
                await self._work(item)
            finally:
                queue.task_done()
