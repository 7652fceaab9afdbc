"""The signed-in sockets of this process, and its pulse: every 25 seconds one look at the database for all of them.

The pulse re-checks everybody's rights, reads the heads and sends each socket its ping. A revocation, and the doorbell's return
after a loss, bring the same look at once for those concerned. Signs of life are stored at most every 30 seconds a person.
"""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from django.utils import timezone

from accounts.principals import Principal
from accounts.revocation import TOPIC as REVOCATIONS
from accounts.sockets.frames import FORBIDDEN, Frame, encode_frame
from common.db import in_database_thread
from common.live.hub import hub
from common.timestamps import rfc3339

if TYPE_CHECKING:
    from accounts.sockets.consumer import SocketConsumer

logger = logging.getLogger(__name__)
PING_SECONDS = 25
SIGNS_SECONDS = 5
SIGN_AT_MOST_EVERY_SECONDS = 30
SOCKETS_A_STEP = 50  # pinged between two looks at other work
GATHER_SECONDS = 0.02
CLOSING = "closing"

Person = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket as a database thread sees it."""

    principal: Principal
    followed: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Who a socket's principal is now, and what its ping says beside the time."""

    principal: Principal
    ping: Frame


@dataclass(frozen=True, slots=True)
class Sign:
    """Somebody was heard at a time."""

    principal: Principal
    heard_at: datetime


