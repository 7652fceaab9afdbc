"""The delivery process: dispatch, claim, send, settle, for ever. Several may run; each may die at any moment.

What is under way when a process dies is attempted again once its leases have run out: every event arrives at least once.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import lru_cache

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from redis import RedisError

from accounts.webhooks import claiming, dispatching, schedule, settling, signing
from accounts.webhooks.claiming import Job
from accounts.webhooks.models import MOST_ANSWER
from accounts.webhooks.settling import Outcome
from common.db import in_database_thread
from common.ids import encode, uuid7
from common.outgoing import Answer, Client, Unreachable
from common.sealed import CannotOpen, unseal
from common.valkey import client

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 1_000
MOST_AT_A_TIME = 200
LOOK_EVERY_SECONDS = 0.2
RETRY_SECONDS = 0.5
BEAT_EVERY_SECONDS = 5.0
FAREWELL_SECONDS = 5.0
# Read by /health, which counts the process as gone after IRISX_WORKER_STALE_SECONDS.
ALIVE_KEY = "irisx:alive:webhooks"
ALIVE_SECONDS = 300
SENT_BY = "IRISX-Webhooks/1.0"

Post = Callable[..., Awaitable[Answer]]


async def run(*, stop: asyncio.Event) -> None:
    """Deliver until `stop` is set; then finish what is under way for five seconds and hand back the rest."""
    async with Client() as outgoing:
        worker = Worker(outgoing.post)
        beating = asyncio.create_task(_beat())
        try:
            await worker.run(stop=stop)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


class Worker:
    """One process's deliveries. `post` opens customers' addresses (common.outgoing)."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._under_way: dict[asyncio.Task[None], Job] = {}
        self._outcomes: asyncio.Queue[Outcome | Job] = asyncio.Queue()
        self._bell = asyncio.Event()

    async def run(self, *, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        settling_ = asyncio.create_task(self._settle_for_ever())
        stopping = asyncio.create_task(self._ring_when(stop))
        try:
            while not stop.is_set():
                if not await self._look():
                    await self._rest()
            await self._finish()
        finally:
            settling_.cancel()
            stopping.cancel()
            await asyncio.gather(settling_, stopping, return_exceptions=True)

    async def _look(self) -> bool:
        """Dispatch and claim once; say whether there may be more at once."""
        try:
            dispatched = await in_database_thread(dispatching.dispatch, now=timezone.now())
            room = min(MOST_UNDER_WAY - len(self._under_way), MOST_AT_A_TIME)
            jobs = (
                await in_database_thread(claiming.claim, lease=uuid7(), most=room, now=timezone.now()) if room else []
            )
        except (OperationalError, InterfaceError):
            log.warning("the database does not answer", exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)
            return False
        for job in jobs:
            self._begin(job)
        return dispatched >= dispatching.BATCH or len(jobs) == MOST_AT_A_TIME

    async def _rest(self) -> None:
        """Wait for the bell, which rings when attempts were settled; 0.2 seconds at most."""
        try:
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()

    async def _ring_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._bell.set()

    def _begin(self, job: Job) -> None:
        if job.delivery_id is None:
            self._outcomes.put_nowait(job)
            return
        task = asyncio.create_task(self._attempt(job))
        self._under_way[task] = job
        task.add_done_callback(lambda done: self._under_way.pop(done, None))

    async def _attempt(self, job: Job) -> None:
        try:
            outcome = await attempt(job, self._post, now=timezone.now())
        except asyncio.CancelledError:
            self._outcomes.put_nowait(job)
            raise
        except Exception:
            log.exception("delivery %s could not be attempted", job.delivery_id)
            outcome = Outcome(job, timezone.now(), 0, error="internal")
        self._outcomes.put_nowait(outcome)

    async def _settle_for_ever(self) -> None:
        while True:
            settled = [await self._outcomes.get()]
            while len(settled) < MOST_AT_A_TIME and not self._outcomes.empty():
                settled.append(self._outcomes.get_nowait())
            await self._settle(settled)
            for _ in settled:
                self._outcomes.task_done()

    async def _settle(self, settled: list[Outcome | Job]) -> None:
        """Write a batch down, again and again while the database is away; what cannot be is left to its leases' end."""
        outcomes = [one for one in settled if isinstance(one, Outcome)]
        unused = [one for one in settled if isinstance(one, Job)]
        while True:
            try:
                done = await in_database_thread(
                    settling.settle, outcomes=outcomes, unused=unused, now=timezone.now(), spread=_chance()
                )
            except (OperationalError, InterfaceError):
                log.warning("the database does not answer; %s outcomes wait", len(settled), exc_info=True)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("%s outcomes could not be written down", len(settled))
                return
            else:
                if done.has_more or outcomes:  # there is room again, for other lanes of their endpoints too
                    self._bell.set()
                return

    async def _finish(self) -> None:
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=FAREWELL_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._outcomes.join()


async def attempt(job: Job, post: Post, *, now: datetime) -> Outcome:
    """Send a job's event once, signed at `now`, and return what came of it."""
    if job.body is None:
        return Outcome(job, now, 0, error="expired")
    body = job.body.encode()
    began = time.monotonic()
    try:
        keys = [_key(sealed) for sealed in (job.secret, job.former_secret) if sealed]
        headers = signing.headers(id=encode("evt", job.event_id), body=body, keys=keys, now=now)
        more = {"content-type": "application/json", "user-agent": SENT_BY, "accept": "*/*"}
        answer = await post(job.url, content=body, headers={**headers, **more}, on_behalf_of=job.tenant_id.hex)
    except CannotOpen:
        return Outcome(job, now, 0, error="secret-unreadable")
    except Unreachable as error:
        return Outcome(job, now, _milliseconds(began), error=error.reason, answer=_clean(str(error)))
    wait = schedule.retry_after(answer.headers.get("retry-after", ""), now=now)
    return Outcome(job, now, _milliseconds(began), answer.status, answer=_first(answer.body), retry_after=wait)


@lru_cache(maxsize=2_000)
def _key(sealed: str) -> bytes:
    return signing.key_of(unseal(sealed))


def _first(body: bytes) -> str:
    return _clean(body[:MOST_ANSWER].decode(errors="replace"))


def _clean(text: str) -> str:
    """Return a text that PostgreSQL takes: no NUL."""
    return text.replace("\0", "\ufffd")[:MOST_ANSWER]


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _chance() -> float:
    return random.uniform(-1, 1)  # noqa: S311 - spreads load, hides nothing


async def _beat() -> None:
    """Leave a sign of life in Valkey for as long as this loop turns."""
    while True:
        try:
            await asyncio.to_thread(client().set, ALIVE_KEY, int(time.time()), ex=ALIVE_SECONDS)
        except RedisError:
            log.warning("no sign of life could be left", exc_info=True)
        await asyncio.sleep(BEAT_EVERY_SECONDS)
