"""The load client's websocket: as little work a frame as Python allows, because it shares the machine with the servers."""

import asyncio
import os
import struct
from collections.abc import Callable
from typing import Final

HANDSHAKE: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
NO_MASK = b"\0\0\0\0"  # a mask of zeros is a mask (RFC 6455 5.3), and leaves the text as it is


class Socket(asyncio.Protocol):
    """One open websocket. `on_text` gets each text frame's bytes."""

    def __init__(self, path: str, port: int, on_text: Callable[["Socket", bytes], None]) -> None:
        self._hello = HANDSHAKE.format(path=path, port=port).encode()
        self._buffer = b""
        self._is_open = False
        self.on_text = on_text
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ready: asyncio.Future[bytes] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.opened, self.ready):
            if not future.done():
                future.set_exception(exc or ConnectionError("closed"))
                future.exception()
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, text: bytes) -> None:
        size = len(text)
        head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
        self.transport.write(head + NO_MASK + text)

    def close(self) -> None:
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._is_open:
            head, separator, buffer = buffer.partition(b"\r\n\r\n")
            if not separator:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.opened.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self._is_open = True
            self.opened.set_result(None)
        self._buffer = self._frames(buffer)

    def _frames(self, buffer: bytes) -> bytes:
        at, end = 0, len(buffer)
        while end - at >= 2:
            opcode, size, start = buffer[at] & 15, buffer[at + 1] & 127, at + 2
            if size == 126:
                if end - at < 4:
                    break
                size, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif size == 127:
                if end - at < 10:
                    break
                size, start = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if end < start + size:
                break
            if opcode == 1:
                self.on_text(self, buffer[start : start + size])
            elif opcode == 9:
                self.transport.write(struct.pack("!BB", 0x8A, 0x80 | size) + NO_MASK + buffer[start : start + size])
            at = start + size
        return buffer[at:]


async def connect(port: int, path: str, on_text: Callable[[Socket, bytes], None]) -> Socket:
    """Open one websocket on the loopback."""
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: Socket(path, port, on_text), "127.0.0.1", port)
    await socket.opened
    return socket


def raise_file_limit() -> None:
    """Allow as many open sockets as the system lets us."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))


def pid_cpu_seconds(pids: list[int]) -> float:
    """Return the user and system time of processes so far (proc(5), stat)."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            fields = stat.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
