"""Counts the requests that integrators make, for the meter api/request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.principals import Kind, Principal
from usage import api_requests


class ApiRequestCounter:
    """Count every request signed in by an API key, whatever its answer, except our own failures."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        # DRF puts the principal here. Of a page it is a lazy user, whom only a query would tell: hence no isinstance.
        principal: object = getattr(request, "user", None)
        if type(principal) is Principal and principal.kind is Kind.API_KEY and response.status_code < 500:
            api_requests.count(principal.tenant_id)
        return response
