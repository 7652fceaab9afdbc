"""Token buckets in Valkey."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis

from common import ratelimit
from common.errors import TooMany
from common.ratelimit import Limit, take

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
THREE = Limit("tests", burst=3, per_minute=6)


@pytest.fixture
def key() -> Iterator[str]:
    ratelimit._pause._until = 0.0
    yield uuid4().hex
    ratelimit._pause._until = 0.0


def taken(key: str, at: datetime, times: int, limit: Limit = THREE) -> int:
    """Return how many of so many were allowed."""
    allowed = 0
    for _ in range(times):
        try:
            take(limit, key, now=at)
            allowed += 1
        except TooMany:
            continue
    return allowed


def test_allows_a_burst_and_then_so_many_a_minute(key: str) -> None:
    assert taken(key, NOW, 5) == 3
    assert taken(key, NOW + timedelta(seconds=9), 1) == 0
    assert taken(key, NOW + timedelta(seconds=10), 2) == 1
    assert taken(key, NOW + timedelta(minutes=10), 9) == 3


def test_says_when_to_ask_again(key: str) -> None:
    taken(key, NOW, 3)
    with pytest.raises(TooMany) as refusal:
        take(THREE, key, now=NOW + timedelta(seconds=4))
    assert (refusal.value.status, refusal.value.retry_after_seconds) == (429, 6)


def test_a_refused_one_costs_nothing(key: str) -> None:
    taken(key, NOW, 50)
    assert taken(key, NOW + timedelta(seconds=10), 1) == 1


def test_a_clock_that_goes_back_gives_nothing(key: str) -> None:
    taken(key, NOW, 3)
    assert taken(key, NOW - timedelta(hours=1), 1) == 0
    assert taken(key, NOW + timedelta(seconds=10), 5) == 1


def test_keys_and_names_are_counted_apart(key: str) -> None:
    assert taken(key, NOW, 3) == 3
    assert taken(key + "x", NOW, 3) == 3
    assert taken(key, NOW, 3, Limit("others", 3, 6)) == 3


def test_parallel_requests_are_counted_one_by_one(key: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        allowed = sum(pool.map(lambda _: taken(key, NOW, 1), range(40)))
    assert allowed == 3


def test_buckets_are_forgotten_once_full(key: str, valkey_client: redis.Redis) -> None:
    take(THREE, key, now=NOW)
    left: Any = valkey_client.ttl(f"{ratelimit.PREFIX}tests:{key}")
    assert 0 < left <= 31


def test_allows_everything_while_valkey_is_away(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away() -> redis.Redis:
        asked.append(1)
        return redis.Redis(port=9, socket_connect_timeout=0.2)

    monkeypatch.setattr(ratelimit, "client", away)
    assert taken(key, NOW, 10) == 10
    # Its timeout is paid once, not by every request.
    assert len(asked) == 1
