"""Cut the byte stream into frames: a header block, an empty line, and Content-Length bytes of body."""

import re
from dataclasses import dataclass

MAX_HEAD_BYTES = 4 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024
_BLANK_LINE = re.compile(rb"\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})", re.IGNORECASE | re.MULTILINE)


class OversizedFrame(Exception):
    """The peer announced or sent more than any switch does: the link can't be trusted any further."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: `head` without its empty line, `body` as sent, `length` in bytes on the wire with leading newlines."""

    head: bytes
    body: bytes
    length: int


class Framer:
    """Collect bytes and hand out whole frames; the length counts bytes, never characters."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0

    @property
    def pending_bytes(self) -> int:
        """Return how many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Return every frame completed by `data`.

        Raises OversizedFrame; frames that were whole before the offender are returned first, the next call raises.
        """
        self._buffer += data
        frames: list[Frame] = []
        start = 0
        try:
            while frame := self._cut(start):
                start += frame.length
                frames.append(frame)
        except OversizedFrame:
            if not frames:
                raise
        del self._buffer[:start]
        self._scanned = max(0, self._scanned - start)
        return frames

    def _cut(self, start: int) -> Frame | None:
        head_start = self._skip_newlines(start)
        blank = _BLANK_LINE.search(self._buffer, max(head_start, self._scanned))
        if blank is None:
            # The empty line may straddle this read and the next: look again at the last two bytes, not at everything.
            self._scanned = max(head_start, len(self._buffer) - 2)
            self._refuse_beyond(len(self._buffer) - head_start, MAX_HEAD_BYTES)
            return None
        self._scanned = blank.start()
        head = bytes(self._buffer[head_start : blank.start()])
        end = blank.end() + self._body_length(head)
        if end > len(self._buffer):
            return None
        self._scanned = end
        return Frame(head=head, body=bytes(self._buffer[blank.end() : end]), length=end - start)

    def _skip_newlines(self, start: int) -> int:
        while start < len(self._buffer) and self._buffer[start] in b"\r\n":
            start += 1
        return start

    def _body_length(self, head: bytes) -> int:
        found = _CONTENT_LENGTH.search(head)
        length = int(found.group(1)) if found else 0
        self._refuse_beyond(length, MAX_BODY_BYTES)
        return length

    @staticmethod
    def _refuse_beyond(size: int, limit: int) -> None:
        if size > limit:
            raise OversizedFrame(f"a frame of {size} bytes exceeds {limit}")
