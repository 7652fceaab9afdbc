"""How much a visitor, a widget's page and an address may ask in a while. Agents and API keys are not counted here."""

from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.principals import Principal
from common.clients import network_of
from common.ratelimit import Limit, take

# Nobody in particular: our own machine, or a proxy that IRISX_TRUSTED_PROXIES does not count, behind which everybody is.
UNCOUNTED: Final = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")
)


def note_write(*, visitor_id: UUID, now: datetime) -> None:
    """Count a visitor's message; raise TooMany."""
    _take("visitor-writes", visitor_id.hex, now)


def note_change(*, visitor_id: UUID, now: datetime) -> None:
    """Count a change of a visitor's own facts, a page seen, a rating or an export; raise TooMany."""
    _take("visitor-changes", visitor_id.hex, now)


def note_upload(principal: Principal, *, address: str, now: datetime) -> None:
    """Count a visitor's upload, for the visitor and for its address; raise TooMany."""
    if principal.is_visitor:
        _take_for_address("ip-uploads", address, now)
        _take("visitor-uploads", principal.id.hex, now)


def note_start(*, widget_id: UUID, address: str, now: datetime) -> None:
    """Count a conversation's start from a page, for the address and for the widget; raise TooMany."""
    _take_for_address("ip-starts", address, now)
    _take("widget-starts", widget_id.hex, now)


def note_look(*, address: str, now: datetime) -> None:
    """Count a widget's look asked for by a page; raise TooMany."""
    _take_for_address("ip-widgets", address, now)


def _take_for_address(name: str, address: str, now: datetime) -> None:
    if address and not any(ip_address(address) in network for network in UNCOUNTED):
        _take(name, network_of(address), now)


def _take(name: str, key: str, now: datetime) -> None:
    burst, per_minute = settings.IRISX_RATE_LIMITS[name]
    take(Limit(name, burst, per_minute), key, now=now)
