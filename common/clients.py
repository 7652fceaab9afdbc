"""Who is at the other end of a request: its address, as far as the proxies in front of us can be believed."""

import ipaddress
from typing import Protocol

from django.conf import settings


class Request(Protocol):
    """What of a request is read here."""

    META: dict[str, str]


def address_of(request: Request) -> str:
    """Return the client's IP address; empty when there is none (a Unix socket).

    Each trusted proxy appends the address it was asked from: behind N of them the Nth entry from the right is the client's.
    What stands further left the client may have written itself.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    hops = [*request.META.get("HTTP_X_FORWARDED_FOR", "").split(","), peer]
    wanted = hops[max(0, len(hops) - 1 - settings.IRISX_TRUSTED_PROXIES)].strip()
    return _clean(wanted) or _clean(peer)


def _clean(text: str) -> str:
    try:
        # A link-local address may name the interface it came by, which is of no use elsewhere: fe80::1%eth0.
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def network_of(address: str) -> str:
    """Return what one customer of a provider holds: an IPv4 address, or an IPv6 /64."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
