"""One signed-in connection to one switch: replies in FIFO order, events into a bounded queue, silence noticed."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from telephony.esl import commands
from telephony.esl.address import NodeAddress
from telephony.esl.commands import Command
from telephony.esl.errors import LinkLost, NotSent, SignInRefused, Unconfirmed
from telephony.esl.protocol import (
    ApiReply,
    AuthRequest,
    CommandReply,
    DisconnectNotice,
    Event,
    Malformed,
    Message,
    OversizedFrame,
    Parser,
    RudeRejection,
)

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
Reply = CommandReply | ApiReply


@dataclass(frozen=True, slots=True)
class LinkTimes:
    """How long we wait: `silence_seconds` must exceed two of the switch's HEARTBEAT intervals (20 s by default)."""

    connect_seconds: float = 5.0
    reply_seconds: float = 10.0
    silence_seconds: float = 50.0


class Link:
    """A connection that reads until it is lost; `events` delivers in the switch's order and slows it when full."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, times: LinkTimes, queue_size: int
    ) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue(maxsize=queue_size)
        self._reader, self._writer, self._times = reader, writer, times
        # A reply that nobody waits for any longer still takes its place here, so that the next one meets its command.
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._greeting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pump = asyncio.create_task(self._read(), name="esl-link")

    @classmethod
    async def open(cls, address: NodeAddress, *, times: LinkTimes | None = None, queue_size: int = 1000) -> "Link":
        """Connect and sign in; raises LinkLost or SignInRefused."""
        times = times or LinkTimes()
        try:
            async with asyncio.timeout(times.connect_seconds):
                reader, writer = await asyncio.open_connection(address.host, address.port)
        except (OSError, TimeoutError) as error:
            raise LinkLost(f"{address.name} does not answer") from error
        link = cls(reader, writer, times=times, queue_size=queue_size)
        try:
            await link._sign_in(address)
        except BaseException:
            await link.close()
            raise
        return link

    async def send(self, command: Command, *, timeout_seconds: float | None = None) -> Reply:
        """Send a command and return its reply; raises NotSent or Unconfirmed."""
        if self._pump.done() or self._writer.is_closing():
            raise NotSent("the link to the switch is down")
        wire = command.wire()
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(reply)
        self._writer.write(wire)
        try:
            async with asyncio.timeout(timeout_seconds or self._times.reply_seconds):
                return await reply
        except TimeoutError as error:
            raise Unconfirmed("the switch did not reply in time") from error

    async def lost(self) -> LinkLost:
        """Wait until the link is down and return why."""
        await asyncio.wait([self._pump])
        if self._pump.cancelled():
            return LinkLost("closed by us")
        error = self._pump.exception()
        return error if isinstance(error, LinkLost) else LinkLost(f"the reader failed: {error!r}")

    async def close(self) -> None:
        """Close the connection; commands still waiting are unconfirmed."""
        self._pump.cancel()
        await self.lost()
        self._writer.close()

    async def _sign_in(self, address: NodeAddress) -> None:
        try:
            async with asyncio.timeout(self._times.connect_seconds):
                await self._greeting
            wanted = (
                commands.userauth(address.user, address.password) if address.user else commands.auth(address.password)
            )
            reply = await self.send(wanted)
        except (NotSent, Unconfirmed, TimeoutError) as error:
            raise LinkLost(f"{address.name} did not let us sign in") from error
        if not isinstance(reply, CommandReply) or not reply.is_ok:
            raise SignInRefused(f"{address.name} refused the user or password of FREESWITCH_URL")

    async def _read(self) -> None:
        parser = Parser()
        try:
            while True:
                for message in parser.feed(await self._next_bytes()):
                    await self._take(message)
        except OversizedFrame as error:
            raise LinkLost(str(error)) from error
        finally:
            self._writer.close()
            self._give_up()

    async def _next_bytes(self) -> bytes:
        try:
            async with asyncio.timeout(self._times.silence_seconds):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError as error:
            raise LinkLost("the switch fell silent") from error
        except OSError as error:
            raise LinkLost("the connection broke") from error
        if not data:
            raise LinkLost("the switch closed the connection")
        return data

    async def _take(self, message: Message) -> None:
        match message:
            case Event():
                await self.events.put(message)
            case CommandReply() | ApiReply():
                self._settle(message)
            case AuthRequest():
                if not self._greeting.done():
                    self._greeting.set_result(None)
            case RudeRejection():
                if not self._greeting.done():
                    self._greeting.set_exception(SignInRefused("the switch's access list refuses this address"))
            case DisconnectNotice(is_final=True):
                raise LinkLost("the switch said goodbye")
            case Malformed():
                log.warning("unreadable %s frame: %s", message.content_type, message.reason)

    def _settle(self, reply: Reply) -> None:
        if not self._waiting:
            log.warning("a reply came that nobody asked for")
            return
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(reply)

    def _give_up(self) -> None:
        if not self._greeting.done():
            self._greeting.set_exception(LinkLost("the switch closed the connection before its greeting"))
            self._greeting.exception()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(Unconfirmed("the link was lost before the reply"))
                waiting.exception()
