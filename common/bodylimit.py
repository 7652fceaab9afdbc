"""Request bodies are bounded while they arrive: Django writes a body to disk before any view could say that it is too large."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from common import request_ids
from common.http import TooLarge
from common.problems import MEDIA_TYPE, body

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class BodyLimit:
    """An ASGI application that answers 413 as soon as a request says, or turns out, to be larger than its path allows."""

    def __init__(self, app: App, limit_of: Callable[[str], int]) -> None:
        self._app, self._limit_of = app, limit_of

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        most = self._limit_of(scope["path"])
        if _declared(scope) > most:
            await _refuse(scope, send, most)
            return
        received = 0
        has_refused = False

        async def counted() -> Message:
            nonlocal received, has_refused
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > most:
                    has_refused = True
                    await _refuse(scope, send, most)
                    # To the application the client is gone: it drops what it has and answers nothing.
                    return {"type": "http.disconnect"}
            return message

        async def unless_refused(message: Message) -> None:
            if not has_refused:
                await send(message)

        await self._app(scope, counted, unless_refused)


def _declared(scope: MutableMapping[str, Any]) -> int:
    given = dict(scope["headers"]).get(b"content-length", b"")
    # What is no number is the server's to refuse.
    return int(given) if given.isdigit() and len(given) < 20 else 0


async def _refuse(scope: MutableMapping[str, Any], send: Send, most: int) -> None:
    given = dict(scope["headers"]).get(request_ids.HEADER.lower().encode(), b"")
    id = request_ids.chosen(given.decode("latin-1"))
    with request_ids.under(id):
        content = orjson.dumps(body(TooLarge(f"The request is larger than {most} bytes.")))
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (request_ids.HEADER.lower().encode(), id.encode()),
        (b"content-length", str(len(content)).encode()),
        # What was not read cannot be told from a next request.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": TooLarge.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
