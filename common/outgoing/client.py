"""The guarded client: looks up, checks and pins anew at each attempt; five seconds to connect, fifteen in all."""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import NoReturn, Self

import certifi

from common.errors import Invalid
from common.outgoing.addresses import Target, check_address, literal, target_of
from common.outgoing.kept import Kept, Place
from common.outgoing.lookups import Lookups
from common.outgoing.wire import Broken, Wire

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MOST_ADDRESSES = 4  # of a name, tried one after the other
# RFC 9110: a header's name is a token; its value holds no control character but the tab, and no space at its ends.
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VALUE = re.compile(r"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?")
# What the client says itself.
OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "upgrade", "te"}
NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@dataclass(frozen=True)
class Answer:
    """What a server answered, redirects and errors too. `body` is at most 64 KiB, as sent: nothing is decompressed.

    Header names are in lower case, repeated ones joined by a comma.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool
    duration_ms: int


class Unreachable(Exception):
    """No answer. `reason` is one of refused, dns, connect, tls, timeout, protocol, closed; the text is for a person."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.duration_ms = 0


@cache
def trusted() -> ssl.SSLContext:
    """Return whom we believe: the system's authorities (SSL_CERT_FILE, SSL_CERT_DIR) and Mozilla's; TLS 1.2 and later."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client:
    """A client of one event loop. Closing it closes the connections it kept."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        lookups: Lookups | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._tls = tls or trusted()
        self._lookups = lookups or Lookups()
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._kept = Kept()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str], on_behalf_of: str = "") -> Answer:
        """POST to a customer's address. Raises Unreachable; any status is an answer, a redirect too.

        `on_behalf_of` names whose request it is: who gives names that resolve slowly waits behind their own. A kept connection
        that turns out to be closed before a byte of the answer came is replaced once: a server may see a request twice.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._total_seconds):
                status, answered, body, is_cut = await self._attempt(url, content, headers, on_behalf_of)
        except TimeoutError as error:
            late = Unreachable(f"There was no whole answer within {self._total_seconds:g} s.", reason="timeout")
            late.duration_ms = _milliseconds_since(began)
            raise late from error
        except Unreachable as error:
            error.duration_ms = _milliseconds_since(began)
            raise
        return Answer(status, answered, body, is_cut, _milliseconds_since(began))

    async def _attempt(
        self, url: str, content: bytes, headers: Mapping[str, str], on_behalf_of: str
    ) -> tuple[int, Mapping[str, str], bytes, bool]:
        connect_by = asyncio.get_running_loop().time() + self._connect_seconds
        try:
            target = target_of(url)
            sent = _head(target, headers, len(content))
            addresses = await self._addresses(target, on_behalf_of, connect_by)
        except Invalid as error:
            raise Unreachable(error.message, reason="refused") from error
        places = [Place(target.scheme, target.host, target.port, address) for address in addresses]
        for place in places:
            if wire := self._kept.take(place):
                try:
                    return await self._exchange(place, wire, target.path, sent, content)
                except Broken as error:
                    if not error.is_silent:
                        _give_up(error)
                break
        place, wire = await self._connect(places, connect_by)
        try:
            return await self._exchange(place, wire, target.path, sent, content)
        except Broken as error:
            _give_up(error)

    async def _exchange(
        self, place: Place, wire: Wire, path: str, headers: list[tuple[str, str]], content: bytes
    ) -> tuple[int, Mapping[str, str], bytes, bool]:
        answer = await wire.exchange(method="POST", path=path, headers=headers, content=content)
        self._kept.keep(place, wire)
        return *answer, wire.is_cut

    async def _addresses(self, target: Target, on_behalf_of: str, connect_by: float) -> list[str]:
        """Look the host up now; every address of it must be public, or it is Invalid."""
        if literal(target.host):
            return [target.host]
        try:
            async with asyncio.timeout_at(connect_by):
                found = await self._lookups.addresses(target.host, party=on_behalf_of or target.host)
        except TimeoutError as error:
            raise Unreachable(f"{target.host} was not resolved in time.", reason="dns") from error
        except (OSError, UnicodeError) as error:
            raise _unresolved(target.host, error) from error
        for address in found:
            check_address(address)
        return found[:MOST_ADDRESSES]

    async def _connect(self, places: list[Place], connect_by: float) -> tuple[Place, Wire]:
        """Connect to the first address that takes the call, each having its share of the time that is left."""
        loop = asyncio.get_running_loop()
        failed: Unreachable | None = None
        for number, place in enumerate(places):
            share = (connect_by - loop.time()) / (len(places) - number)
            try:
                async with asyncio.timeout(share):
                    return place, await self._open(place)
            except TimeoutError as error:
                failed = Unreachable(f"{place.address} took no connection in time.", reason="timeout")
                failed.__cause__ = error
            except OSError as error:
                failed = _unconnected(place, error)
                failed.__cause__ = error
        raise failed or Unreachable(f"{places[0].host} has no address.", reason="dns")

    async def _open(self, place: Place) -> Wire:
        """Open a connection to the very address that was checked; the certificate must name the host."""
        is_secure = place.scheme == "https"
        _, wire = await asyncio.get_running_loop().create_connection(
            Wire,
            place.address,
            place.port,
            ssl=self._tls if is_secure else None,
            server_hostname=place.host if is_secure else None,
        )
        return wire


async def post(url: str, *, content: bytes, headers: Mapping[str, str], on_behalf_of: str = "") -> Answer:
    """POST once, keeping no connection, as `Client.post` does."""
    async with Client() as client:
        return await client.post(url, content=content, headers=headers, on_behalf_of=on_behalf_of)


def _head(target: Target, headers: Mapping[str, str], length: int) -> list[tuple[str, str]]:
    """Return what is sent before the body. A header that would break out of its line, or is ours to say, is Invalid."""
    for name, value in headers.items():
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value) or name.lower() in OURS:
            raise Invalid(f"The header {name!r} can't be sent.", code="header-not-allowed", pointer="/headers")
    given = {name.lower() for name in headers}
    return [
        ("Host", target.authority),
        *headers.items(),
        *([] if "user-agent" in given else [("User-Agent", "IRISX")]),
        ("Accept-Encoding", "identity"),
        ("Content-Length", str(length)),
    ]


def _unresolved(host: str, error: OSError | UnicodeError) -> Unreachable:
    if isinstance(error, UnicodeError) or error.errno in NO_SUCH_NAME:
        return Unreachable(f"{host} has no address.", reason="dns")
    return Unreachable(f"{host} could not be resolved just now.", reason="dns")


def _unconnected(place: Place, error: OSError) -> Unreachable:
    if isinstance(error, ssl.SSLError):
        detail = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
        return Unreachable(f"{place.host} has no TLS we trust: {detail}.", reason="tls")
    if isinstance(error, ConnectionError) and place.scheme == "https" and not isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{place.host} ended the connection before TLS was agreed on.", reason="tls")
    return Unreachable(f"{place.address} took no connection: {error.strerror or error}.", reason="connect")


def _give_up(error: Broken) -> NoReturn:
    raise Unreachable(str(error), reason="closed" if error.is_closed else "protocol") from error


def _milliseconds_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
