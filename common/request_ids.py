"""The id of the request under way: in its answer, in its problem, in each of its log lines, in the audit log.

Imports nothing of Django's: logging is set up before it.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import uuid4

HEADER: Final = "X-Request-Id"
# What a proxy or a client may choose itself: nothing that could forge a log line or a header.
SHAPE = re.compile(r"[A-Za-z0-9._:@+=/-]{1,128}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the id of the request under way; empty outside of one."""
    return _current.get()


def chosen(given: str) -> str:
    """Return the id a request brought, where it may be one, else a new one of 32 hex digits."""
    return given if SHAPE.fullmatch(given) else uuid4().hex


@contextmanager
def under(id: str) -> Iterator[None]:
    """Let `current` answer this id inside the block."""
    token = _current.set(id)
    try:
        yield
    finally:
        _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Give each log record `request_id`, `-` where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current() or "-"
        return True
