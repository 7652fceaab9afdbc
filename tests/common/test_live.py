"""The doorbell on real Valkey: heard once confirmed, in order, and never an error of the caller's."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from common.live import LiveEvent, flush, publish_on_commit, topic
from common.live import publish as publishing
from common.live.hub import Hub


@dataclass(frozen=True)
class Rang(LiveEvent):
    to: str
    number: int

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        yield self.to, {"number": self.number}


class Ear:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def __call__(self, text: str) -> None:
        self.heard.append(orjson.loads(text)["number"])

    async def until(self, wanted: int) -> list[int]:
        async with asyncio.timeout(5):
            while len(self.heard) < wanted:
                await asyncio.sleep(0.01)
        return self.heard


def a_topic() -> str:
    return topic(uuid4(), "test", audience="agents")


@sync_to_async
def ring(to: str, *numbers: int) -> None:
    for number in numbers:
        publishing.publish(Rang(to, number))
    flush()


async def test_what_is_rung_after_subscribing_is_heard_in_order() -> None:
    hub, to, one, two = Hub(), a_topic(), Ear(), Ear()
    await hub.subscribe(to, one)
    await hub.subscribe(to, two)
    await ring(to, *range(50))
    assert await one.until(50) == list(range(50))
    assert await two.until(50) == list(range(50))


async def test_another_topic_is_not_heard() -> None:
    hub, to, ear = Hub(), a_topic(), Ear()
    await hub.subscribe(to, ear)
    await ring(a_topic(), 1)
    await ring(to, 2)
    assert await ear.until(1) == [2]


async def test_the_last_listener_leaves_and_may_come_back() -> None:
    hub, to, ear = Hub(), a_topic(), Ear()
    await hub.subscribe(to, ear)
    await hub.unsubscribe(to, ear)
    await ring(to, 1)
    await hub.subscribe(to, ear)
    await ring(to, 2)
    assert await ear.until(1) == [2]


def test_a_topic_is_built_of_safe_characters() -> None:
    with pytest.raises(ValueError, match="cannot be a topic"):
        topic(uuid4(), "no spaces", audience="agents")


class TestOnCommit:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[LiveEvent]:
        seen: list[LiveEvent] = []
        monkeypatch.setattr(publishing, "publish", seen.append)
        return seen

    def test_rings_after_the_commit_only(self, sent: list[LiveEvent], committed_db: None) -> None:
        with transaction.atomic():
            publish_on_commit(Rang("x", 1))
            assert sent == []
        assert sent == [Rang("x", 1)]

    def test_stays_silent_after_a_rollback(self, sent: list[LiveEvent], committed_db: None) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            publish_on_commit(Rang("x", 1))
            raise RuntimeError
        assert sent == []

    def test_a_dead_channel_layer_is_never_an_error(self, committed_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(event: LiveEvent) -> None:
            raise OSError("Valkey is away")

        monkeypatch.setattr(publishing, "publish", broken)
        with transaction.atomic():
            publish_on_commit(Rang("x", 1))
