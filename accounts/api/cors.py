"""Which other sites' pages may call the API with a key or token: those the company named (`cors_origins`).

A preflight brings no credential: it passes when any company named the origin. The request itself is held to the list of the
company it is made for, before anything is done. Cookies are never taken from other sites. Chat's paths are public: there
each widget's domains decide, and this is only about keys and tokens of people.
"""

import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from accounts.company.services import CORS_ORIGINS
from accounts.models import Tenant
from accounts.principals import Kind, Principal
from accounts.tenancy import system_access
from common.errors import Forbidden

ALLOWED = "_cors_origin"  # on the request, once its company named the origin
METHODS = "DELETE, GET, OPTIONS, PATCH, POST, PUT"
PREFLIGHT_SECONDS = 3600
KNOWN_SECONDS = 10
NAMED = """
SELECT DISTINCT jsonb_array_elements_text(settings->'cors_origins') FROM tenants
WHERE jsonb_typeof(settings->'cors_origins') = 'array' AND status IN ('trial', 'active')
"""


class TenantCorsMiddleware:
    """Answer preflights and mark answers, on the paths of the API that are no chat's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/v1/") or request.path.startswith("/v1/chat/"):
            return self._get_response(request)
        origin = request.headers.get("Origin", "")
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if is_preflight and known.has(origin):
            response: HttpResponseBase = HttpResponse(status=204)
            response["Access-Control-Allow-Methods"] = METHODS
            response["Access-Control-Allow-Headers"] = ", ".join(settings.CORS_ALLOW_HEADERS)
            response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
            _open_to(origin, response)
        else:
            response = self._get_response(request)
            # A wrong credential belongs to no company: its refusal, which tells nothing, may be read where any calls from.
            if origin and (
                getattr(request, ALLOWED, "") == origin or (response.status_code == 401 and known.has(origin))
            ):
                _open_to(origin, response)
        patch_vary_headers(response, ["Origin"])
        return response


def _open_to(origin: str, response: HttpResponseBase) -> None:
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Expose-Headers"] = ", ".join(settings.CORS_EXPOSE_HEADERS)


def require_origin(request: HttpRequest, principal: Principal) -> None:
    """Hold a request by key or token that came from another site's page to its company's list; raise Forbidden.

    One statement, and none for a request that names no origin, as programs' requests. Runs inside the tenant's scope.
    """
    origin = request.headers.get("Origin", "")
    if not origin or origin == settings.IRISX_BASE_URL or principal.kind is Kind.VISITOR:
        return
    found = Tenant.objects.filter(pk=principal.tenant_id).values_list("settings", flat=True).first() or {}
    if origin not in found.get(CORS_ORIGINS, []):
        raise Forbidden("Pages of this origin may not call the API for this company.", code="origin-not-allowed")
    setattr(request, ALLOWED, origin)


class _Known:
    """Every origin some company named, read anew when older than ten seconds: preflights are free to send."""

    def __init__(self) -> None:
        self._origins: frozenset[str] = frozenset()
        self._until = 0.0

    def has(self, origin: str) -> bool:
        if time.monotonic() >= self._until:
            with system_access("origins of preflights"), connection.cursor() as cursor:
                cursor.execute(NAMED)
                self._origins = frozenset(name for (name,) in cursor.fetchall())
            self._until = time.monotonic() + KNOWN_SECONDS
        return origin in self._origins

    def forget(self) -> None:
        """Read them anew at the next question."""
        self._until = 0.0


known = _Known()
