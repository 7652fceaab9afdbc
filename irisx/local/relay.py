"""Carry a program's output to its log file, to the terminal and to memory."""

import asyncio
import logging
import os
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from irisx.local.console import Console

TAIL_LINES = 15
LONGEST_LINE_BYTES = 16_384
LOG_BYTES = 5_000_000


class Relay:
    """Where the lines of one program go, through all its restarts."""

    def __init__(self, *, name: str, folder: Path, console: Console) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._name = name
        self._console = console
        self._partial = b""
        self._file = RotatingFileHandler(folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")

    def attach(self, pipe: IO[bytes]) -> None:
        """Read a pipe whenever it has something, until its writers are gone."""
        os.set_blocking(pipe.fileno(), False)
        asyncio.get_running_loop().add_reader(pipe.fileno(), self._read, pipe)

    def drain(self, pipe: IO[bytes]) -> None:
        """Read what is left of a program that ended; children of its may still hold the pipe."""
        while not pipe.closed and self._read(pipe):
            pass

    def close(self) -> None:
        """Close the log file."""
        self._file.close()

    def _read(self, pipe: IO[bytes]) -> bool:
        try:
            data = os.read(pipe.fileno(), 65_536)
        except BlockingIOError:
            return False
        if data:
            self._split(data)
        else:
            asyncio.get_running_loop().remove_reader(pipe.fileno())
            pipe.close()
        return bool(data)

    def _split(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LONGEST_LINE_BYTES:
            lines.append(self._partial)
            self._partial = b""
        for line in lines:
            self._line(line.decode(errors="replace").rstrip())

    def _line(self, line: str) -> None:
        self.tail.append(line)
        self._console.log(self._name, line)
        self._file.emit(logging.LogRecord(self._name, logging.INFO, "", 0, line, None, None))
