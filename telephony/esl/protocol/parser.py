"""Bytes in, messages out."""

from telephony.esl.protocol.decoding import decode
from telephony.esl.protocol.framing import Framer
from telephony.esl.protocol.messages import Message


class Parser:
    """Parse one connection's bytes, in pieces of any size."""

    def __init__(self) -> None:
        self._framer = Framer()

    @property
    def pending_bytes(self) -> int:
        """Return how many bytes wait for the rest of their frame."""
        return self._framer.pending_bytes

    def feed(self, data: bytes) -> list[Message]:
        """Return every message completed by `data`; raises OversizedFrame, and nothing else."""
        return [decode(frame) for frame in self._framer.feed(data)]
