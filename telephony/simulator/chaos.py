"""What goes wrong between a switch and its clients: events lost, doubled, late, or cut off with the connection."""

import asyncio
from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Chaos:
    """Shares from 0 to 1 of the events that meet each trouble; a seed of its own makes a run repeatable."""

    lose: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    cut: float = 0.0
    delay_seconds: float = 0.2
    random: Random = field(default_factory=Random)

    def deliver(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        """Write an event's frame, or what is left of it; a late one arrives behind younger ones."""
        if self._strikes(self.lose):
            return
        if self._strikes(self.cut):
            writer.write(frame[: len(frame) // 2])
            writer.close()
            return
        copies = 2 if self._strikes(self.duplicate) else 1
        if self._strikes(self.delay):
            asyncio.get_running_loop().call_later(self.delay_seconds, _write, writer, frame * copies)
        else:
            writer.write(frame * copies)

    def _strikes(self, share: float) -> bool:
        return share > 0 and self.random.random() < share


def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    if not writer.is_closing():
        writer.write(frame)
