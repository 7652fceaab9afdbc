"""Wait for what other processes do, with a deadline instead of a guess."""

import asyncio
import time
from collections.abc import Callable

SECONDS = 15.0


def eventually(predicate: Callable[[], object], *, seconds: float = SECONDS) -> bool:
    """Poll until the predicate holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


async def eventually_async(predicate: Callable[[], object], *, seconds: float = SECONDS) -> bool:
    """Poll until the predicate holds while the event loop turns."""
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True
