"""One client of the event socket: sign-in, subscriptions, filters, api and bgapi."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from telephony.simulator import api, wire
from telephony.simulator.channel import Hangup
from telephony.simulator.switch import ORIGINS, Switch

NOT_FOUND = "-ERR command not found"
KNOWN_EVENTS = frozenset(ORIGINS) - {"CHANNEL_DATA"} | {
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "RECORD_START",
    "RECORD_STOP",
    "PLAYBACK_START",
    "PLAYBACK_STOP",
    "CHANNEL_UUID",
    "API",
}
MAX_COMMAND_BYTES = 1024 * 1024


@dataclass(slots=True)
class Request:
    """One command with its header lines."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """Return the command's name, in lower case."""
        return self.line.split(" ", 1)[0].lower()

    @property
    def argument(self) -> str:
        """Return what follows the name."""
        return self.line.partition(" ")[2].strip()


class Session:
    """Serve one connection until it says goodbye."""

    def __init__(
        self, switch: Switch, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, password: str, user: str
    ) -> None:
        self._switch, self._reader, self._writer = switch, reader, writer
        self._password, self._user = password, user
        self._is_signed_in = False
        self._format = "plain"
        self._events: set[str] = set()
        self._subclasses: set[str] = set()
        self._filters: list[tuple[str, str]] = []

    async def serve(self) -> None:
        """Answer commands in order; events are written as they happen."""
        self._writer.write(wire.auth_request())
        self._switch.listeners.append(self._hear)
        self._switch.clients.add(self._writer)
        try:
            async for request in self._requests():
                if not await self._answer(request):
                    self._writer.write(wire.disconnect_notice())
                    return
                await self._writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._switch.listeners.remove(self._hear)
            self._switch.clients.discard(self._writer)
            self._writer.close()

    async def _requests(self) -> AsyncIterator[Request]:
        lines: list[str] = []
        while raw := await self._reader.readline():
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line:
                lines.append(line)
            elif lines:
                request, lines = self._request(lines), []
                length = request.headers.get("content-length", "")
                await self._reader.readexactly(int(length) if length.isdigit() else 0)
                yield request

    @staticmethod
    def _request(lines: list[str]) -> Request:
        pairs = (line.partition(":") for line in lines[1:])
        return Request(lines[0].lstrip(), {name.strip().lower(): value.strip() for name, _, value in pairs})

    async def _answer(self, request: Request) -> bool:
        """Answer one command and say whether to go on."""
        if request.verb == "exit":
            self._writer.write(wire.command_reply("+OK bye"))
            return False
        if request.verb in {"auth", "userauth"}:
            return self._sign_in(request)
        handler = _HANDLERS.get(request.verb)
        if handler is None or not self._is_signed_in:
            self._writer.write(wire.command_reply(NOT_FOUND))
        else:
            await handler(self, request)
        return True

    def _sign_in(self, request: Request) -> bool:
        expected = self._password if request.verb == "auth" else f"{self._user}:{self._password}"
        is_known = request.verb == "auth" or bool(self._user)
        if self._is_signed_in or not (is_known and hmac.compare_digest(request.argument.encode(), expected.encode())):
            self._writer.write(wire.command_reply(NOT_FOUND if self._is_signed_in else "-ERR invalid"))
            return self._is_signed_in
        self._is_signed_in = True
        self._writer.write(wire.command_reply("+OK accepted"))
        return True

    async def _api(self, request: Request) -> None:
        if not request.argument:
            self._writer.write(wire.command_reply(NOT_FOUND))
            return
        self._writer.write(wire.api_reply(await api.run(self._switch, request.argument) or "-ERR no reply\n"))

    async def _bgapi(self, request: Request) -> None:
        if not request.argument:
            self._writer.write(wire.command_reply(NOT_FOUND))
            return
        job = request.headers.get("job-uuid") or str(uuid4())
        self._writer.write(wire.command_reply(f"+OK Job-UUID: {job}", Job_UUID=job))
        self._switch.spawn(self._background(job, request.argument))

    async def _background(self, job: str, line: str) -> None:
        name, _, argument = line.partition(" ")
        body = await api.run(self._switch, line)
        headers = {"Job-UUID": job, "Job-Command": name}
        self._switch.publish("BACKGROUND_JOB", headers | ({"Job-Command-Arg": argument} if argument else {}), body)

    async def _event(self, request: Request) -> None:
        words = request.argument.split()
        kind = words.pop(0).lower() if words and words[0].lower() in {"plain", "json", "xml"} else "plain"
        known = [word.upper() for word in words if word.upper() in KNOWN_EVENTS | {"ALL"}]
        if not known:
            self._writer.write(wire.command_reply("-ERR no keywords supplied"))
            return
        self._format = kind
        self._events |= set(known)
        self._subclasses |= set(words[words.index("CUSTOM") + 1 :]) if "CUSTOM" in words else set()
        self._writer.write(wire.command_reply(f"+OK event listener enabled {kind}"))

    async def _nixevent(self, request: Request) -> None:
        self._events -= {word.upper() for word in request.argument.split()}
        self._writer.write(wire.command_reply("+OK events nixed"))

    async def _noevents(self, request: Request) -> None:
        had_any = bool(self._events)
        self._events.clear()
        self._writer.write(
            wire.command_reply("+OK no longer listening for events" if had_any else "-ERR not listening for events")
        )

    async def _filter(self, request: Request) -> None:
        words = request.argument.split(" ", 2)
        if words[0] == "delete":
            name, value = [*words[1:], "", ""][:2]
            self._filters = [pair for pair in self._filters if name != "all" and pair != (name, value)]
            self._writer.write(wire.command_reply(f"+OK filter deleted. [{name}][{value}]"))
        elif len(words) == 2:
            self._filters.append((words[0], words[1]))
            self._writer.write(wire.command_reply(f"+OK filter added. [{words[0]}]=[{words[1]}]"))
        else:
            self._writer.write(wire.command_reply(NOT_FOUND))

    async def _sendmsg(self, request: Request) -> None:
        channel = self._switch.channels.get(request.argument)
        if channel is None:
            self._writer.write(wire.command_reply(f"-ERR invalid session id [{request.argument}]"))
            return
        if request.headers.get("call-command") == "hangup":
            channel.end(Hangup(request.headers.get("hangup-cause", "NORMAL_CLEARING")))
        self._writer.write(wire.command_reply("+OK"))

    async def _sendevent(self, request: Request) -> None:
        uuid = str(uuid4())
        extra = {name.title(): value for name, value in request.headers.items() if name != "content-length"}
        self._switch.publish("CUSTOM", extra | {"Event-UUID": uuid})
        self._writer.write(wire.command_reply(f"+OK {uuid}"))

    async def _linger(self, request: Request) -> None:
        self._writer.write(wire.command_reply("-ERR not controlling a session"))

    async def _log(self, request: Request) -> None:
        level = request.argument or "7"
        self._writer.write(wire.command_reply(f"+OK log level {level} [{level}]"))

    async def _nolog(self, request: Request) -> None:
        self._writer.write(wire.command_reply("+OK no longer logging"))

    def _hear(self, headers: dict[str, str], body: str) -> None:
        if self._is_signed_in and self._wants(headers) and not self._writer.is_closing():
            self._switch.chaos.deliver(wire.event(headers, body, self._format), self._writer)

    def _wants(self, headers: dict[str, str]) -> bool:
        name = headers["Event-Name"]
        if name not in self._events and "ALL" not in self._events:
            return False
        if name == "CUSTOM" and self._subclasses and headers.get("Event-Subclass") not in self._subclasses:
            return False
        return not self._filters or any(headers.get(header) == value for header, value in self._filters)


_HANDLERS: dict[str, Callable[[Session, Request], Awaitable[None]]] = {
    "api": Session._api,
    "bgapi": Session._bgapi,
    "event": Session._event,
    "filter": Session._filter,
    "linger": Session._linger,
    "log": Session._log,
    "nixevent": Session._nixevent,
    "noevents": Session._noevents,
    "nolog": Session._nolog,
    "sendevent": Session._sendevent,
    "sendmsg": Session._sendmsg,
}
