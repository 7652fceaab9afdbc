"""Bodies are refused while they arrive."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import orjson
import pytest

from common.bodylimit import BodyLimit

Message = MutableMapping[str, Any]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer how much arrived, or nothing when the client left."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


class Client:
    """One request in pieces, and what came back."""

    def __init__(self, *pieces: bytes, declared: bytes | None = None) -> None:
        self.left: Iterator[Message] = iter(
            [{"type": "http.request", "body": p, "more_body": i + 1 < len(pieces)} for i, p in enumerate(pieces)]
        )
        self.headers = [] if declared is None else [(b"content-length", declared)]
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        return next(self.left)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def ask(self, path: str = "/v1/me") -> tuple[int, bytes]:
        app = BodyLimit(echo, lambda path: 100 if path == "/files" else 10)
        await app({"type": "http", "path": path, "headers": self.headers}, self.receive, self.send)
        start, end = self.sent
        return start["status"], end["body"]


async def test_lets_through_what_fits() -> None:
    assert await Client(b"12345", b"67890", declared=b"10").ask() == (200, b"10")
    assert await Client(b"x" * 100).ask("/files") == (200, b"100")


async def test_refuses_what_says_to_be_larger_without_reading_it() -> None:
    client = Client(b"x" * 11, declared=b"11")
    status, content = await client.ask()
    assert (status, orjson.loads(content)["code"]) == (413, "too-large")
    assert next(client.left)["body"] == b"x" * 11


async def test_refuses_what_turns_out_to_be_larger_and_reads_no_further() -> None:
    client = Client(b"x" * 6, b"x" * 6, b"x" * 6, declared=b"3")
    assert (await client.ask())[0] == 413
    assert len(list(client.left)) == 1


@pytest.mark.parametrize("declared", [b"", b"-1", b"1e9", b"9" * 30])
async def test_counts_what_says_nothing_sensible(declared: bytes) -> None:
    assert (await Client(b"x" * 4, declared=declared).ask())[0] == 200
    assert (await Client(b"x" * 11, declared=declared).ask())[0] == 413
