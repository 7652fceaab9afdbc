"""Connections kept for the next request to the same place: same scheme, name, port and checked address, for seconds."""

import asyncio
from dataclasses import dataclass

from common.outgoing.wire import Wire

KEPT_SECONDS = 15.0
MOST = 256
MOST_OF_A_PLACE = 8


@dataclass(frozen=True)
class Place:
    """Where a connection goes, and as whom the other side has shown itself: a wire for one name is never used for another."""

    scheme: str
    host: str
    port: int
    address: str


class Kept:
    """The idle connections of one event loop; each closes itself when nobody took it."""

    def __init__(self) -> None:
        self._idle: dict[Place, list[tuple[Wire, asyncio.TimerHandle]]] = {}
        self._count = 0

    def take(self, place: Place) -> Wire | None:
        """Return the connection to a place that was used last, or None."""
        while idle := self._idle.get(place):
            wire, timer = idle.pop()
            self._took(place, timer)
            if wire.is_open:
                return wire
        return None

    def keep(self, place: Place, wire: Wire) -> None:
        """Keep a connection for the next request, or close it when there are enough or it can't be used again."""
        idle = self._idle.get(place, [])
        if not wire.is_open or self._count >= MOST or len(idle) >= MOST_OF_A_PLACE:
            wire.close()
            return
        timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._expire, place, wire)
        self._idle.setdefault(place, idle).append((wire, timer))
        self._count += 1

    def close(self) -> None:
        """Close them all."""
        for place in list(self._idle):
            while wire := self.take(place):
                wire.close()

    def _expire(self, place: Place, wire: Wire) -> None:
        """Close a connection whose time is over: the oldest of its place, for all are kept equally long."""
        oldest, timer = self._idle[place].pop(0)
        assert oldest is wire
        self._took(place, timer)
        wire.close()

    def _took(self, place: Place, timer: asyncio.TimerHandle) -> None:
        timer.cancel()
        self._count -= 1
        if not self._idle[place]:
            del self._idle[place]
