"""Browser sessions and their sockets: who signs out in a browser leaves with every tab of it."""

import hashlib
import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from redis import RedisError

from common.valkey import client

logger = logging.getLogger(__name__)


def mark_of(session: Any) -> str:
    """Return what stands for a browser's session in tickets and sockets: nothing one could sign in with."""
    key = getattr(session, "session_key", None)
    return mark_of_key(key) if key else ""


def mark_of_key(key: str) -> str:
    """Return what stands for the session of a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def end(mark: str) -> None:
    """Remember that a session has ended, for as long as it could have lasted."""
    try:
        client().set(_key(mark), 1, ex=settings.SESSION_COOKIE_AGE)
    except RedisError:
        logger.warning("a sign-out could not be remembered", exc_info=True)


def ended(marks: Iterable[str]) -> set[str]:
    """Return those of the sessions that have ended; none while Valkey is away. One round trip."""
    asked = sorted({mark for mark in marks if mark})
    if not asked:
        return set()
    try:
        found: Any = client().mget([_key(mark) for mark in asked])
    except RedisError:
        logger.warning("sign-outs cannot be looked up", exc_info=True)
        return set()
    return {mark for mark, value in zip(asked, found, strict=True) if value}


def _key(mark: str) -> str:
    return f"irisx:signed-out:{mark}"
