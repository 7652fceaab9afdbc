"""Names looked up in threads that are bounded, so that names which answer slowly, or never, do not stop the others.

`getaddrinfo` cannot be interrupted: a thread that asks for a name whose servers are silent hangs for half a minute. So each
name is asked for once at a time, each party may keep few threads, and all of them together many.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakValueDictionary

MOST = 128
MOST_OF_A_PARTY = 4


class Lookups:
    """The lookups of one event loop."""

    def __init__(self, *, most: int = MOST, most_of_a_party: int = MOST_OF_A_PARTY) -> None:
        self._most_of_a_party = most_of_a_party
        self._all = asyncio.Semaphore(most)
        self._parties: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._running: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str, *, party: str) -> list[str]:
        """Return every address of a name, the system's preference first. Raises OSError (gaierror) or UnicodeError.

        Whoever asks while the name is being asked for shares the answer; who stops waiting stops nobody else.
        """
        if host not in self._running:
            task = asyncio.create_task(self._look_up(host, party))
            self._running[host] = task
            task.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(self._running[host])

    async def _look_up(self, host: str, party: str) -> list[str]:
        own = self._parties.get(party)
        if own is None:
            own = self._parties[party] = asyncio.Semaphore(self._most_of_a_party)
        async with own, self._all:
            return await in_thread(lambda: _ask(host))

    def _forget(self, host: str, task: asyncio.Task[list[str]]) -> None:
        del self._running[host]
        if not task.cancelled():
            task.exception()  # read by nobody when all who waited have gone


def _ask(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def in_thread(ask: Callable[[], list[str]]) -> list[str]:
    """Run in a thread of its own, a daemon: one that hangs must not hold up the process's end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str], error: Exception | None) -> None:
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(addresses)

    def run() -> None:
        addresses: list[str] = []
        error: Exception | None = None
        try:
            addresses = ask()
        except Exception as raised:  # whatever it is belongs to whoever asked
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, addresses, error)

    threading.Thread(target=run, name="lookup", daemon=True).start()
    return await future
