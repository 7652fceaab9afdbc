"""Ask a starting IRISX whether it is well."""

import asyncio
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

WELL = {"connected", "healthy", "ok", "running", "up"}
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Health:
    """What GET /health said: status healthy, degraded, unhealthy, or unreachable; and what is not well."""

    status: str
    reasons: tuple[str, ...] = ()


async def wait_until_well(base_url: str, *, seconds: float, patience_seconds: float) -> Health:
    """Poll until healthy; settle for degraded after `patience_seconds` of it; give up after `seconds`.

    Workers need a moment longer than the web process, so the first degraded answers say nothing.
    """
    deadline = time.monotonic() + seconds
    usable_since: float | None = None
    while True:
        health = await asyncio.to_thread(ask, base_url)
        now = time.monotonic()
        usable_since = (usable_since or now) if health.status == "degraded" else None
        is_settled = usable_since is not None and now - usable_since > patience_seconds
        if health.status == "healthy" or is_settled or now > deadline:
            return health
        await asyncio.sleep(POLL_SECONDS)


def ask(base_url: str) -> Health:
    """GET /health once, never through a proxy."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=4.0)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return interpret(json.load(answer))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Health(status="unreachable", reasons=(str(error),))
    finally:
        connection.close()


def interpret(body: Mapping[str, Any]) -> Health:
    """Read the answer's body."""
    parts = ((name, part["status"]) for name, part in body.items() if isinstance(part, dict) and "status" in part)
    reasons = tuple(f"{name} is {status}" for name, status in parts if status not in WELL)
    return Health(status=str(body.get("status", "unreachable")), reasons=reasons)
