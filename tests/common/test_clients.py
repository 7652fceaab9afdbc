"""The client's address behind proxies."""

from types import SimpleNamespace
from typing import Any

import pytest

from common.clients import address_of, network_of


def request(peer: str, forwarded: str | None = None) -> Any:
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return SimpleNamespace(META={"REMOTE_ADDR": peer, **headers})


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "203.0.113.9", None, "203.0.113.9"),
        (0, "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (1, "10.0.0.2", "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.2", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.2", "6.6.6.6, 198.51.100.1, 10.0.0.3", "198.51.100.1"),
        (2, "10.0.0.2", None, "10.0.0.2"),
        (1, "10.0.0.2", "not an address", "10.0.0.2"),
        (1, "10.0.0.2", "[2001:db8::1]", "2001:db8::1"),
        (0, "::ffff:203.0.113.9", None, "203.0.113.9"),
        (0, "fe80::1%eth0", None, "fe80::1"),
        (0, "", None, ""),
    ],
)
def test_is_what_the_trusted_proxies_say(
    settings: Any, proxies: int, peer: str, forwarded: str | None, address: str
) -> None:
    settings.IRISX_TRUSTED_PROXIES = proxies
    assert address_of(request(peer, forwarded)) == address


def test_a_customer_holds_a_whole_network_of_ipv6() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert network_of("203.0.113.9") == "203.0.113.9"
