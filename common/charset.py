"""Requests are UTF-8, whatever they say: a `charset` may name what Python decodes no text with, and Django goes by it early."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
CHARSET = re.compile(rb';\s*charset\s*=\s*("[^"]*"|[^;]*)', re.IGNORECASE)


class Utf8Alone:
    """An ASGI application that shows the one inside no charset of a request's Content-Type."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = [
            (name, CHARSET.sub(b"", value) if name == b"content-type" else value) for name, value in scope["headers"]
        ]
        await self._app({**scope, "headers": headers}, receive, send)
