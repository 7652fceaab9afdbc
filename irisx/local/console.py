"""Write progress, logs and the ready screen to the terminal without ever waiting for it."""

import os
import select
import sys
import time
from typing import TextIO

COLOURS = (36, 35, 33, 32, 34, 96, 95, 93)
NAME_WIDTH = 9
CHUNK_BYTES = 4096  # a pipe that select calls writable takes this much without blocking (pipe(7), PIPE_BUF)


class Console:
    """The terminal, or whatever stands in its place."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._is_coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self._colours: dict[str, int] = {}
        self._dropped = 0

    def log(self, name: str, line: str) -> None:
        """Write one line of a program behind its name."""
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        self._write(f"{self.paint(f'{name:<{NAME_WIDTH}} |', colour)} {line}\n")

    def say(self, text: str) -> None:
        """Write a line of our own."""
        self._write(f"{text}\n", patience_seconds=1.0)

    def step(self, text: str) -> None:
        """Write a line of progress."""
        self.say(f"{self.paint('•', 32)} {text}")

    def problem(self, text: str) -> None:
        """Write what went wrong."""
        self.say(f"{self.paint('✗', 31)} {text}")

    def paint(self, text: str, colour: int) -> str:
        """Colour a text where colours show."""
        return f"\033[{colour}m{text}\033[0m" if self._is_coloured else text

    def _write(self, text: str, *, patience_seconds: float = 0.0) -> None:
        """Write if the reader keeps up, else drop and count: a reader who stopped must not stop the demo."""
        if self._dropped and self._is_writable(0.0):
            text = f"… {self._dropped} lines were not read in time; see the logs folder\n{text}"
            self._dropped = 0
        data = text.encode(errors="replace")
        for start in range(0, len(data), CHUNK_BYTES):
            if not self._is_writable(patience_seconds):
                self._dropped += 1
                return
            self._send(data[start : start + CHUNK_BYTES])

    def _is_writable(self, patience_seconds: float) -> bool:
        return bool(select.select([], [self._stream.fileno()], [], patience_seconds)[1])

    def _send(self, data: bytes) -> None:
        deadline = time.monotonic() + 1.0
        while data and time.monotonic() < deadline:
            try:
                data = data[os.write(self._stream.fileno(), data) :]
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:  # nobody reads any more: the log files remain
                return
