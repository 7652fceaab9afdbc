"""Where an address is, by a MaxMind database (GeoLite2-City or its like), where the installation has one."""

import logging
from functools import cache
from typing import Any

import maxminddb
from django.conf import settings

logger = logging.getLogger(__name__)


def locate(address: str) -> dict[str, str]:
    """Return what is known of an address: `country` (ISO 3166 code) and `city` (English); empty where nothing is."""
    reader = _reader(str(settings.IRISX_GEOIP_DB or ""))
    if reader is None or not address:
        return {}
    try:
        found: Any = reader.get(address)
    except (ValueError, maxminddb.InvalidDatabaseError):
        return {}
    if not isinstance(found, dict):
        return {}
    place = {"country": _inner(found, "country", "iso_code"), "city": _inner(found, "city", "names", "en")}
    return {name: value for name, value in place.items() if value}


@cache
def _reader(path: str) -> maxminddb.Reader | None:
    if not path:
        return None
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError):
        logger.exception("IRISX_GEOIP_DB cannot be read: visitors' places stay unknown")
        return None


def _inner(value: Any, *steps: str) -> str:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
