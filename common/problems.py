"""Problems (RFC 9457): the one shape of every refusal, over HTTP and over a socket."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common import request_ids
from common.errors import DomainError, FieldProblem, Forbidden, Invalid, NotAuthenticated, NotFound, TooMany, Unreadable
from common.http import TooLarge

MEDIA_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)


def body(error: DomainError) -> dict[str, Any]:
    """Return the RFC 9457 members of a refusal; `request_id` too where a request is under way."""
    id = request_ids.current()
    return {
        "type": f"urn:irisx:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "errors": [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in error.errors],
        **({"request_id": id} if id else {}),
        **error.extra,
    }


def handle_exception(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer a problem for what a DRF view raised; None lets Django answer a crash. Rolls the request back."""
    error = as_domain_error(exception)
    if error is None:
        return None
    set_rollback()
    response = Response(body(error), status=error.status, content_type=MEDIA_TYPE)
    if error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def as_domain_error(exception: Exception) -> DomainError | None:
    """Return the refusal an exception stands for; None for a crash."""
    match exception:
        case DomainError():
            return exception
        case Http404():
            return NotFound("Nothing is here.")
        case PermissionDenied() | exceptions.PermissionDenied():
            return Forbidden("You may not do this.")
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return NotAuthenticated("Sign in first: send an API key or token as `Authorization: Bearer …`.")
        case exceptions.ValidationError():
            return Invalid.many(list(_field_problems(exception.detail)))
        case exceptions.ParseError():
            return Unreadable(str(exception.detail))
        case SuspiciousOperation():
            return _suspicious(exception)
        case exceptions.Throttled():
            return TooMany("Slow down.", retry_after_seconds=int(getattr(exception, "wait", None) or 1))
        case exceptions.APIException():
            return _other(exception)
    return None


def _other(exception: exceptions.APIException) -> DomainError:
    error = DomainError(
        str(exception.detail), code=str(getattr(exception, "default_code", "refused")).replace("_", "-")
    )
    error.status = exception.status_code  # type: ignore[misc] # DRF's own statuses: 405, 406, 415
    error.title = HTTPStatus(exception.status_code).phrase  # type: ignore[misc]
    return error


def _suspicious(exception: Exception | None) -> DomainError:
    """Return what Django itself refused to read, in words that tell nothing of the installation."""
    match exception:
        case RequestDataTooBig():
            return TooLarge("The request is larger than this address takes.")
        case DisallowedHost():
            return Unreadable("This installation does not answer to that host name.", code="host-not-allowed")
    return Unreadable("The request could not be read.")


def _field_problems(detail: Any, pointer: str = "") -> Iterator[FieldProblem]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from _field_problems(inner, pointer + step)
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list))
            yield from _field_problems(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield FieldProblem(pointer, str(getattr(detail, "code", "invalid")).replace("_", "-"), str(detail))


def wants_problem(request: HttpRequest) -> bool:
    """Say whether a request outside DRF should be answered with problem+json rather than a page."""
    return request.path.startswith(("/v1/", "/freeswitch/")) or "json" in request.headers.get("Accept", "")


def response_for(error: DomainError) -> HttpResponse:
    """Return a problem as a plain Django response."""
    return HttpResponse(orjson.dumps(body(error)), status=error.status, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an unknown address (handler404)."""
    if wants_problem(request):
        return response_for(NotFound("Nothing is at this address."))
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a page that is not allowed (handler403)."""
    if wants_problem(request):
        return response_for(Forbidden("You may not do this."))
    return render(request, "403.html", status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its page's token (CSRF_FAILURE_VIEW)."""
    if wants_problem(request):
        return response_for(Forbidden(f"CSRF check failed: {reason}", code="csrf"))
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what Django itself refused (handler400)."""
    if wants_problem(request):
        return response_for(_suspicious(exception))
    return render(request, "400.html", status=400)


class Crash(DomainError):
    status = 500
    title = "Something broke on our side"
    default_code = "crash"


def crashed(request: HttpRequest) -> HttpResponse:
    """Answer a crash (handler500) without telling what broke."""
    if wants_problem(request) or settings.DEBUG:
        return response_for(Crash("We have been told. Nothing of this request was written."))
    return render(request, "500.html", status=500)
