"""Browser sessions and their sockets: who signs out in a browser leaves with every tab of it."""

import hashlib
import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

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


def limited_mark(id: UUID, ends_at: datetime) -> str:
    """Return a mark that says itself when it ends: of what may last so long and no longer, Valkey or not."""
    return f"{id.hex}@{int(ends_at.timestamp())}"


def end(mark: str) -> None:
    """Remember that a session has ended, for as long as it could have lasted."""
    try:
        client().set(_key(mark), 1, ex=settings.SESSION_COOKIE_AGE)
    except RedisError:
        logger.warning("a sign-out could not be remembered", exc_info=True)


def ended(marks: Iterable[str]) -> set[str]:
    """Return those of the sessions that have ended; while Valkey is away, those whose mark says so. One round trip."""
    asked = sorted({mark for mark in marks if mark})
    if not asked:
        return set()
    over = {mark for mark in asked if "@" in mark and float(mark.partition("@")[2]) <= time.time()}
    try:
        found: Any = client().mget([_key(mark) for mark in asked])
    except RedisError:
        logger.warning("sign-outs cannot be looked up", exc_info=True)
        return over
    return over | {mark for mark, value in zip(asked, found, strict=True) if value}


def _key(mark: str) -> str:
    return f"irisx:signed-out:{mark}"
