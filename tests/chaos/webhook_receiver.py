"""A receiver of webhooks that fails, hangs, lies and answers late, and writes down what it was sent.

`python -m tests.chaos.webhook_receiver PLAN`. The plan is a JSON file: the port, the log, and for each path the character of
the endpoint there and its secret. What becomes of a request depends on the path, the webhook's id and how often it came.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from zlib import crc32

from standardwebhooks import Webhook

HONEST_FROM = 6  # from this attempt on everybody takes everything but what is refused for ever
REFUSED_PER_MILLE, STUBBORN_PER_MILLE = 3, 25


class Fate(Enum):
    """What becomes of a request."""

    TAKEN = "taken"
    LATE = "late"  # taken, but answered after a while: later requests overtake it
    BABBLED = "babbled"  # taken, with more bytes than the answer
    REFUSED = "refused"
    BUSY = "busy"  # 503 with Retry-After
    HUNG = "hung"
    RESET = "reset"  # read whole, then the connection is torn down
    HALF = "half"  # 200, but the body ends before its length
    SENT_AWAY = "sent away"  # a redirect
    GIBBERISH = "gibberish"


GOOD = {Fate.TAKEN, Fate.LATE, Fate.BABBLED}
# Of a hundred requests, so many first ones have each fate; the others are taken.
CHARACTERS: Mapping[str, tuple[tuple[int, Fate], ...]] = {
    "steady": (),
    "failing": ((15, Fate.REFUSED), (3, Fate.BUSY)),
    "hanging": ((3, Fate.HUNG), (20, Fate.LATE)),
    "lying": ((5, Fate.RESET), (4, Fate.HALF), (3, Fate.SENT_AWAY), (3, Fate.GIBBERISH), (5, Fate.BABBLED)),
}
ANSWERS = {
    Fate.TAKEN: b"HTTP/1.1 204 No Content\r\n\r\n",
    Fate.LATE: b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate",
    Fate.BABBLED: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    Fate.REFUSED: b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno",
    Fate.BUSY: b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    Fate.HALF: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it",
    Fate.SENT_AWAY: b"HTTP/1.1 307 There\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    Fate.GIBBERISH: b"220 mail.example.test ESMTP\r\n\r\n",
}


@dataclass(frozen=True)
class Request:
    """A request as it was seen: `number` counts those of one webhook at one path; times are seconds of the receiver's clock."""

    path: str
    id: str
    object_id: str
    sequence: int
    number: int
    fate: str
    began: float
    ended: float
    is_signed: bool
    signatures: int


def is_refused_for_ever(path: str, id: str) -> bool:
    """Tell whether a webhook is never taken at a path."""
    return crc32(f"{path}:{id}".encode()) % 1000 < REFUSED_PER_MILLE


def fate_of(character: str, path: str, id: str, number: int) -> Fate:
    """Return what becomes of the `number`th request of a webhook at a path."""
    if character == "steady":
        return Fate.TAKEN
    if is_refused_for_ever(path, id):
        return Fate.REFUSED
    if number >= HONEST_FROM:
        return Fate.TAKEN
    if crc32(f"{path}:{id}".encode()) % 1000 < REFUSED_PER_MILLE + STUBBORN_PER_MILLE:
        return Fate.REFUSED
    chance = crc32(f"{path}:{id}:{number}".encode()) % 100
    for share, fate in CHARACTERS[character]:
        if chance < share:
            return fate
        chance -= share
    return Fate.TAKEN


class Receiver:
    """The server, and its log."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._log = Path(plan["log"]).open("a")  # noqa: SIM115 - closed when the process ends
        self._seen: Counter[tuple[str, str]] = Counter()
        self._checks = {path: Webhook(of["secret"]) for path, of in plan["paths"].items()}

    async def serve(self) -> None:
        """Answer until the process is told to end."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._plan["port"])
        await stop.wait()
        server.close()
        self._log.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._answer(reader, writer):
                pass
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and let it have its fate; tell whether the connection goes on."""
        path, headers, body = await read_request(reader)
        began = time.monotonic()
        id = headers["webhook-id"]
        self._seen[path, id] += 1
        fate = fate_of(self._plan["paths"][path]["character"], path, id, self._seen[path, id])
        if fate is Fate.LATE:
            await asyncio.sleep(crc32(body) % 200 / 1000)
        if fate is Fate.HUNG:
            await reader.read(1)
        self._note(path, headers, body, fate, began)
        if answer := ANSWERS.get(fate):
            writer.write(answer)
            await writer.drain()
        return fate in {Fate.TAKEN, Fate.LATE, Fate.REFUSED, Fate.BUSY, Fate.SENT_AWAY}

    def _note(self, path: str, headers: Mapping[str, str], body: bytes, fate: Fate, began: float) -> None:
        """Write a request down, before the answer can be read: the next one may follow at once."""
        fact = json.loads(body)
        id = headers["webhook-id"]
        request = Request(
            path, id, fact["object_id"], fact["sequence"], self._seen[path, id], fate.value, began, time.monotonic(),
            fact["id"] == id and self._is_signed(path, headers, body), len(headers["webhook-signature"].split(" ")),
        )  # fmt: skip
        self._log.write(json.dumps(asdict(request)) + "\n")

    def _is_signed(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            self._checks[path].verify(body, dict(headers))
        except Exception as error:
            print(f"{path} {headers}: {error!r}", file=sys.stderr, flush=True)
            return False
        return True


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Return a request's path, headers in lower case, and body."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return first.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"]))


if __name__ == "__main__":
    asyncio.run(Receiver(json.loads(Path(sys.argv[1]).read_text())).serve())
