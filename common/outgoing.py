"""The only client that opens addresses customers gave us: https, public addresses, pinned, no redirects (against SSRF)."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from common.errors import Invalid

NAT64 = ipaddress.ip_network("64:ff9b::/96")
MOST_ANSWER_BYTES = 64 * 1024
TIMEOUT = httpx.Timeout(15, connect=5)


@dataclass(frozen=True)
class Target:
    """A checked address: where to connect, and the name to show in Host and SNI."""

    url: str
    hostname: str
    address: str


def check_address(text: str) -> None:
    """Raise Invalid unless an IP address may be called: public, whatever it is wrapped in."""
    address = ipaddress.ip_address(text)
    inner = _unwrapped(address)
    if settings.IRISX_DEMO and inner.is_loopback:
        return
    if not inner.is_global or inner.is_multicast:
        raise Invalid(f"{text} is not a public address.", code="address-not-public", pointer="/url")


def _unwrapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address inside a mapped, 6to4, Teredo or NAT64 one; otherwise the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


def check_url(url: str) -> None:
    """Raise Invalid unless `url` has an allowed shape: https, a host name, no user part. Looks nothing up."""
    parts = urlsplit(url)
    schemes = {"https", "http"} if settings.IRISX_DEMO else {"https"}
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
        raise Invalid("The address must begin with https:// and name a host.", code="url-not-allowed", pointer="/url")


async def resolve(url: str) -> Target:
    """Return the target of `url` with its address looked up and checked; every address of the name must be public."""
    check_url(url)
    parts = urlsplit(url)
    hostname = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Invalid(f"{hostname} has no address.", code="host-unknown", pointer="/url") from error
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    for address in addresses:
        check_address(address)
    return Target(url, hostname, addresses[0])


async def post(url: str, *, content: bytes, headers: dict[str, str]) -> httpx.Response:
    """POST to a customer's address, connected to the very address that was checked. Raises Invalid or httpx.HTTPError."""
    target = await resolve(url)
    pinned = httpx.URL(url).copy_with(host=target.address)
    host = urlsplit(url).netloc
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        request = client.build_request(
            "POST", pinned, content=content, headers={**headers, "Host": host},
            extensions={"sni_hostname": target.hostname},
        )  # fmt: skip
        response = await client.send(request, stream=True)
        try:
            await _read_some(response)
        finally:
            await response.aclose()
    return response


async def _read_some(response: httpx.Response) -> None:
    """Keep at most 64 KiB of the answer."""
    kept = bytearray()
    async for chunk in response.aiter_bytes():
        kept += chunk
        if len(kept) >= MOST_ANSWER_BYTES:
            break
    response._content = bytes(kept[:MOST_ANSWER_BYTES])
