"""Rate limits in Valkey: token buckets, each taken from by one script, so that parallel requests count one after the other."""

import logging
import math
import time
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


@dataclass(frozen=True)
class Limit:
    """`burst` at once, and `per_minute` more for ever."""

    name: str
    burst: int
    per_minute: int


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


class _Pause:
    """After a failure Valkey is left alone for a moment, so that its timeout is not paid by every request."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + PAUSE_SECONDS

    def is_on(self) -> bool:
        return time.monotonic() < self._until


_pause = _Pause()
