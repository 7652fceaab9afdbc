"""What every request passes: it gets an id, and its answer the page policy."""

from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

from common import request_ids

# The admin theme's Alpine needs `unsafe-eval` and inline styles (ADR 0003).
ADMIN_ADDS = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}


class RequestIdMiddleware:
    """Give each request an id, the one it brought (`X-Request-Id`) or a new one, and send it back. Stands first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        id = request_ids.chosen(request.headers.get(request_ids.HEADER, ""))
        with request_ids.under(id):
            response = self._get_response(request)
        response[request_ids.HEADER] = id
        return response


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Send the policy of settings; under /admin/ the theme's additions."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if request.path.startswith("/admin/") and not hasattr(response, "_csp_update"):
            response._csp_update = ADMIN_ADDS  # type: ignore[attr-defined] # django-csp's own way, as its decorators do
        return super().process_response(request, response)
