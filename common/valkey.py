"""The process's own connection pool to Valkey, for leases, tickets and doorbells."""

from functools import cache

import redis
from django.conf import settings


@cache
def client() -> "redis.Redis":
    """Return the shared client; every call waits at most two seconds."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, health_check_interval=30, decode_responses=True
    )
