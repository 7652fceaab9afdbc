"""A socket: an ASGI application of one principal. Subclasses say who may sign in and handle frames by type."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, ParamSpec, TypeVar
from uuid import UUID

from django.db import Error as DatabaseError
from redis import RedisError

from accounts.operators import impersonating
from accounts.principals import Principal
from accounts.sockets.frames import (
    FORBIDDEN,
    RESTART,
    SIGN_IN,
    TOO_SLOW,
    Frame,
    SocketClosed,
    encode_frame,
    parse,
    sign_in_code,
)  # fmt: skip
from accounts.sockets.outbox import Full, Outbox, Send, Write
from accounts.sockets.pulse import CLOSING, Finding, Listener, Sign, registry
from accounts.tenancy import tenant_scope
from common.db import in_database_thread
from common.errors import DomainError, Invalid, NotAuthenticated, Unavailable
from common.problems import body as problem_body
from common.wire import DIRECT

P = ParamSpec("P")
R = TypeVar("R")
Receive = Callable[[], Awaitable[dict[str, Any]]]
logger = logging.getLogger(__name__)

SIGN_IN_SECONDS = 5
CLOSE_SECONDS = 5
RESTART_SECONDS = 30
# A desk that opens two hundred conversations at once is within the burst.
FRAMES_AT_ONCE, FRAMES_A_SECOND = 500, 50
# A close of the client's own, or one that ended its rights: it will not be back at once.
CLEAN = {1000, 1001, SIGN_IN, FORBIDDEN}


class SocketConsumer:
    """One connection. All of it happens in the event loop; what uses the database goes to a thread, one call a frame."""

    __slots__ = (
        "__weakref__",
        "_closed_with",
        "_deadline",
        "_is_cut",
        "_outbox",
        "_paced_until",
        "_send",
        "_task",
        "heard_at",
        "is_welcome",
        "principal",
    )
    handlers: ClassVar[dict[str, str]] = {}
    principal: Principal | None

    def __init__(self, send: Send, write: Write | None = None) -> None:
        self._send = send
        self._outbox = Outbox(send, write)
        self._task: asyncio.Task[Any] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._closed_with = 0
        self._is_cut = False
        self.is_welcome = False
        self.heard_at = 0.0
        self._paced_until = 0.0
        self.principal = None

    # --- for subclasses ----------------------------------------------------------------------------------------------

    async def sign_in(self, frame: Frame) -> Principal:
        """Return the principal of an auth frame or raise a DomainError."""
        raise NotAuthenticated("Nobody signs in here.")

    async def welcome(self, frame: Frame) -> None:
        """Subscribe, then send `ready` and what was missed."""

    async def leave(self, *, is_clean: bool) -> None:
        """Unsubscribe from everything. `is_clean`: the client said goodbye."""

    def followed(self) -> tuple[UUID, ...]:
        """Return what this socket's ping tells the heads of."""
        return ()

    @classmethod
    def examine(cls, listeners: Sequence[Listener], now: datetime) -> list[Finding | None]:
        """Return for each socket who it is now and what its ping says; None for one that may listen no more.

        Runs in a database thread, for every socket of this kind in the process at once.
        """
        return [Finding(listener.principal, {}) for listener in listeners]

    @classmethod
    def note_signs(cls, signs: Sequence[Sign], now: datetime) -> None:
        """Store that these people gave a sign of life. Runs in a database thread."""

    # --- what subclasses use -----------------------------------------------------------------------------------------

    @property
    def who(self) -> Principal:
        """Return the signed-in principal."""
        if self.principal is None:
            raise NotAuthenticated("Sign in first.")
        return self.principal

    def send_frame(self, type: str, **fields: Any) -> None:
        """Send a frame to this socket."""
        self.deliver(encode_frame(type, **fields))

    def deliver(self, text: str) -> None:
        """Send an encoded frame; a client that reads too slowly is closed with 4008."""
        if self._closed_with:
            return
        try:
            self._outbox.put(text)
        except Full:
            self.close(TOO_SLOW)

    async def in_scope(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service in a database thread, in one transaction inside the principal's tenant."""
        tenant_id = self.who.tenant_id

        def scoped() -> R:
            with tenant_scope(tenant_id):
                return function(*args, **kwargs)

        return await self.in_thread(scoped)

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that uses the database or Valkey in a thread; raise Unavailable when either fails it."""
        try:
            return await in_database_thread(function, *args, **kwargs)
        except (DatabaseError, RedisError) as error:
            logger.warning("storage failed under a frame", exc_info=True)
            raise Unavailable("The server's storage does not answer just now; send this again.") from error

    # --- closing -----------------------------------------------------------------------------------------------------

    def close(self, code: int) -> None:
        """Send what waits, then close. Nothing is delivered any more. A repeat changes nothing."""
        if self._closed_with:
            return
        self._closed_with = code
        registry().hold(asyncio.create_task(self._end(code), name=CLOSING))

    def send_away(self) -> None:
        """Tell the client that the server restarts, and close."""
        self.send_frame("restart", retry_after_seconds=RESTART_SECONDS)
        self.close(RESTART)

    async def _end(self, code: int) -> None:
        if code == TOO_SLOW:
            self._outbox.drop()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._outbox.drain()
                await self._send({"type": "websocket.close", "code": code})
        except (TimeoutError, OSError):
            self._is_cut = True
            if self._task is not None:
                self._task.cancel()

    # --- ASGI --------------------------------------------------------------------------------------------------------

    @classmethod
    def as_asgi(cls) -> Callable[[Any, Receive, Send], Awaitable[None]]:
        """Return the ASGI application that makes one of these for each connection."""

        async def application(scope: Any, receive: Receive, send: Send) -> None:
            await cls(send, (scope.get("extensions") or {}).get(DIRECT)).run(receive)

        return application

    async def run(self, receive: Receive) -> None:
        """Serve the connection until it ends."""
        self._task = asyncio.current_task()
        self._deadline = asyncio.get_running_loop().call_later(SIGN_IN_SECONDS, self.close, SIGN_IN)
        message: dict[str, Any] = {}
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.connect":
                    await self._send({"type": "websocket.accept"})
                else:
                    self.heard_at = time.time()
                    await self._pace()
                    await self._take(message.get("text"))
        except asyncio.CancelledError:
            if not self._is_cut:
                raise
        finally:
            await self._part(message)

    async def _pace(self) -> None:
        """Read no faster than the pace, after a burst: what a client sends beyond that waits in its own connection."""
        self._paced_until = max(
            self._paced_until + 1 / FRAMES_A_SECOND, self.heard_at - FRAMES_AT_ONCE / FRAMES_A_SECOND
        )
        if (early := self._paced_until - self.heard_at) > 0:
            await asyncio.sleep(early)

    async def _take(self, text: str | None) -> None:
        if self._closed_with:
            return
        frame: Frame = {}
        try:
            frame = parse(text)
            await self._answer(frame)
        except SocketClosed as closed:
            self.close(closed.code)
        except DomainError as error:
            self._refuse(frame, error)
        except Exception:
            logger.exception("a frame of type %s crashed", frame.get("type"))
            self._refuse(frame, Unavailable("Something broke on our side; nothing was written.", code="crash"))

    async def _answer(self, frame: Frame) -> None:
        if self.principal is None:
            if frame["type"] != "auth":
                raise SocketClosed(SIGN_IN)
            await self._enter(frame)
            return
        name = self.handlers.get(frame["type"])
        if name is None:
            raise Invalid(f"There is no frame of type {frame['type'][:40]!r}.", code="unknown-type", pointer="/type")
        await getattr(self, name)(frame)
        if impersonating.is_mark(self.principal.session) and frame["type"] not in impersonating.UNNOTED_FRAMES:
            await self.in_thread(impersonating.note_frame, self.principal, frame["type"])

    async def _enter(self, frame: Frame) -> None:
        """Sign in. In the registry first: a revocation that comes while the welcome is prepared is heard."""
        self._stop_deadline()
        self.principal = await self.sign_in(frame)
        await registry().add(self)
        try:
            await self.welcome(frame)
        except BaseException:
            registry().discard(self)
            raise
        self.is_welcome = True

    def _refuse(self, frame: Frame, error: DomainError) -> None:
        id = frame.get("id")
        fields: Frame = {"id": id} if isinstance(id, str) else {}
        if error.retry_after_seconds is not None:
            fields["retry_after_seconds"] = error.retry_after_seconds
        self.send_frame("problem", **fields, problem=problem_body(error))
        if not self.is_welcome:
            self.close(sign_in_code(error))

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    async def _part(self, message: dict[str, Any]) -> None:
        self._stop_deadline()
        self._outbox.drop()
        if self.principal is None:
            return
        registry().discard(self)
        try:
            await self.leave(is_clean=self._was_clean(message))
        except (DomainError, DatabaseError, RedisError, OSError):
            logger.warning("a socket left untidily", exc_info=True)

    def _was_clean(self, message: dict[str, Any]) -> bool:
        """Say whether the client closed the connection; a lost one has no reason in its disconnect (uvicorn) or is 1006."""
        if self._closed_with:
            return self._closed_with in CLEAN
        return message.get("code") in CLEAN or (message.get("code") == 1005 and "reason" in message)
