"""The page policy, with the one exception: the admin theme's Alpine needs `unsafe-eval` and inline styles (ADR 0003)."""

from typing import Any

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

ADMIN_ADDS = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Send the policy of settings; under /admin/ the theme's additions."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if request.path.startswith("/admin/") and not hasattr(response, "_csp_update"):
            response._csp_update = ADMIN_ADDS  # type: ignore[attr-defined] # django-csp's own way, as its decorators do
        return super().process_response(request, response)
