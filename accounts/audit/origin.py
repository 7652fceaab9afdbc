"""Where an act comes from: what is the same for all that one request does, so that no caller can forget to hand it on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from common import request_ids
from common.clients import address_of

USER_AGENT_CHARACTERS = 200


@dataclass(frozen=True)
class Origin:
    """`impersonator` is the operator (id, name) who acts as the person signed in."""

    address: str | None = None
    user_agent: str = ""
    request_id: str = ""
    impersonator: tuple[UUID, str] | None = None


NOWHERE = Origin()
_current: ContextVar[Origin] = ContextVar("audit_origin", default=NOWHERE)


def current() -> Origin:
    """Return where what happens now comes from; empty in tasks and commands."""
    return _current.get()


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Let what the block records come from there."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def impersonated_by(*, id: UUID, name: str) -> None:
    """Have whatever this request does from now on carry the operator's name beside the person's."""
    _current.set(replace(_current.get(), impersonator=(id, name)))


class OriginMiddleware:
    """Know where a request comes from while it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        origin = Origin(
            address=address_of(request) or None,
            user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_CHARACTERS],
            request_id=request_ids.current(),
        )
        with coming_from(origin):
            return self._get_response(request)
