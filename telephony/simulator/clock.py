"""Time as the switch writes it."""

import time
from datetime import UTC, datetime


def now_us() -> int:
    """Return microseconds since the epoch."""
    return time.time_ns() // 1000


def stamp(moment_us: int) -> str:
    """Return `2026-11-23 10:57:40`, in UTC."""
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def gmt(moment_us: int) -> str:
    """Return `Mon, 23 Nov 2026 10:57:40 GMT`."""
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
