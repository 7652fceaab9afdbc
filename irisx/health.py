"""`/health`, `/livez`, `/readyz`: what works, told within two seconds whatever is down or hangs.

Every probe opens a connection of its own with a deadline of its own, so that neither a stuck pool nor a stopped server holds
the answer back. No error texts are told: they go to the log.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypeVar

import psycopg
import redis.asyncio
from django.conf import settings
from django.db import transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse

from common.db import connect_outside_pool
from irisx import heartbeat
from irisx.release.standing import Standing, standing
from telephony.esl.probe import probe as probe_freeswitch

logger = logging.getLogger(__name__)
PROBE_SECONDS = 1.2  # leaves 0.8 of the two seconds for everything else, on a machine under load
SWITCH_SECONDS = 1.0
T = TypeVar("T")


def _plain(view: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    return transaction.non_atomic_requests(view)


@_plain
async def livez(request: HttpRequest) -> HttpResponse:
    """Answer 200 while this process turns its event loop."""
    return HttpResponse("ok\n", content_type="text/plain")


@_plain
async def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when this process can serve: its database answers and no migration is missing."""
    applied = await _within(_applied_migrations())
    is_ready = applied is not None and set(_known_migrations()) <= applied
    return HttpResponse(
        "ready\n" if is_ready else "not ready\n", status=200 if is_ready else 503, content_type="text/plain"
    )


@_plain
async def health(request: HttpRequest) -> HttpResponse:
    """Answer the state of each part; 503 only without a database."""
    applied, heartbeats, switches, has_next_month, release = await asyncio.gather(
        _within(_applied_migrations()),
        _within(_heartbeats()),
        _within(_freeswitch()),
        _within(_next_month_is_there()),
        _within(asyncio.to_thread(standing)),
    )
    body = report(
        applied=applied,
        heartbeats=heartbeats,
        switches=switches,
        has_next_month=has_next_month,
        release=release,
        now=time.time(),
    )
    return JsonResponse(body, status=503 if body["status"] == "unhealthy" else 200)


def report(
    *,
    applied: set[str] | None,
    heartbeats: dict[str, float] | None,
    switches: list[bool] | None,
    has_next_month: bool | None,
    release: Standing | None,
    now: float,
) -> dict[str, Any]:
    """Return the body of `/health` from what the probes found; None stands for a probe that failed."""
    migrations = {name: _migration_state(name, applied) for name in _known_migrations()}
    workers = _workers(heartbeats, now)
    parts = {
        "database": _connected(applied is not None),
        "redis": _connected(heartbeats is not None),
        "freeswitch": {"status": "not configured"}
        if switches == []
        else _connected(bool(switches) and all(switches or [])),
    }
    is_whole = workers == "running" and has_next_month is True and all(m == "applied" for m in migrations.values())
    is_whole = is_whole and all(part["status"] in {"connected", "not configured"} for part in parts.values())
    is_whole = is_whole and (release is None or release.status != "drifted")
    status = "unhealthy" if applied is None else "healthy" if is_whole else "degraded"
    return {
        "status": status,
        "version": settings.IRISX_VERSION,
        **parts,
        "ivr": {"activeSessions": 0},
        "migrations": migrations,
        "partitions": {"status": _partitions(has_next_month)},
        "workers": {"status": workers},
        "release": {"status": release.status if release else "unknown", "drift": release.drift if release else 0},
    }


def _connected(is_up: bool) -> dict[str, str]:
    return {"status": "connected" if is_up else "disconnected"}


def _workers(heartbeats: dict[str, float] | None, now: float) -> str:
    if heartbeats is None:
        return "unknown"
    fresh = [now - at <= settings.IRISX_WORKER_STALE_SECONDS for at in heartbeats.values()]
    return "running" if all(fresh) else "stale"


def _partitions(has_next_month: bool | None) -> str:
    return "unknown" if has_next_month is None else "ready" if has_next_month else "missing"


def _migration_state(name: str, applied: set[str] | None) -> str:
    return "unknown" if applied is None else "applied" if name in applied else "missing"


async def _within(probe: Awaitable[T]) -> T | None:
    """Return what the probe found, or None when it failed or took longer than its deadline."""
    try:
        return await asyncio.wait_for(probe, PROBE_SECONDS)
    except (TimeoutError, OSError, psycopg.Error, redis.RedisError):
        logger.warning("a health probe failed", exc_info=True)
        return None


async def _applied_migrations() -> set[str]:
    async with await connect_outside_pool() as connection:
        rows = await (await connection.execute("SELECT app || '.' || name FROM django_migrations")).fetchall()
    return {row[0] for row in rows}


async def _next_month_is_there() -> bool:
    """Say whether the usage ledger has its next month's partition: one made too late locks out who records for it."""
    query = "SELECT to_regclass('public.usage_records_' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM'))"
    async with await connect_outside_pool() as connection:
        row = await (await connection.execute(query)).fetchone()
    return row is not None and row[0] is not None


@cache
def _known_migrations() -> tuple[str, ...]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {"accounts", "billing", "chat", "common", "telephony", "usage"}
    return tuple(sorted(f"{app}.{name}" for app, name in loader.disk_migrations if app in ours))


async def _heartbeats() -> dict[str, float]:
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
        wanted = ["worker", "webhooks", *(["listener"] if settings.FREESWITCH_URLS else [])]
        values = await client.mget([heartbeat.key(name) for name in wanted])
    return {name: float(value or 0) for name, value in zip(wanted, values, strict=True)}


async def _freeswitch() -> list[bool]:
    return list(await asyncio.gather(*(probe_freeswitch(url, SWITCH_SECONDS) for url in settings.FREESWITCH_URLS)))
