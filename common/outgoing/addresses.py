"""Which addresses customers may give us: the shape of a URL, and which IP addresses are public. Looks nothing up.

What is public is written down here and not left to `ipaddress.is_global`, which changes between patch releases of Python (NAT64's
local-use prefix became private in 3.11.10). Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import SplitResult, quote, urlsplit

import idna
from django.conf import settings

from common.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2048
NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, which answers its machines only
        "169.254.0.0/16",  # link-local, clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, NAT64 discovery, Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Of IPv6 only global unicast is public at all; in it, these are not.
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# Of the demo. Whether an IPv4-mapped ::ffff:127.0.0.1 is loopback also depends on Python's release; here it is not.
LOOPBACK = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))
# RFC 6052: the last 32 bits are the IPv4 address. Its local-use sister 64:ff9b:1::/48 lies outside 2000::/3 and is refused.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# RFC 3986: what may stand in a path and a query as it is; everything else is percent-encoded.
AS_IT_IS = "/?:@!$&'()*+,;=-._~%"
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


@dataclass(frozen=True)
class Target:
    """A URL of an allowed shape. `host` is an ASCII name in lower case, or an IP address; `path` what is asked for there."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_secure(self) -> bool:
        """Tell whether it is spoken to over TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Return what stands in the Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _port_of(self.scheme) else f"{host}:{self.port}"


def check_url(url: str, *, pointer: str = "/url") -> None:
    """Raise Invalid unless customers may give us `url`; what its name resolves to is checked at each attempt."""
    target_of(url, pointer=pointer)


def target_of(url: str, *, pointer: str = "/url") -> Target:
    """Read a URL of an allowed shape; raise Invalid, code `url-not-allowed` or `address-not-public`, on any other.

    https alone; a host name or a public IP address; no user part; port 443 or one from 1024. The demo also takes
    loopback, over http too and on any port.
    """
    parts = _split(url, pointer)
    host = _host(parts.hostname or "", pointer)
    is_local = settings.IRISX_DEMO and _is_loopback_name(host)
    if parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        _refuse("The address must begin with https://.", pointer)
    if "@" in parts.netloc:
        _refuse("The address must not hold a user name or password.", pointer)
    port = _port(parts, pointer)
    if not (port == 443 or port >= 1024 or is_local):
        _refuse("The port must be 443, or 1024 and above.", pointer)
    if literal(host):
        check_address(host, pointer=pointer)
    path = quote(parts.path or "/", safe=AS_IT_IS) + (f"?{quote(parts.query, safe=AS_IT_IS)}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def check_address(text: str, *, pointer: str = "/url") -> None:
    """Raise Invalid, code `address-not-public`, unless an IP address may be called: public, whatever it is wrapped in."""
    address = literal(text)
    if address is None or not (_is_public(address) or (settings.IRISX_DEMO and _is_loopback(address))):
        raise Invalid(f"{text} is not a public address.", code="address-not-public", pointer=pointer)


def literal(host: str) -> Address | None:
    """Return the IP address a host is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if any(address in network for network in settings.IRISX_OUTGOING_REFUSED):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    if address.ipv4_mapped or address in NAT64:
        return address.scope_id is None and _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    is_unicast = address in PUBLIC_V6 and address.scope_id is None
    return is_unicast and not any(address in network for network in NOT_PUBLIC_V6)


def _is_loopback(address: Address) -> bool:
    return any(address in network for network in LOOPBACK)


def _is_loopback_name(host: str) -> bool:
    address = literal(host)
    return _is_loopback(address) if address else host == "localhost" or host.endswith(".localhost")


def _split(url: str, pointer: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        _refuse(f"The address has at most {LONGEST_URL} characters.", pointer)
    if FORBIDDEN.search(url):  # urlsplit would drop some of them silently
        _refuse("The address must not hold spaces, control characters or backslashes.", pointer)
    try:
        return urlsplit(url)
    except ValueError as error:
        raise _refusal("The address could not be read as a URL.", pointer) from error


def _host(name: str, pointer: str) -> str:
    """Return a host in the one form that is looked up, checked, sent and held against the certificate."""
    try:
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise _refusal("The host's name is not valid.", pointer) from error
    host = host.removesuffix(".")  # the root, which certificates do not name
    if ":" in host:
        address = literal(host)
        if address is None or "%" in host:
            _refuse("The host is not a valid IPv6 address.", pointer)
        return str(address)
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        _refuse("The address must name a host.", pointer)
    # 127.1, 0x7f000001, 2130706433: to a resolver all of them are 127.0.0.1.
    if NUMBER.fullmatch(labels[-1]) and not literal(host):
        _refuse("An IPv4 address is written as four numbers from 0 to 255.", pointer)
    return host


def _port(parts: SplitResult, pointer: str) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise _refusal("The port is not valid.", pointer) from error
    return _port_of(parts.scheme) if port is None else port


def _port_of(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _refusal(message: str, pointer: str) -> Invalid:
    return Invalid(message, code="url-not-allowed", pointer=pointer)


def _refuse(message: str, pointer: str) -> NoReturn:
    raise _refusal(message, pointer)
