"""A metered fact as a value: what it may be, and its canonical form."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from common.errors import FieldProblem, Invalid
from common.money import plain

LARGEST = Decimal(10) ** 12
PLACES = 6
LONGEST = {"dedup_key": 200, "resource_id": 80, "direction": 8, "destination": 40}


# An integrator's keys begin with this, the platform's own never do: whoever sends events cannot take the key of a call.
INGESTED = "ext:"
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """`quantity` is in metered units; `dedup_key` names the fact, once for ever.

    `is_timed` is False when the sender gave no time and `occurred_at` is when it arrived: a repeat is the same fact still.
    """

    channel: str
    resource_type: str
    quantity: Decimal
    occurred_at: datetime
    dedup_key: str
    resource_id: str
    direction: str
    destination: str
    metadata: dict[str, Any]
    is_timed: bool = True

    def content_hash(self) -> bytes:
        """Return the SHA-256 of the canonical form: decimals normalised, UTC, metadata sorted; without the key."""
        form = [
            self.channel,
            self.resource_type,
            plain(self.quantity),
            self.occurred_at.astimezone(UTC).isoformat(timespec="microseconds") if self.is_timed else "",
            self.resource_id,
            self.direction,
            self.destination,
            self.metadata,
        ]
        return sha256(_canonical(form).encode()).digest()


def public_key(dedup_key: str) -> str:
    """Return a record's key as its sender knows it."""
    return dedup_key.removeprefix(INGESTED)


def check(event: UsageEvent) -> None:
    """Raise Invalid, with a pointer each, for a quantity, time or text that cannot be stored as it is."""
    if problems := [*_quantity(event.quantity), *_time(event.occurred_at), *_texts(event)]:
        raise Invalid.many(problems)


def _quantity(quantity: Decimal) -> list[FieldProblem]:
    if not quantity.is_finite() or not 0 < quantity < LARGEST:
        return [FieldProblem("/quantity", "quantity", f"The quantity must be more than 0 and less than {LARGEST:,f}.")]
    if quantity != round(quantity, PLACES):
        return [FieldProblem("/quantity", "quantity", f"The quantity has more than {PLACES} decimals.")]
    return []


def _time(moment: datetime) -> list[FieldProblem]:
    if moment.tzinfo is None:
        return [FieldProblem("/occurred_at", "naive-time", "The time has no UTC offset; add one, e.g. Z.")]
    return []


def _texts(event: UsageEvent) -> list[FieldProblem]:
    too_long = [
        FieldProblem(f"/{name}", "too-long", f"{name} is longer than {most} characters.")
        for name, most in LONGEST.items()
        if len(getattr(event, name)) > most
    ]
    missing = [] if event.dedup_key else [FieldProblem("/dedup_key", "required", "dedup_key is missing.")]
    return missing + too_long + _nuls(event)


def _nuls(event: UsageEvent) -> list[FieldProblem]:
    """Refuse U+0000, which PostgreSQL keeps neither in text nor in jsonb."""
    texts = {name: getattr(event, name) for name in LONGEST} | {"metadata": json.dumps(event.metadata, default=str)}
    held = [name for name, text in texts.items() if "\0" in text or "\\u0000" in text]
    return [FieldProblem(f"/{name}", "nul", f"{name} holds a NUL character.") for name in held]
