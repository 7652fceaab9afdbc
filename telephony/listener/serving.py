"""Serve every configured node until told to stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

from telephony import facts
from telephony.esl.address import NodeAddress
from telephony.esl.connection import Node, NodeUp
from telephony.esl.protocol import Event
from telephony.inbound import reading
from telephony.listener.arrivals import take_arrival
from telephony.listener.delivery import deliver_waiting, expire_late
from telephony.listener.intake import take_in
from telephony.listener.lanes import Lanes
from telephony.listener.ownership import owning
from telephony.listener.survey import catch_up, survey
from telephony.services.doorbell import STREAM

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
SURVEY_EVERY_SECONDS = 5.0
BEAT_EVERY_SECONDS = 5.0
FAREWELL_SECONDS = 10.0
# Read by /health, which counts the process as gone after IRISX_WORKER_STALE_SECONDS.
ALIVE_KEY = "irisx:alive:listener"


async def run(addresses: Sequence[NodeAddress], *, stop: asyncio.Event) -> None:
    """Own and serve the nodes until `stop` is set; what one node suffers doesn't touch another."""
    bells = [asyncio.Event() for _ in addresses]
    around = [
        asyncio.create_task(_again_and_again(_beat, stop, name="heartbeat")),
        asyncio.create_task(_again_and_again(partial(_hear_doorbell, bells), stop, name="doorbell")),
        asyncio.create_task(_again_and_again(_expire, stop, name="expiry")),
    ]
    nodes = [
        asyncio.create_task(_again_and_again(partial(_serve, address, bell, stop), stop, name=address.name))
        for address, bell in zip(addresses, bells, strict=True)
    ]
    await stop.wait()
    await asyncio.wait(nodes, timeout=FAREWELL_SECONDS)
    await _end((*around, *nodes))


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until all are done: Python 3.11's `asyncio.wait_for`, which redis-py sends by, can drop a cancel."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=LOOK_EVERY_SECONDS)


async def _again_and_again(job: Callable[[], Awaitable[None]], stop: asyncio.Event, *, name: str) -> None:
    """Run a job; whatever ends it before its time is logged, and it begins anew."""
    while not stop.is_set():
        try:
            await job()
        except Exception:
            log.exception("%s stopped and begins anew", name)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _serve(address: NodeAddress, bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Serve one node; on `stop` finish what is being sent, and bring what was heard into the books."""
    async with owning(address.name, stop=stop) as ownership:
        if ownership is None:
            return
        node = Node(address, events=facts.EVENTS)
        lanes: Lanes[Event] = Lanes(partial(_work, node))
        async with asyncio.TaskGroup() as group:
            for_ever = [group.create_task(job) for job in (ownership.lost(), lanes.run(), _survey(node))]
            delivering = group.create_task(_deliver(node, bell, stop))
            listening = group.create_task(_listen(node, lanes, bell))
            await stop.wait()
            bell.set()
            await delivering
            await node.close()
            await listening
            await lanes.idle()
            for task in for_ever:
                task.cancel()


async def _listen(node: Node, lanes: Lanes[Event], bell: asyncio.Event) -> None:
    async with aclosing(node.notices()) as notices:
        async for notice in notices:
            if isinstance(notice, NodeUp):
                log.info("%s is connected", node.address.name)
                await lanes.idle()
                await catch_up(node)
                bell.set()
            elif isinstance(notice, Event) and (leg_id := _ours(notice)):
                await lanes.put(leg_id, notice)


async def _work(node: Node, event: Event) -> None:
    """Bring one event into the books; a call that came in is one from its parking on."""
    if event.name == reading.EVENT:
        await take_arrival(node, event)
    else:
        await take_in(event)


def _ours(event: Event) -> UUID | None:
    return facts.leg_of(event) if event.name in facts.EVENTS else None


async def _deliver(node: Node, bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Look for commands when the bell rings, and every second though it doesn't."""
    while not stop.is_set():
        if node.is_up:
            await deliver_waiting(node)
        try:
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await bell.wait()
        except TimeoutError:
            pass
        bell.clear()


async def _survey(node: Node) -> None:
    while True:
        await asyncio.sleep(SURVEY_EVERY_SECONDS)
        await survey(node)


async def _expire() -> None:
    while True:
        await expire_late()
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _hear_doorbell(bells: Sequence[asyncio.Event]) -> None:
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2) as client:
        last = "$"
        while True:
            heard: Any = await client.xread({STREAM: last}, count=100, block=2000)
            for _, rings in heard or ():
                last = rings[-1][0]
                for bell in bells:
                    bell.set()


async def _beat() -> None:
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        while True:
            await client.set(ALIVE_KEY, int(time.time()), ex=settings.IRISX_WORKER_STALE_SECONDS * 10)
            await asyncio.sleep(BEAT_EVERY_SECONDS)
