"""The guarded client on real connections: what it takes from a server, and for how long."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pytest_django import Settings

from common import outgoing
from common.errors import Invalid
from common.outgoing.kept import MOST_OF_A_PLACE
from common.outgoing.wire import MOST_ANSWER_BYTES
from irisx.local.ports import free_port
from tests.common.outgoing_servers import OK, Script, Server, answering, serve

Serve = Callable[[Callable[[Server], Script]], Awaitable[Server]]
SHORT = 0.3  # seconds in all, where a test waits for the end of a client's patience


@pytest.fixture(autouse=True)
def demo(settings: Settings) -> None:
    settings.IRISX_DEMO = True


@pytest.fixture
async def client() -> AsyncIterator[outgoing.Client]:
    async with outgoing.Client() as found:
        yield found


@pytest.fixture
async def hasty() -> AsyncIterator[outgoing.Client]:
    async with outgoing.Client(total_seconds=SHORT) as found:
        yield found


@pytest.fixture
async def start() -> AsyncIterator[Serve]:
    """Return a starter of servers on loopback, which only the demo may call."""
    servers: list[Server] = []

    async def begin(script: Callable[[Server], Script]) -> Server:
        servers.append(await serve(script))
        return servers[-1]

    yield begin
    for server in servers:
        await server.stop()


def at(server: Server, path: str = "/hook") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


async def send(client: outgoing.Client, server: Server, content: bytes = b"{}") -> outgoing.Answer:
    return await client.post(at(server), content=content, headers={"webhook-id": "evt_1"})


async def failing(client: outgoing.Client, server: Server) -> outgoing.Unreachable:
    with pytest.raises(outgoing.Unreachable) as raised:
        await send(client, server)
    return raised.value


class TestARequest:
    async def test_is_sent_as_given_with_what_the_client_says_itself(
        self, client: outgoing.Client, start: Serve
    ) -> None:
        server = await start(answering(OK))
        answer = await client.post(at(server, "/a?b=c"), content=b"\x00body", headers={"X-Test": "1 2"})
        assert (answer.status, answer.body, answer.is_cut) == (200, b"ok", False)
        assert answer.headers == {"content-length": "2"}
        assert server.requests == [
            b"POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Test: 1 2\r\nUser-Agent: IRISX\r\nAccept-Encoding: identity\r\n"
            b"Content-Length: 5\r\n\r\n\x00body" % server.port
        ]

    async def test_names_the_callers_agent_where_it_says_one(self, client: outgoing.Client, start: Serve) -> None:
        server = await start(answering(OK))
        await client.post(at(server), content=b"", headers={"user-agent": "Mine/1"})
        assert server.requests[0].lower().count(b"user-agent") == 1
        assert b"user-agent: Mine/1" in server.requests[0]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("X-Test", "a\r\nX-Other: b"), ("X-Test", "a\nb"), ("X-Test", "a\x00b"), ("X-Test", " a"), ("X-Test", "é"),
            ("X-Te\r\nst", "a"), ("X Test", "a"), ("", "a"), ("X-Test:", "a"), ("Host", "internal"), ("content-length", "0"),
            ("Transfer-Encoding", "chunked"), ("Connection", "close"), ("Expect", "100-continue"), ("Accept-Encoding", "br"),
        ],
    )  # fmt: skip
    async def test_with_a_header_that_breaks_out_is_not_sent(
        self, client: outgoing.Client, start: Serve, name: str, value: str
    ) -> None:
        server = await start(answering(OK))
        with pytest.raises(outgoing.Unreachable, match="can't be sent") as refused:
            await client.post(at(server), content=b"", headers={name: value})
        assert refused.value.reason == "refused"
        assert server.connections == 0

    async def test_to_an_address_of_another_shape_is_refused(self, client: outgoing.Client) -> None:
        with pytest.raises(outgoing.Unreachable) as refused:
            await client.post("ftp://127.0.0.1/", content=b"", headers={})
        assert refused.value.reason == "refused"
        assert isinstance(refused.value.__cause__, Invalid)

    async def test_to_a_closed_port_fails(self, client: outgoing.Client) -> None:
        with pytest.raises(outgoing.Unreachable, match=r"127\.0\.0\.1 took no connection") as refused:
            await client.post(f"http://127.0.0.1:{free_port()}/", content=b"", headers={})
        assert refused.value.reason == "connect"

    async def test_can_be_made_once_without_a_client(self, start: Serve) -> None:
        server = await start(answering(OK))
        assert (await outgoing.post(at(server), content=b"{}", headers={})).status == 200


class TestAnAnswer:
    @pytest.mark.parametrize("status", [b"204 No Content", b"301 Moved", b"410 Gone", b"500 Oh", b"599 Odd"])
    async def test_is_one_whatever_its_status(self, client: outgoing.Client, start: Serve, status: bytes) -> None:
        server = await start(answering(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status))
        assert (await send(client, server)).status == int(status[:3])

    async def test_that_redirects_is_not_followed(self, client: outgoing.Client, start: Serve) -> None:
        other = await start(answering(OK))
        location = f"http://127.0.0.1:{other.port}/".encode()
        server = await start(answering(b"HTTP/1.1 307 Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location))
        answer = await send(client, server)
        assert (answer.status, answer.headers["location"]) == (307, location.decode())
        assert (len(server.requests), other.connections) == (1, 0)

    async def test_that_is_long_is_cut_at_64_kib(self, client: outgoing.Client, start: Serve) -> None:
        size = 200_000
        server = await start(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size))
        answer = await send(client, server)
        assert (answer.status, answer.body, answer.is_cut) == (200, b"x" * MOST_ANSWER_BYTES, True)
        await send(client, server)
        assert server.connections == 2

    async def test_without_end_is_cut(self, client: outgoing.Client, start: Serve) -> None:
        answer = await send(client, await start(flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000)))
        assert (answer.status, len(answer.body), answer.is_cut) == (200, MOST_ANSWER_BYTES, True)

    async def test_of_chunks_of_one_byte_is_cut_by_what_was_read(self, client: outgoing.Client, start: Serve) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await send(client, await start(flooding(head, b"1\r\nx\r\n" * 1000)))
        assert (answer.status, answer.is_cut) == (200, True)
        assert 0 < len(answer.body) < MOST_ANSWER_BYTES

    async def test_is_never_decompressed(self, client: outgoing.Client, start: Serve) -> None:
        bomb = gzip.compress(b"\x00" * 20_000_000)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        answer = await send(client, await start(answering(head + bomb)))
        assert answer.body == bomb[:MOST_ANSWER_BYTES]

    async def test_may_be_chunked_with_notices_before_and_trailers_after(
        self, client: outgoing.Client, start: Serve
    ) -> None:
        server = await start(
            answering(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: y\r\n\r\n"
            )
        )
        answer = await send(client, server)
        assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"ok", "1, 2")

    async def test_may_end_with_its_connection(self, client: outgoing.Client, start: Serve) -> None:
        answer = await send(client, await start(answering(b"HTTP/1.0 200 OK\r\n\r\nall of it", then_close=True)))
        assert (answer.status, answer.body, answer.is_cut) == (200, b"all of it", False)


class TestNoAnswer:
    @pytest.mark.parametrize(
        "bytes_sent",
        [
            b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", b"HTTP/1.1 200 OK\r\nContent-",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", b"HTTP/1.1 100 Continue\r\n\r\n",
        ],
    )  # fmt: skip
    async def test_when_the_server_closes_before_the_end(
        self, client: outgoing.Client, start: Serve, bytes_sent: bytes
    ) -> None:
        server = await start(answering(bytes_sent, then_close=True))
        assert (await failing(client, server)).reason == "closed"
        assert server.connections == 1

    @pytest.mark.parametrize(
        "bytes_sent",
        [
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n", b"HTTP/1.1 twohundred OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 101 Upgrade\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
        ],
    )  # fmt: skip
    async def test_when_it_is_not_http(self, client: outgoing.Client, start: Serve, bytes_sent: bytes) -> None:
        assert (await failing(client, await start(answering(bytes_sent)))).reason == "protocol"

    async def test_when_only_notices_come(self, client: outgoing.Client, start: Serve) -> None:
        server = await start(flooding(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100))
        assert (await failing(client, server)).reason == "protocol"

    @pytest.mark.parametrize(
        ("head", "drop"),
        [
            (b"", b""), (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), (b"", b"HTTP/1.1 102 Wait\r\n\r\n"),
        ],
        ids=["silence", "head", "body", "chunks", "notices"],
    )  # fmt: skip
    async def test_when_it_drips_for_longer_than_the_time_in_all(
        self, hasty: outgoing.Client, start: Serve, head: bytes, drop: bytes
    ) -> None:
        error = await failing(hasty, await start(flooding(head, drop, every=SHORT / 10)))
        assert error.reason == "timeout"
        assert SHORT * 1000 <= error.duration_ms < SHORT * 1000 + 1500

    async def test_when_tls_is_not_agreed_on_within_the_time_to_connect(self, start: Serve, settings: Settings) -> None:
        server = await start(silent)
        async with outgoing.Client(connect_seconds=SHORT) as client:
            with pytest.raises(outgoing.Unreachable) as raised:
                await client.post(f"https://127.0.0.1:{server.port}/", content=b"", headers={})
        assert raised.value.reason == "timeout"
        assert raised.value.duration_ms < SHORT * 1000 + 1500

    async def test_when_the_caller_gives_up_closes_the_connection(self, client: outgoing.Client, start: Serve) -> None:
        ended = asyncio.Event()

        def script(server: Server) -> Script:
            async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await server.read(reader)
                assert await reader.read() == b""
                ended.set()

            return play

        server = await start(script)
        asking = asyncio.create_task(send(client, server))
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.001)
            asking.cancel()
            await ended.wait()


class TestAKeptConnection:
    async def test_takes_the_next_request(self, client: outgoing.Client, start: Serve) -> None:
        server = await start(answering(OK))
        assert [(await send(client, server)).status for _ in range(5)] == [200] * 5
        assert (len(server.requests), server.connections) == (5, 1)

    async def test_serves_one_request_at_a_time_and_few_are_kept(self, client: outgoing.Client, start: Serve) -> None:
        server = await start(answering(OK))
        await asyncio.gather(*(send(client, server) for _ in range(20)))
        assert server.connections == 20
        await asyncio.gather(*(send(client, server) for _ in range(MOST_OF_A_PLACE)))
        assert server.connections == 20

    async def test_that_was_closed_meanwhile_is_replaced(self, client: outgoing.Client, start: Serve) -> None:
        server = await start(answering(OK, then_close=True))
        assert [(await send(client, server)).status for _ in range(3)] == [200] * 3
        assert (len(server.requests), server.connections) == (3, 3)

    async def test_that_dies_of_the_next_request_is_replaced_once(self, client: outgoing.Client, start: Serve) -> None:
        def script(server: Server) -> Script:
            async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await server.read(reader)
                writer.write(OK)
                await server.read(reader)
                writer.transport.abort()

            return play

        server = await start(script)
        assert [(await send(client, server)).status for _ in range(2)] == [200] * 2
        assert (len(server.requests), server.connections) == (3, 2)

    @pytest.mark.parametrize("after", [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlying", b"\r\n", b"x"])
    async def test_is_given_up_when_more_than_the_answer_came(
        self, client: outgoing.Client, start: Serve, after: bytes
    ) -> None:
        server = await start(answering(OK + after))
        assert [(await send(client, server)).body for _ in range(3)] == [b"ok"] * 3
        assert server.connections == 3

    async def test_is_given_up_when_something_comes_later_unasked(self, client: outgoing.Client, start: Serve) -> None:
        said, hung_up = asyncio.Event(), asyncio.Event()

        def script(server: Server) -> Script:
            async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await server.read(reader)
                writer.write(OK)
                await said.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlying")
                assert await reader.read() == b""
                hung_up.set()

            return play

        server = await start(script)
        assert (await send(client, server)).body == b"ok"
        said.set()
        async with asyncio.timeout(5):
            await hung_up.wait()
        assert (await send(client, server)).body == b"ok"
        assert server.connections == 2

    async def test_is_given_up_when_the_server_says_so(self, client: outgoing.Client, start: Serve) -> None:
        server = await start(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
        await send(client, server)
        await send(client, server)
        assert server.connections == 2

    async def test_closes_itself_after_a_while(
        self, client: outgoing.Client, start: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("common.outgoing.kept.KEPT_SECONDS", 0.01)
        server = await start(answering(OK))
        await asyncio.gather(*(send(client, server) for _ in range(3)))
        async with asyncio.timeout(5):
            while not all(writer.transport.is_closing() for writer in server.writers):
                await asyncio.sleep(0.001)
        assert (await send(client, server)).status == 200
        assert server.connections == 4

    async def test_is_closed_with_its_client(self, start: Serve) -> None:
        server = await start(answering(OK))
        async with outgoing.Client() as client:
            await asyncio.gather(*(send(client, server) for _ in range(3)))
        async with asyncio.timeout(5):
            while not all(writer.transport.is_closing() for writer in server.writers):
                await asyncio.sleep(0.001)


def flooding(head: bytes, drop: bytes, *, every: float = 0) -> Callable[[Server], Script]:
    """Answer with a head and then the same drop until the client hangs up."""

    def script(server: Server) -> Script:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            writer.write(head)
            while not writer.transport.is_closing():
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(every)

        return play

    return script


def silent(server: Server) -> Script:
    """Take a connection and say nothing on it."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    return play
