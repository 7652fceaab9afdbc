"""Where a visitor is, as its request tells: address, place, time zone, browser."""

import re
import zoneinfo
from collections.abc import Mapping
from typing import Final

from common.geo import locate

# Newest first where one names itself as another too.
BROWSERS: Final = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"), ("Opera", r"OPR/(\d+)"), ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"), ("Chrome", r"(?:Chrome|CriOS)/(\d+)"), ("Safari", r"Version/(\d+)[.\d]* .*Safari"),
)  # fmt: skip
SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("ChromeOS", "CrOS"),
    ("macOS", "Mac OS X"), ("Linux", "Linux"),
)  # fmt: skip
LONGEST: Final = 80


def location_of(*, address: str, user_agent: str, timezone: str) -> Mapping[str, str]:
    """Return what is known of where somebody is, nothing that is not."""
    zone = timezone if timezone in zoneinfo.available_timezones() else ""
    found = {"ip_address": address, **locate(address), "timezone": zone, "user_agent": short_agent(user_agent)}
    return {name: value for name, value in found.items() if value}


def short_agent(user_agent: str) -> str:
    """Return `Firefox 133, Windows` of a User-Agent; its first 80 characters when it names no browser known here."""
    browser = next((f"{name} {m[1]}" for name, shape in BROWSERS if (m := re.search(shape, user_agent))), "")
    system = next((name for name, sign in SYSTEMS if sign in user_agent), "")
    return ", ".join(filter(None, (browser, system))) if browser else user_agent.replace("\x00", "")[:LONGEST].strip()
