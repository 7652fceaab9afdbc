"""Ids: UUIDv7 (RFC 9562) made in code, shown to the world as a prefix and 32 hex digits."""

import os
import re
import time
from uuid import UUID

from common.errors import NotFound

HEX = re.compile(r"[0-9a-f]{32}")


def uuid7() -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then random bits (RFC 9562, section 5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def encode(prefix: str, value: UUID) -> str:
    """Return the public id, e.g. `cc_` and 32 hex digits."""
    return f"{prefix}_{value.hex}"


def encode_call(value: UUID) -> str:
    """Return a call's public id: `CA` and the hex of its first leg's channel UUID."""
    return f"CA{value.hex}"


def decode(prefix: str, text: str) -> UUID:
    """Return the UUID behind a public id; raise NotFound for anything that cannot be one."""
    return _decode(f"{prefix}_", text)


def decode_call(text: str) -> UUID:
    """Return the UUID behind a call's public id; raise NotFound for anything that cannot be one."""
    return _decode("CA", text)


def _decode(prefix: str, text: str) -> UUID:
    digits = text.removeprefix(prefix)
    if digits == text or not HEX.fullmatch(digits):
        raise NotFound(f"Nothing here has the id {text[:60]!r}; it should be {prefix} and 32 hex digits.")
    return UUID(hex=digits)
