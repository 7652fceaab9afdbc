"""One connection to a customer's server: HTTP/1.1 by h11, one exchange at a time, every amount bounded."""

import asyncio
from collections.abc import Mapping
from typing import cast

import h11

MOST_ANSWER_BYTES = 64 * 1024
MOST_HEAD_BYTES = 32 * 1024
# What may come in all before an exchange is ended: heads, chunk sizes and the part of a body that is not kept included.
MOST_READ_BYTES = MOST_ANSWER_BYTES + 2 * MOST_HEAD_BYTES


class Broken(Exception):
    """The exchange failed: `is_silent` when not a byte of an answer came, as when a kept connection had been closed."""

    def __init__(self, message: str, *, is_closed: bool, is_silent: bool) -> None:
        super().__init__(message)
        self.is_closed = is_closed
        self.is_silent = is_silent


class Wire(asyncio.Protocol):
    """A connection. What comes unasked ends it: it would be taken for the answer to the next request."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
        self._transport: asyncio.Transport | None = None
        self._done: asyncio.Future[None] | None = None
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._read = 0
        self.is_cut = False

    @property
    def is_open(self) -> bool:
        """Tell whether another exchange may be begun."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """End the connection at once; nothing is waited for."""
        if self._transport:
            self._transport.abort()
            self._transport = None

    async def exchange(
        self, *, method: str, path: str, headers: list[tuple[str, str]], content: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request; return status, headers (lower case, repeated ones joined) and the first 64 KiB of the body as sent.

        Raises Broken. Afterwards the connection is open only if it may be used again.
        """
        self._head, self._body, self._read, self.is_cut = None, bytearray(), 0, False
        done = self._done = asyncio.get_running_loop().create_future()
        try:
            self._send(method, path, headers, content)
            await done
        except BaseException:
            self.close()
            raise
        finally:
            self._done = None
        return self._end()

    def _send(self, method: str, path: str, headers: list[tuple[str, str]], content: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise self._broken("The connection was closed.", is_closed=True)
        parts = h11.Request(method=method, target=path, headers=headers), h11.Data(data=content), h11.EndOfMessage()
        self._transport.write(b"".join(self._http.send(part) or b"" for part in parts))

    def _end(self) -> tuple[int, Mapping[str, str], bytes]:
        head = cast("h11.Response", self._head)
        headers: dict[str, str] = {}
        for raw_name, raw_value in head.headers:
            name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        is_over = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if is_over and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
        else:
            self.close()
        return head.status_code, headers, bytes(self._body)

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        if self._done is None or self._done.done():
            self.close()
        else:
            self._receive(data)

    def eof_received(self) -> None:
        if self._done and not self._done.done():
            self._receive(b"")

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail("The connection was closed before the answer was complete.", is_closed=True)

    def _receive(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            self._take()
        except h11.RemoteProtocolError as error:
            self._fail(f"The answer is not HTTP/1.1: {error}", is_closed=not data)

    def _take(self) -> None:
        while not self._is_settled():
            event = self._http.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                break
            if isinstance(event, h11.Response):
                self._head = event
            elif isinstance(event, h11.Data):
                self._keep(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._settle()
            elif isinstance(event, h11.ConnectionClosed):
                self._fail("The connection was closed before an answer came.", is_closed=True)
        if self._read > MOST_READ_BYTES:
            self._cut()

    def _keep(self, data: bytes) -> None:
        room = MOST_ANSWER_BYTES - len(self._body)
        self._body += data[:room]
        if len(data) > room:
            self._cut()

    def _cut(self) -> None:
        """End an answer that is too long: with its head it is an answer, without one it is none."""
        if self._is_settled():
            return
        if self._head is None:
            self._fail("The answer has no end of its head.", is_closed=False)
        else:
            self.is_cut = True
            self._settle()

    def _is_settled(self) -> bool:
        return self._done is None or self._done.done()

    def _settle(self) -> None:
        if self._done and not self._done.done():
            self._done.set_result(None)

    def _fail(self, message: str, *, is_closed: bool) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(self._broken(message, is_closed=is_closed))

    def _broken(self, message: str, *, is_closed: bool) -> Broken:
        return Broken(message, is_closed=is_closed, is_silent=self._read == 0)
