"""The one base of every socket: sign-in by first frame, frames in order, a bounded outbox, pings that re-check rights.

The wire protocol is docs/guides/websocket.md.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, ParamSpec, TypeVar

import orjson
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.db import Error as DatabaseError
from redis import RedisError

from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from common.db import in_database_thread
from common.errors import DomainError, Forbidden, Invalid, NotAuthenticated, Unavailable, Unreadable
from common.problems import body as problem_body

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger(__name__)

VERSION: Final = 1
SIGN_IN_SECONDS = 5
PING_SECONDS = 25
MOST_FRAME_BYTES = 64 * 1024
MOST_WAITING_FRAMES = 500
RESTART, SIGN_IN, FORBIDDEN, TOO_SLOW, PROTOCOL = 1012, 4001, 4003, 4008, 4009

Frame = dict[str, Any]
Handler = Callable[[Frame], Awaitable[None]]


class SocketClosed(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class SocketConsumer(AsyncConsumer):
    """A socket of one principal. Subclasses say who may sign in, what a ping carries, and handle frames by type."""

    # No channel of its own and no thread hop per message: live events come through `common.live.hub`.
    channel_layer_alias = "none"
    handlers: ClassVar[dict[str, str]] = {}
    principal: Principal

    def __init__(self) -> None:
        self._outbox: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING_FRAMES)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_signed_in = False
        self._is_closing = False

    # --- for subclasses ----------------------------------------------------------------------------------------------

    async def sign_in(self, frame: Frame) -> Principal:
        """Return the principal of an auth frame or raise a DomainError."""
        raise NotAuthenticated("Nobody signs in here.")

    async def welcome(self, frame: Frame) -> None:
        """Subscribe, then send `ready` and what was missed."""

    async def ping_body(self) -> Frame:
        """Return what a ping carries; raise NotAuthenticated or Forbidden when the principal may listen no more."""
        return {}

    async def leave(self) -> None:
        """Unsubscribe from everything."""

    def send_frame(self, type: str, **fields: Any) -> None:
        """Queue a frame for this socket."""
        self.deliver(orjson.dumps({"v": VERSION, "type": type, **fields}).decode())

    def deliver(self, text: str) -> None:
        """Queue an encoded frame; a client that reads too slowly is closed with 4008."""
        try:
            self._outbox.put_nowait(text)
        except asyncio.QueueFull:
            if not self._is_closing:
                self._is_closing = True
                self._tasks.append(asyncio.create_task(self._close(TOO_SLOW)))

    async def in_scope(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service in a database thread, in one transaction inside the principal's tenant."""

        def scoped() -> R:
            with tenant_scope(self.principal.tenant_id):
                return function(*args, **kwargs)

        return await self.in_thread(scoped)

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that uses the database or Valkey in a thread; raise Unavailable when either fails it."""
        try:
            return await in_database_thread(function, *args, **kwargs)
        except (DatabaseError, RedisError) as error:
            logger.warning("storage failed under a frame", exc_info=True)
            raise Unavailable("The server's storage does not answer just now; send this again.") from error

    # --- ASGI --------------------------------------------------------------------------------------------------------

    async def dispatch(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.connect":
                await self.send({"type": "websocket.accept"})
                self._tasks += [asyncio.create_task(self._write()), asyncio.create_task(self._sign_in_deadline())]
            case "websocket.receive":
                await self._receive(message.get("text"))
            case "websocket.disconnect":
                await self._disconnect()
                raise StopConsumer

    async def _receive(self, text: str | None) -> None:
        if self._is_closing:
            return
        frame: Frame = {}
        try:
            frame = _parse(text)
            await self._answer(frame)
        except SocketClosed as closed:
            await self._close(closed.code)
        except DomainError as error:
            await self._refuse(frame, error)
        except Exception:
            logger.exception("a frame of type %s crashed", frame.get("type"))
            await self._refuse(frame, Unavailable("Something broke on our side; nothing was written.", code="crash"))

    async def _answer(self, frame: Frame) -> None:
        if not self._is_signed_in:
            if frame["type"] != "auth":
                raise SocketClosed(SIGN_IN)
            self.principal = await self.sign_in(frame)
            await self.welcome(frame)
            self._is_signed_in = True
            self._tasks.append(asyncio.create_task(self._ping_for_ever()))
            return
        name = self.handlers.get(frame["type"])
        if name is None:
            raise Invalid(f"There is no frame of type {frame['type'][:40]!r}.", code="unknown-type", pointer="/type")
        await getattr(self, name)(frame)

    async def _refuse(self, frame: Frame, error: DomainError) -> None:
        id = frame.get("id")
        fields = {"id": id} if isinstance(id, str) else {}
        self.send_frame("problem", **fields, problem=problem_body(error))
        if not self._is_signed_in:
            await self._close(_sign_in_code(error))

    async def _write(self) -> None:
        while True:
            await self.send({"type": "websocket.send", "text": await self._outbox.get()})

    async def _sign_in_deadline(self) -> None:
        await asyncio.sleep(SIGN_IN_SECONDS)
        if not self._is_signed_in:
            await self._close(SIGN_IN)

    async def _ping_for_ever(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            try:
                self.send_frame("ping", **await self.ping_body())
            except (NotAuthenticated, Forbidden):
                await self._close(FORBIDDEN)
                return
            except Unavailable:
                self.send_frame("ping")

    async def _close(self, code: int) -> None:
        self._is_closing = True
        while code != TOO_SLOW and not self._outbox.empty():
            await self.send({"type": "websocket.send", "text": self._outbox.get_nowait()})
        await self.send({"type": "websocket.close", "code": code})

    async def _disconnect(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._is_signed_in:
            try:
                await self.leave()
            except (DomainError, OSError, RedisError):
                logger.warning("a socket left untidily", exc_info=True)


def _sign_in_code(error: DomainError) -> int:
    """Return the close code of a refused sign-in. What is our own failure must not make a client forget its token."""
    match error:
        case Unavailable():
            return RESTART
        case Forbidden():
            return FORBIDDEN
    return SIGN_IN


def _parse(text: str | None) -> Frame:
    """Return a frame, or raise SocketClosed for what is no frame at all."""
    if text is None or len(text) > MOST_FRAME_BYTES:
        raise SocketClosed(PROTOCOL)
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise SocketClosed(PROTOCOL) from None
    if not isinstance(frame, dict) or frame.get("v") != VERSION or not isinstance(frame.get("type"), str):
        raise SocketClosed(PROTOCOL)
    if not isinstance(frame.get("id", ""), str) or len(frame.get("id", "")) > 64:
        raise Unreadable("id must be a string of at most 64 characters.", pointer="/id")
    return frame


def text_of(frame: Frame, name: str, *, most: int = 100) -> str:
    """Return a text field; raise Invalid when it is missing, no text or too long."""
    value = frame.get(name)
    if not isinstance(value, str) or not value or len(value) > most:
        raise Invalid(f"{name} must be a text of 1 to {most} characters.", pointer=f"/{name}")
    return value


def whole_of(frame: Frame, name: str, *, default: int | None = None) -> int:
    """Return a whole number of at least 0; raise Invalid otherwise."""
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise Invalid(f"{name} must be a whole number of at least 0.", pointer=f"/{name}")
    return value
