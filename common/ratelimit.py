"""Rate limits in Valkey, each counted by one script, so that parallel requests count one after the other.

Buckets (`take`) protect from floods; quotas (`spend`) are what somebody is promised a minute, and told of in headers.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from redis import RedisError

from common.errors import TooMany
from common.valkey import client

logger = logging.getLogger(__name__)

PREFIX = "irisx:limit:"
PAUSE_SECONDS = 5.0
# KEYS[1] the bucket; ARGV now (seconds), burst, tokens a second. Answers 0, or the seconds until there is a token.
# A clock that goes back, ours or another machine's, adds nothing and takes nothing.
TAKE = """
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local now, burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at = tonumber(held[2]) or now
local tokens = math.min(burst, (tonumber(held[1]) or burst) + math.max(0, now - at) * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return tostring(wait)
"""
# KEYS the quotas; ARGV now (seconds), the window (seconds), then each quota's limit. A window begins with its first request.
# All of them are spent from, or none. Answers 1 or 0, then what each has spent and the seconds until it begins anew.
SPEND = """
local now, window, allowed, answer, since = tonumber(ARGV[1]), tonumber(ARGV[2]), 1, {1}, {}
for i, key in ipairs(KEYS) do
    local held = redis.call('HMGET', key, 'since', 'spent')
    local spent = tonumber(held[2]) or 0
    since[i] = tonumber(held[1]) or now
    if now >= since[i] + window then since[i], spent = now, 0 end
    if spent >= tonumber(ARGV[i + 2]) then allowed = 0 end
    answer[2 * i] = spent
    answer[2 * i + 1] = math.ceil(math.min(window, since[i] + window - now))
end
answer[1] = allowed
if allowed == 1 then
    for i, key in ipairs(KEYS) do
        answer[2 * i] = answer[2 * i] + 1
        redis.call('HSET', key, 'since', tostring(since[i]), 'spent', answer[2 * i])
        redis.call('EXPIRE', key, window + 1)
    end
end
return answer
"""
WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Limit:
    """`burst` at once, and `per_minute` more for ever."""

    name: str
    burst: int
    per_minute: int


@dataclass(frozen=True)
class Quota:
    """`per_minute` requests in each minute of `owner`'s; `name` is how the headers call it."""

    name: str
    owner: str
    per_minute: int


@dataclass(frozen=True)
class Standing:
    """What of a quota is left, and in how many seconds it begins anew."""

    quota: Quota
    remaining: int
    reset_seconds: int


@dataclass(frozen=True)
class Spent:
    """How each quota stands after a request; `wait_seconds` is above 0 when one had nothing left, and none was spent from."""

    standings: tuple[Standing, ...] = ()
    wait_seconds: int = 0


def spend(quotas: Sequence[Quota], *, now: datetime) -> Spent:
    """Count one request against every quota, or against none when one is used up. One round trip.

    While Valkey is away everything is allowed, and nothing is known of the quotas.
    """
    if not quotas or _pause.is_on():
        return Spent()
    keys = [f"{PREFIX}quota:{quota.name}:{quota.owner}" for quota in quotas]
    arguments = [now.timestamp(), WINDOW_SECONDS, *(quota.per_minute for quota in quotas)]
    try:
        allowed, *found = _spend_script()(keys=keys, args=arguments, client=client())
    except RedisError:
        _pause.begin()
        logger.warning("requests could not be counted: allowed", exc_info=True)
        return Spent()
    standings = tuple(
        Standing(quota, max(0, quota.per_minute - spent), seconds)
        for quota, spent, seconds in zip(quotas, found[::2], found[1::2], strict=True)
    )
    used_up = [standing.reset_seconds for standing in standings if standing.remaining == 0]
    return Spent(standings, 0 if allowed else max(1, *used_up))


def take(limit: Limit, key: str, *, now: datetime) -> None:
    """Count one, or raise TooMany with the seconds until the next is allowed.

    While Valkey is away everything is allowed: a limit protects from floods, and must not itself stop the house.
    """
    if _pause.is_on():
        return
    try:
        arguments = [now.timestamp(), limit.burst, limit.per_minute / 60]
        answer: Any = _script()(keys=[f"{PREFIX}{limit.name}:{key}"], args=arguments, client=client())
    except RedisError:
        _pause.begin()
        logger.warning("the limit %s could not be counted: allowed", limit.name, exc_info=True)
        return
    wait = float(answer)
    if wait > 0:
        raise TooMany("That was too much at once; wait a moment.", retry_after_seconds=math.ceil(wait))


@cache
def _script() -> Any:
    return client().register_script(TAKE)


@cache
def _spend_script() -> Any:
    return client().register_script(SPEND)


class _Pause:
    """After a failure Valkey is left alone for a moment, so that its timeout is not paid by every request."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + PAUSE_SECONDS

    def is_on(self) -> bool:
        return time.monotonic() < self._until


_pause = _Pause()
