"""An audit entry as bytes, and the chain of their hashes. Pure: whoever has the rows can check them without IRISX.

The digest of an entry is SHA-256 over its canonical JSON: UTF-8, keys sorted, no spaces. Its hash is SHA-256 over the hash of
the entry before it, its number (8 bytes, big-endian) and its digest; before the first stand 32 zero bytes.
"""

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

START: Final = bytes(32)
MASK: Final = "•••"
# Names of values nobody may read later, and what secrets of ours look like wherever they stand.
SECRET_NAME = re.compile(
    r"(password|passwd|secret|token|credential|authorization|recovery|private|otp|(?<!widget_)api_?key|key_?hash)", re.I
)
SECRET_TEXT = re.compile(r"\b(?:irisx_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]+|vt_[\w:.-]{16,})")
MOST_CHARACTERS = 2_000  # of one value: an entry says what changed, it does not keep documents
DEEPEST = 8


@dataclass(frozen=True)
class Facts:
    """All that an entry says."""

    id: UUID
    tenant_id: UUID
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    impersonator_id: UUID | None
    impersonator_name: str
    action: str
    object_id: str
    changes: Mapping[str, Any]
    ip_address: str | None
    user_agent: str
    request_id: str
    created_at: datetime


def digest(facts: Facts) -> bytes:
    """Return the SHA-256 of an entry's canonical form, 32 bytes."""
    body = {"v": 1, **asdict(facts), "ip_address": clean_address(facts.ip_address)}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_written)
    return hashlib.sha256(text.encode()).digest()


def link(*, previous: bytes, sequence: int, entry_digest: bytes) -> bytes:
    """Return the hash of entry number `sequence`, 32 bytes."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + entry_digest).digest()


def clean_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be kept: secrets masked, long texts cut, and only values that come out of the database as they went in."""
    return {clean_text(str(name)): _clean(name, value, 1) for name, value in changes.items()}


def clean_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text PostgreSQL takes: no NUL, no half characters, secrets masked, at most so many characters."""
    whole = text.replace("\x00", "").encode("utf-8", "replace").decode()
    masked = SECRET_TEXT.sub(MASK, whole)
    return masked if len(masked) <= most else masked[: most - 1] + "…"


def clean_address(address: str | None) -> str | None:
    """Return an IP address in its one spelling; None for what is none."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _clean(name: object, value: Any, depth: int) -> Any:
    if value not in (None, "", False) and SECRET_NAME.search(str(name)):
        return _masked(value)
    if isinstance(value, Mapping):
        inside = {clean_text(str(key)): _clean(key, each, depth + 1) for key, each in value.items()}
        return inside if depth < DEEPEST else clean_text(str(inside))
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        inner = [_clean("", each, depth + 1) for each in items]
        return inner if depth < DEEPEST else clean_text(str(inner))
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return clean_text(_written(value))


def _masked(value: Any) -> Any:
    """Mask a secret, and keep the shape of a change: `{"from": …, "to": …}` says that it changed, not what it was."""
    if isinstance(value, Mapping) and set(value) <= {"from", "to"}:
        return {side: MASK if each not in (None, "") else each for side, each in value.items()}
    return MASK


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value.hex if isinstance(value, UUID) else str(value)
