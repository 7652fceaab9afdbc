"""Django's ASGI handler, with one change of thread for a request instead of two for each middleware (ADR 0014)."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class SynchronousChainHandler(ASGIHandler):
    """Middleware and view are one synchronous chain in the request's own thread; an async view goes back to the loop from it."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain as WSGI has it."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Run the chain."""
        run: Any = sync_to_async(self.get_response, thread_sensitive=True)
        response: HttpResponseBase = await run(request)
        return response
