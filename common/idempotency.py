"""`Idempotency-Key`: the same request sent twice has one effect and one answer."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from common.errors import Conflict, Invalid, Unreadable
from common.models import IdempotencyKey

KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    is_replay: bool = False


class TwinRunning(Conflict):
    """The same request is being worked on right now."""

    default_code = "idempotency-twin"
    retry_after_seconds = 1


def once(*, owner: UUID, path: str, key: str, request_body: Any, run: Callable[[], Answer], now: datetime) -> Answer:
    """Return `run()`'s answer, or the stored one when this key was answered before. Must stand in the effect's transaction.

    The same key with another body raises Conflict; a concurrent twin raises TwinRunning (an advisory lock, held to commit).
    """
    if not 1 <= len(key) <= 255 or "\x00" in key:
        raise Invalid("Idempotency-Key must have 1 to 255 characters, none of them NUL.", pointer="/Idempotency-Key")
    _lock_or_refuse(owner, path, key)
    digest = _digest(request_body)
    stored = IdempotencyKey.objects.filter(owner=owner, path=path, key=key).first()
    if stored is not None and stored.created_at > now - KEPT:
        if bytes(stored.body_hash) != digest:
            raise Conflict("This Idempotency-Key was used with another body.", code="idempotency-key-reused")
        return Answer(stored.status, stored.answer, is_replay=True)
    if stored is not None:
        stored.delete()
    answer = run()
    answer = Answer(answer.status, _storable(answer.body))
    IdempotencyKey.objects.create(
        owner=owner, path=path, key=key, body_hash=digest, status=answer.status, answer=answer.body
    )
    return answer


def _storable(body: Any) -> Any:
    """Return an answer as PostgreSQL keeps it, so that the first answer is the replay's: a NUL is shown as U+FFFD."""
    if isinstance(body, str):
        return body.replace("\0", "\ufffd")
    if isinstance(body, Mapping):
        return {_storable(name): _storable(value) for name, value in body.items()}
    return [_storable(part) for part in body] if isinstance(body, list | tuple) else body


def _digest(request_body: Any) -> bytes:
    try:
        return hashlib.sha256(orjson.dumps(request_body, option=orjson.OPT_SORT_KEYS)).digest()
    except orjson.JSONEncodeError as error:  # orjson reads deeper than it writes
        raise Unreadable("The body is nested too deeply.") from error


def _lock_or_refuse(owner: UUID, path: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{owner}|{path}|{key}"])
        if not cursor.fetchone()[0]:
            raise TwinRunning("The same request is being worked on; ask again in a second.")


def forget_old(*, now: datetime) -> int:
    """Delete keys older than 24 hours and return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]
