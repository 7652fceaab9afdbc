"""The guarded client: which addresses it opens."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from pytest_django import Settings

from common import outgoing
from common.errors import Invalid


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.IRISX_DEMO = False


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
    ],
)  # fmt: skip
def test_refuses_an_address_that_is_not_public(address: str) -> None:
    with pytest.raises(Invalid, match="not a public address"):
        outgoing.check_address(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_opens_a_public_address(address: str) -> None:
    outgoing.check_address(address)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "https://", "https://user:pw@example.com/", "//example.com", "x"],
)
def test_refuses_an_address_of_another_shape(url: str) -> None:
    with pytest.raises(Invalid):
        outgoing.check_url(url)


async def test_refuses_a_name_that_resolves_inside() -> None:
    with pytest.raises(Invalid, match="not a public address"):
        await outgoing.resolve("https://localhost/hook")


async def test_refuses_an_unknown_name() -> None:
    with pytest.raises(Invalid, match="has no address"):
        await outgoing.resolve("https://no-such-host.invalid/")


class TestPosting:
    @pytest.fixture
    async def receiver(self, settings: Settings) -> AsyncIterator[tuple[str, list[bytes]]]:
        """A server on loopback, which only the demo may open, that redirects and answers 200 kB."""
        settings.IRISX_DEMO = True
        seen: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            body = b"x" * 200_000
            head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(head + body)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", seen
        server.close()

    async def test_follows_no_redirect_and_reads_64_kib_at_most(self, receiver: tuple[str, list[bytes]]) -> None:
        url, seen = receiver
        answer = await outgoing.post(url, content=b"{}", headers={"X-Test": "1"})
        assert (answer.status_code, len(answer.content)) == (302, outgoing.MOST_ANSWER_BYTES)
        assert len(seen) == 1
        assert b"Host: 127.0.0.1" in seen[0]

    async def test_a_dead_address_is_an_error_of_the_clients(self, settings: Settings) -> None:
        settings.IRISX_DEMO = True
        with pytest.raises(httpx.HTTPError):
            await outgoing.post("http://127.0.0.1:1/", content=b"", headers={})
