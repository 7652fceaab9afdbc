"""Places of addresses, read from a MaxMind database made here."""

from pathlib import Path
from typing import Any

import pytest

from chat.location import location_of, short_agent
from common.geo import locate

# MaxMind DB format 2.0: a search tree of 24-bit records, 16 zero bytes, data, a marker, metadata.
U16, U32, U64 = 5, 6, 9
MARKER = b"\xab\xcd\xefMaxMind.com"


def encoded(value: Any) -> bytes:
    """Return a value in the data section's encoding: a control byte with type and size, then the payload."""
    match value:
        case str():
            raw = value.encode()
            return bytes([2 << 5 | len(raw)]) + raw
        case dict():
            return bytes([7 << 5 | len(value)]) + b"".join(encoded(k) + encoded(v) for k, v in value.items())
        case list():
            return bytes([len(value), 11 - 7]) + b"".join(map(encoded, value))
        case (int() as type, int() as number):
            raw = number.to_bytes(4, "big").lstrip(b"\0")
            return (bytes([type << 5 | len(raw)]) if type < 8 else bytes([len(raw), type - 7])) + raw
    raise TypeError(value)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Write a database in which 192.0.0.0/2 (its first two bits are 1) is in Vienna and nothing else is anywhere."""
    nothing, place = 2, 2 + 16
    tree = b"".join(n.to_bytes(3, "big") for n in (nothing, 1, nothing, place))
    data = encoded({"country": {"iso_code": "AT"}, "city": {"names": {"en": "Vienna", "de": "Wien"}}})
    about = {
        "node_count": (U32, 2), "record_size": (U16, 24), "ip_version": (U16, 4), "database_type": "Test",
        "languages": ["en"], "binary_format_major_version": (U16, 2), "binary_format_minor_version": (U16, 0),
        "build_epoch": (U64, 1), "description": {"en": "x"},
    }  # fmt: skip
    path = tmp_path / "places.mmdb"
    path.write_bytes(tree + bytes(16) + data + MARKER + encoded(about))
    return path


def test_tells_country_and_city(database: Path, settings: Any) -> None:
    settings.IRISX_GEOIP_DB = database
    assert locate("203.0.113.9") == {"country": "AT", "city": "Vienna"}
    assert locate("8.8.8.8") == {}
    assert locate("2001:db8::1") == {}
    assert locate("nonsense") == {}
    assert locate("") == {}


def test_tells_nothing_without_a_database_or_with_a_broken_one(tmp_path: Path, settings: Any) -> None:
    settings.IRISX_GEOIP_DB = None
    assert locate("203.0.113.9") == {}
    settings.IRISX_GEOIP_DB = tmp_path / "missing.mmdb"
    assert locate("203.0.113.9") == {}
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"x" * 100)
    settings.IRISX_GEOIP_DB = broken
    assert locate("203.0.113.9") == {}


def test_a_location_holds_what_is_known(database: Path, settings: Any) -> None:
    settings.IRISX_GEOIP_DB = database
    found = location_of(address="203.0.113.9", user_agent="", timezone="Mars/Olympus")
    assert found == {"ip_address": "203.0.113.9", "country": "AT", "city": "Vienna"}
    assert location_of(address="", user_agent="", timezone="Europe/Vienna") == {"timezone": "Europe/Vienna"}


@pytest.mark.parametrize(
    ("given", "short"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox 133, Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1",
            "Safari 17, iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36", "Chrome 131, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Edge 131, Windows",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
        ("x" * 500, "x" * 80),
    ],
)
def test_a_browser_is_named_shortly(given: str, short: str) -> None:
    assert short_agent(given) == short
