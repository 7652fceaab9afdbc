"""API requests, counted in Valkey by tenant and minute. The minute is of Valkey's own clock: once over, it never grows again."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from redis import RedisError

from common.valkey import client

logger = logging.getLogger(__name__)
KEY = "irisx:api-requests"
PAUSE_SECONDS = 5.0
COUNT = """
local minute = math.floor(tonumber(redis.call('TIME')[1]) / 60)
return redis.call('HINCRBY', KEYS[1], minute .. ':' .. ARGV[1], 1)
"""
FINISHED = """
local minute = math.floor(tonumber(redis.call('TIME')[1]) / 60)
local all, found = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
    if tonumber(string.match(all[i], '^%d+')) < minute then
        found[#found + 1] = all[i]
        found[#found + 1] = all[i + 1]
    end
end
return found
"""
_quiet_until = 0.0


@dataclass(frozen=True)
class Minute:
    """The requests of a tenant in one minute that is over."""

    field: str
    tenant_id: UUID
    starts_at: datetime
    requests: int

    @property
    def dedup_key(self) -> str:
        return f"api:{self.tenant_id.hex}:{int(self.starts_at.timestamp()) // 60}"


def count(tenant_id: UUID) -> None:
    """Count one request by one command. Without Valkey it is not counted: no request fails for it.

    After a failure Valkey is left alone for a moment, so that its timeout is not paid by every request.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        client().register_script(COUNT)(keys=[KEY], args=[tenant_id.hex])
    except RedisError:
        _quiet_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("an API request could not be counted", exc_info=True)


def finished() -> Iterator[Minute]:
    """Yield what was counted in minutes that are over and was not forgotten since."""
    answer: Any = client().register_script(FINISHED)(keys=[KEY])
    for field, requests in zip(answer[::2], answer[1::2], strict=True):
        minute, _, tenant = field.partition(":")
        yield Minute(field, UUID(hex=tenant), datetime.fromtimestamp(int(minute) * 60, UTC), int(requests))


def forget(minute: Minute) -> None:
    """Delete a count that is recorded. A repeat changes nothing."""
    client().hdel(KEY, minute.field)
