"""A receiver of webhooks as quick as asyncio allows: `python -m benchmarks.webhooks_receiver PORT FILE`.

It answers 204, or never on paths that begin with /hang, and writes down which webhook came where and when.
"""

import asyncio
import re
import signal
import sys
import time
from pathlib import Path

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
ID = re.compile(rb"\r\nwebhook-id: (\S+)\r\n", re.IGNORECASE)

seen: list[str] = []


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n") + 4) > 3:
            head = self._buffer[:end]
            size = end + int(found[1] if (found := LENGTH.search(head)) else 0)
            if len(self._buffer) < size:
                return
            self._buffer = self._buffer[size:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        id = found[1].decode() if (found := ID.search(head)) else "-"
        seen.append(f"{path} {id} {time.time():.6f}")
        if not path.startswith("/hang"):
            self._transport.write(ANSWER)


async def main(port: int, file: Path) -> None:
    """Serve until told to end; SIGUSR1 writes down what came since the last time."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def write_down() -> None:
        beside = file.with_suffix(".new")
        beside.write_text("\n".join(seen))
        seen.clear()
        beside.rename(file)

    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, write_down)
    server = await loop.create_server(Connection, "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
