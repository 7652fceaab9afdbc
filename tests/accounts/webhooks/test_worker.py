"""The delivery process on real commits: several at once, hanging endpoints, a stop in the middle."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import WebhookEndpoint
from accounts.webhooks.claiming import claim
from accounts.webhooks.delivering import Worker, run
from accounts.webhooks.dispatching import dispatch
from accounts.webhooks.listening import listen
from common.ids import uuid7
from common.outgoing import Answer
from tests.accounts.webhooks.helpers import (
    Receiver,
    deliveries,
    endpoint,
    events,
    happen,
    lanes,
    no_answer,
    of,
)  # fmt: skip
from tests.assertions import count, rows
from tests.factories import Company
from tests.local.waiting import eventually

NOW = timezone.now()


async def until(true: Any, *, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(_asked, true):
            await asyncio.sleep(0.05)


def _asked(true: Any) -> bool:
    try:
        return bool(true())
    finally:
        connection.close()


async def deliver(workers: list[Worker], true: Any) -> None:
    """Run workers until something is true."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stop=stop)) for worker in workers]
    try:
        await until(true)
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def all_delivered(expected: int) -> bool:
    return [one.status for one in deliveries()].count("delivered") == expected


def test_two_workers_bring_everything_once_and_in_order(committed_db: None, acme: Company) -> None:
    endpoint(acme)
    for number in range(12):
        happen(acme, object_id=f"o{number}", times=5, at=NOW)
    receiver = Receiver()
    asyncio.run(deliver([Worker(receiver.post), Worker(receiver.post)], lambda: all_delivered(60)))
    assert len(receiver.ids) == len(set(receiver.ids)) == 60
    for number in range(12):
        assert [got.sequence for got in receiver.got if got.body["object_id"] == f"o{number}"] == [1, 2, 3, 4, 5]
    assert lanes() == []


def test_a_hanging_endpoint_delays_no_other(committed_db: None, acme: Company, globex: Company) -> None:
    endpoint(acme, url="https://hangs.example.com/")
    endpoint(globex)
    for number in range(20):
        happen(acme, object_id=f"o{number}", at=NOW)
    happen(globex, times=3, at=NOW)
    receiver, hanging = Receiver(), asyncio.Event()

    async def post(url: str, *, content: bytes, headers: Mapping[str, str], on_behalf_of: str = "") -> Answer:
        if "hangs" in url:
            await hanging.wait()
            raise no_answer()
        return await receiver.post(url, content=content, headers=headers)

    async def play() -> None:
        await deliver([Worker(post)], lambda: all_delivered(3))

    asyncio.run(play())
    assert receiver.sequences == [1, 2, 3]
    with ThreadPoolExecutor(1) as pool:  # what was cut off by the stop was handed back, not counted
        left = pool.submit(lambda: [lane.lease for lane in lanes()]).result()
    assert left == [None] * 20


def test_an_outcome_of_chance_or_a_crash_of_the_client_is_a_failure(committed_db: None, acme: Company) -> None:
    row, _ = endpoint(acme)
    happen(acme, at=NOW)

    async def post(url: str, **more: Any) -> Answer:
        raise RuntimeError("a bug")

    asyncio.run(deliver([Worker(post)], lambda: of(row).failures == 1))
    assert [(one.status, one.error) for one in deliveries()] == [("pending", "internal")]


def test_the_process_leaves_signs_of_life_and_stops_when_told(committed_db: None, valkey_client: Any) -> None:
    async def play() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(run(stop=stop))
        await until(lambda: valkey_client.get("irisx:alive:webhooks"))
        stop.set()
        async with asyncio.timeout(30):
            await running

    asyncio.run(play())


class TestAtOnce:
    def test_of_many_dispatchers_each_event_goes_once(self, committed_db: None, acme: Company) -> None:
        endpoint(acme)
        for number in range(10):
            happen(acme, object_id=f"o{number}", times=3, at=NOW)

        def one(_: int) -> int:
            try:
                return dispatch(now=timezone.now(), most=4)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            done = 0
            while done < 30:
                done += sum(pool.map(one, range(6)))
        assert len(deliveries()) == done == 30
        assert len({event.position for event in events()}) == 30

    def test_of_many_claimers_each_lane_is_one_s(self, committed_db: None, acme: Company) -> None:
        endpoint(acme)
        for number in range(30):
            happen(acme, object_id=f"o{number}", at=NOW)
        dispatch(now=timezone.now())
        now = timezone.now()

        def one(_: int) -> list[Any]:
            try:
                return [job.lane_id for job in claim(lease=uuid7(), most=4, now=now)]
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            taken = [lane for found in pool.map(one, range(12)) for lane in found]
        assert len(taken) == len(set(taken)) == 10  # as many as one endpoint gets at once, from all together


class TestListening:
    def test_prints_what_arrives_and_leaves_no_endpoint(
        self, committed_db: None, acme: Company, settings: Settings
    ) -> None:
        settings.IRISX_DEMO = True
        printed: list[str] = []
        stop = threading.Event()

        def listening() -> None:
            try:
                listen(tenant_id=acme.tenant.pk, event_types=[], port=0, write=printed.append, stop=stop, now=NOW)
            finally:
                connection.close()

        thread = threading.Thread(target=listening)
        thread.start()
        try:
            eventually(lambda: bool(printed))
            happen(acme, at=NOW)

            async def play() -> None:
                ended = asyncio.Event()
                running = asyncio.create_task(run(stop=ended))
                await until(lambda: len(printed) > 1)
                ended.set()
                await running

            asyncio.run(play())
        finally:
            stop.set()
            thread.join()
        assert "signature ok" in printed[1]
        assert '"type": "chat.message.created"' in printed[1]
        assert count(WebhookEndpoint) == 0

    def test_is_refused_outside_the_demo(self, acme: Company, settings: Settings) -> None:
        settings.IRISX_DEMO = False
        with pytest.raises(CommandError, match="demo"):
            call_command("webhooks_listen", tenant=acme.tenant.slug)
        assert rows(WebhookEndpoint) == []

    def test_needs_a_tenant_there_is(self, db: None, settings: Settings) -> None:
        settings.IRISX_DEMO = True
        with pytest.raises(CommandError, match="no tenant"):
            call_command("webhooks_listen", tenant="nobody")