class Registry:
    """Every signed-in socket of one event loop."""

    def __init__(self) -> None:
        self._people: dict[Person, set[SocketConsumer]] = defaultdict(set)
        self._noted: dict[Person, float] = {}
        self._urgent: set[SocketConsumer] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_beating = False

    @property
    def size(self) -> int:
        """How many sockets are signed in; may be asked from any thread."""
        return sum(len(sockets) for sockets in list(self._people.values()))

    async def add(self, socket: "SocketConsumer") -> None:
        """Take in a signed-in socket; the first one starts the pulse and the ear for revocations."""
        self._people[_person(socket)].add(socket)
        if not self._is_beating:
            self._is_beating = True
            hub().on_recovery(self._look_at_everybody)
            self._repeat(self._pulse)
            self._repeat(self._note_signs)
            await hub().subscribe(REVOCATIONS, self._on_revoked)

    def discard(self, socket: "SocketConsumer") -> None:
        """Forget a socket. A repeat changes nothing."""
        person = _person(socket)
        self._urgent.discard(socket)
        sockets = self._people.get(person)
        if sockets is None:
            return
        sockets.discard(socket)
        if not sockets:
            del self._people[person]
            self._noted.pop(person, None)

    def has(self, principal: Principal) -> bool:
        """Say whether somebody has a socket in this process."""
        return (principal.tenant_id, principal.id) in self._people

    def sockets(self) -> list["SocketConsumer"]:
        """Return every signed-in socket."""
        return [socket for sockets in self._people.values() for socket in sockets]

    def noted(self, principal: Principal) -> None:
        """Remember that a sign of life was stored just now."""
        self._noted[principal.tenant_id, principal.id] = time.time()

    def hold(self, task: asyncio.Task[Any]) -> None:
        """Keep a reference to a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_away(self) -> None:
        """Tell every socket that the server restarts, close it, and wait until this is written."""
        for number, socket in enumerate(self.sockets(), 1):
            socket.send_away()
            if number % SOCKETS_A_STEP == 0:
                await asyncio.sleep(0)
        if closing := [task for task in self._tasks if task.get_name() == CLOSING]:
            await asyncio.wait(closing)

    # --- the pulse ---------------------------------------------------------------------------------------------------

    def _repeat(self, beat: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def for_ever() -> None:
            while True:
                try:
                    await beat()
                except Exception:  # the next beat tries again
                    logger.exception("a beat of the pulse failed")
                    await asyncio.sleep(1)

        self.hold(asyncio.create_task(for_ever()))

    async def _pulse(self) -> None:
        await asyncio.sleep(random.uniform(0, PING_SECONDS))  # noqa: S311 - processes started together beat apart
        while True:
            started = time.monotonic()
            await self.look_at(self.sockets())
            await asyncio.sleep(max(0.0, PING_SECONDS - (time.monotonic() - started)))

    async def look_at(self, sockets: Iterable["SocketConsumer"]) -> None:
        """Re-check these sockets' rights in one go for each kind; close those that lost them, ping the others."""
        kinds: dict[type[SocketConsumer], list[SocketConsumer]] = defaultdict(list)
        for socket in sockets:
            kinds[type(socket)].append(socket)
        for kind, group in kinds.items():
            listeners = [Listener(socket.who, socket.followed()) for socket in group]
            now = timezone.now()
            try:
                findings = await in_database_thread(kind.examine, listeners, now)
            except Exception:  # storage is away: an empty ping says that we are not
                logger.warning("the pulse could not ask the database", exc_info=True)
                findings = [Finding(listener.principal, {}) for listener in listeners]
            await _tell(zip(group, findings, strict=True), rfc3339(now) or "")

    async def _note_signs(self) -> None:
        await asyncio.sleep(SIGNS_SECONDS)
        due: dict[type[SocketConsumer], list[Sign]] = defaultdict(list)
        now = time.time()
        for person, sockets in self._people.items():
            socket = max(sockets, key=lambda socket: socket.heard_at)
            last = self._noted.get(person, 0.0)
            if now - last >= SIGN_AT_MOST_EVERY_SECONDS and socket.heard_at > last - PING_SECONDS:
                due[type(socket)].append(Sign(socket.who, datetime.fromtimestamp(socket.heard_at, tz=UTC)))
        for kind, signs in due.items():
            await in_database_thread(kind.note_signs, signs, timezone.now())
            for sign in signs:
                if self.has(sign.principal):
                    self._noted[sign.principal.tenant_id, sign.principal.id] = now

    # --- looks out of turn -------------------------------------------------------------------------------------------

    def _on_revoked(self, text: str) -> None:
        frame = orjson.loads(text)
        tenants, people = set(frame["tenants"]), set(frame["people"])
        for (tenant_id, id), sockets in self._people.items():
            if id.hex in people or tenant_id.hex in tenants:
                self._hurry(sockets)

    def _look_at_everybody(self) -> None:
        self._hurry(self.sockets())

    def _hurry(self, sockets: Collection["SocketConsumer"]) -> None:
        if not self._urgent:
            self.hold(asyncio.create_task(self._look_soon()))
        self._urgent.update(sockets)

    async def _look_soon(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)  # what is rung together is looked at together
        sockets, self._urgent = self._urgent, set()
        await self.look_at(sockets)


async def _tell(pairs: Iterable[tuple["SocketConsumer", Finding | None]], now: str) -> None:
    for number, (socket, finding) in enumerate(pairs, 1):
        if finding is None:
            socket.close(FORBIDDEN)
            continue
        socket.principal = finding.principal
        if socket.is_welcome:  # nothing comes before `ready`
            socket.deliver(encode_frame("ping", now=now, **finding.ping))
        if number % SOCKETS_A_STEP == 0:
            await asyncio.sleep(0)


def ping_seconds() -> float:
    """Return how far two pings of a socket lie apart."""
    return PING_SECONDS


def _person(socket: "SocketConsumer") -> Person:
    return socket.who.tenant_id, socket.who.id


_registries: WeakKeyDictionary[asyncio.AbstractEventLoop, Registry] = WeakKeyDictionary()


def sockets_open() -> int:
    """Return how many sockets are signed in at this process; callable from any thread."""
    return sum(found.size for found in list(_registries.values()))


def registry() -> Registry:
    """Return the registry of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _registries:
        _registries[loop] = Registry()
    return _registries[loop]
