"""The guarded client and names: pinned to the address that was checked, held against the certificate, checked anew each time."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_django import Settings

from common import outgoing
from common.outgoing.client import trusted
from tests.common.outgoing_servers import OK, Authority, Names, Script, Server, answering, serve

HOOK = "hooks.example.test"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names()
    monkeypatch.setattr("socket.getaddrinfo", found.getaddrinfo)
    return found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[Server]:
    found = await serve(answering(OK), tls=authority.server(HOOK))
    yield found
    await found.stop()


@pytest.fixture
async def client(authority: Authority) -> AsyncIterator[outgoing.Client]:
    async with outgoing.Client(tls=authority.client()) as found:
        yield found


@pytest.fixture
def demo(settings: Settings) -> None:
    """Let loopback be called: the servers of these tests are there."""
    settings.IRISX_DEMO = True


async def send(client: outgoing.Client, server: Server, host: str = HOOK) -> outgoing.Answer:
    return await client.post(f"https://{host}:{server.port}/hook", content=b"{}", headers={})


async def refused(client: outgoing.Client, server: Server, host: str = HOOK) -> outgoing.Unreachable:
    with pytest.raises(outgoing.Unreachable) as raised:
        await send(client, server, host)
    return raised.value


@pytest.mark.usefixtures("demo")
class TestPinning:
    async def test_connects_to_the_checked_address_under_the_name_and_asks_once(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.1"], ["10.0.0.7"])  # a second question would be answered with a private address
        assert (await send(client, server)).status == 200
        assert names.asked == [HOOK]
        assert server.names == [HOOK]
        assert b"\r\nHost: hooks.example.test:%d\r\n" % server.port in server.requests[0]

    async def test_a_name_that_was_public_and_is_private_now_is_refused_at_the_next_attempt(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.1"], ["10.0.0.7"])
        await send(client, server)
        error = await refused(client, server)  # though a connection to the first address is still kept
        assert (error.reason, str(error)) == ("refused", "10.0.0.7 is not a public address.")
        assert len(server.requests) == 1

    @pytest.mark.parametrize("private", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fe80::1"])
    async def test_one_private_address_among_others_is_enough_to_refuse(
        self, client: outgoing.Client, server: Server, names: Names, private: str
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.1", private])
        assert (await refused(client, server)).reason == "refused"
        assert server.connections == 0

    async def test_a_name_that_moves_is_followed_though_a_connection_was_kept(
        self, client: outgoing.Client, server: Server, names: Names, authority: Authority
    ) -> None:
        moved = await serve(answering(OK), tls=authority.server(HOOK), host="127.0.0.2", port=server.port)
        names.lay_out(HOOK, ["127.0.0.1"], ["127.0.0.2"])
        for _ in range(2):
            await send(client, server)
        assert (len(server.requests), len(moved.requests)) == (1, 1)
        await moved.stop()

    async def test_a_kept_connection_is_used_while_the_name_stays(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.1"])
        for _ in range(3):
            await send(client, server)
        assert (server.connections, len(names.asked)) == (1, 3)

    async def test_the_next_address_is_tried_when_one_takes_no_connection(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.3", "127.0.0.1"])
        assert (await send(client, server)).status == 200

    async def test_a_redirect_inside_is_an_answer_and_nothing_more(
        self, client: outgoing.Client, authority: Authority, names: Names
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.1"])
        answer = b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
        server = await serve(answering(answer), tls=authority.server(HOOK))
        assert (await send(client, server)).status == 302
        assert (len(server.requests), names.asked) == (1, [HOOK])
        await server.stop()

    async def test_a_name_without_an_address_says_so(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        names.lay_out(HOOK, [])
        error = await refused(client, server)
        assert (error.reason, str(error)) == ("dns", "hooks.example.test has no address.")


class TestInProduction:
    @pytest.fixture(autouse=True)
    def production(self, settings: Settings) -> None:
        settings.IRISX_DEMO = False

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
    async def test_a_name_that_resolves_to_loopback_is_refused(
        self, client: outgoing.Client, server: Server, names: Names, address: str
    ) -> None:
        names.lay_out(HOOK, [address])
        error = await refused(client, server)
        assert (error.reason, str(error)) == ("refused", f"{address} is not a public address.")
        assert server.connections == 0

    async def test_localhost_is_refused(self, client: outgoing.Client, server: Server) -> None:
        assert (await refused(client, server, "localhost")).reason == "refused"
        assert server.connections == 0


@pytest.mark.usefixtures("demo")
class TestTheCertificate:
    async def test_must_name_the_host(self, client: outgoing.Client, server: Server, names: Names) -> None:
        names.lay_out("other.example.test", ["127.0.0.1"])
        error = await refused(client, server, "other.example.test")
        assert error.reason == "tls"
        assert "certificate is not valid for 'other.example.test'" in str(error)
        assert server.requests == []

    async def test_of_one_name_lets_no_other_name_use_its_connection(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        names.lay_out(HOOK, ["127.0.0.1"])
        names.lay_out("other.example.test", ["127.0.0.1"])
        await send(client, server)
        assert (await refused(client, server, "other.example.test")).reason == "tls"
        assert len(server.requests) == 1

    async def test_must_name_the_address_where_there_is_no_name(
        self, client: outgoing.Client, server: Server, names: Names
    ) -> None:
        assert (await refused(client, server, "127.0.0.1")).reason == "tls"

    async def test_must_be_of_an_authority_we_trust(self, server: Server, names: Names) -> None:
        names.lay_out(HOOK, ["127.0.0.1"])
        async with outgoing.Client() as client:
            assert (await refused(client, server)).reason == "tls"

    async def test_must_be_valid_now(self, client: outgoing.Client, authority: Authority, names: Names) -> None:
        names.lay_out(HOOK, ["127.0.0.1"])
        server = await serve(answering(OK), tls=authority.server(HOOK, days=-1))
        error = await refused(client, server)
        assert (error.reason, "certificate has expired" in str(error)) == ("tls", True)
        await server.stop()

    async def test_is_asked_for_where_a_server_speaks_plainly(self, client: outgoing.Client, names: Names) -> None:
        names.lay_out(HOOK, ["127.0.0.1"])
        server = await serve(greeting)
        assert (await refused(client, server)).reason == "tls"
        assert server.requests == []
        await server.stop()


def greeting(server: Server) -> Script:
    """Speak first, and plainly, as a mail server does."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.test ESMTP\r\n")
        await reader.read()

    return play


def test_trusts_whom_the_system_and_mozilla_trust_and_checks_names() -> None:
    context = trusted()
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 50
