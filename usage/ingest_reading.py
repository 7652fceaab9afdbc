"""Read events as integrators send them, in JSON or CSV: plain checks, a thousand in a few milliseconds, every fault named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from common.errors import FieldProblem
from usage.event import INGESTED, LARGEST, LONGEST, PLACES, UsageEvent

DIRECTIONS = ("", "inbound", "outbound")
LONGEST_KEY = LONGEST["dedup_key"] - len(INGESTED)
LONGEST_METER = 20
METADATA_BYTES = 8_192
REQUIRED = ("idempotency_key", "channel", "resource_type", "quantity")
OPTIONAL = ("occurred_at", "resource_id", "direction", "destination", "metadata")
FIELDS = frozenset((*REQUIRED, *OPTIONAL))
# Name → most characters, and whether it must be there.
TEXTS = {
    "idempotency_key": (LONGEST_KEY, True),
    "channel": (LONGEST_METER, True),
    "resource_type": (LONGEST_METER, True),
    "resource_id": (LONGEST["resource_id"], False),
    "direction": (LONGEST["direction"], False),
    "destination": (LONGEST["destination"], False),
}
NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
STEP = Decimal(1).scaleb(-PLACES)


@dataclass(frozen=True)
class Window:
    """Which moments are taken: not before `earliest`, not after `latest`; events without one happened at `now`."""

    now: datetime
    earliest: datetime
    latest: datetime

    @classmethod
    def around(cls, now: datetime, *, back_days: int, ahead_minutes: int) -> "Window":
        """Return the window at a moment."""
        return cls(now, now - timedelta(days=back_days), now + timedelta(minutes=ahead_minutes))


class _Faults(list[FieldProblem]):
    def add(self, name: str, code: str, detail: str) -> None:
        self.append(FieldProblem(f"/{name}", code, detail))


def read_event(raw: Any, window: Window) -> UsageEvent | list[FieldProblem]:
    """Return the event, or everything that is wrong with it, with pointers into the event."""
    if not isinstance(raw, Mapping):
        return [FieldProblem("", "not-an-object", "An event is a JSON object.")]
    faults = _Faults()
    if unknown := raw.keys() - FIELDS:
        for name in sorted(unknown)[:10]:
            faults.add(name[:60], "unknown-field", f"An event has no {name[:60]!r}.")
    texts = {name: _text(raw, name, most, is_needed, faults) for name, (most, is_needed) in TEXTS.items()}
    if texts["direction"] not in DIRECTIONS:
        faults.add("direction", "direction", "direction is inbound, outbound or empty.")
    quantity = _quantity(raw.get("quantity"), faults)
    moment = _moment(raw.get("occurred_at"), window, faults)
    metadata = _metadata(raw.get("metadata"), faults)
    if faults:
        return faults
    return UsageEvent(
        channel=texts["channel"],
        resource_type=texts["resource_type"],
        quantity=quantity,
        occurred_at=moment or window.now,
        dedup_key=INGESTED + texts["idempotency_key"],
        resource_id=texts["resource_id"],
        direction=texts["direction"],
        destination=texts["destination"],
        metadata=metadata,
        is_timed=moment is not None,
    )


def _text(raw: Mapping[str, Any], name: str, most: int, is_needed: bool, faults: _Faults) -> str:
    text = raw.get(name)
    if text is None or text == "":
        if is_needed:
            faults.add(name, "required", f"{name} is missing.")
        return ""
    if not isinstance(text, str):
        faults.add(name, "not-a-string", f"{name} is a string.")
        return ""
    if len(text) > most:
        faults.add(name, "too-long", f"{name} is longer than {most} characters.")
    if "\0" in text:
        faults.add(name, "nul", f"{name} holds a NUL character.")
    return text


def _quantity(given: Any, faults: _Faults) -> Decimal:
    if given is None or given == "":
        faults.add("quantity", "required", "quantity is missing.")
        return Decimal(0)
    # A whole number is exact in JSON; a fraction is not, and stands in a string.
    text = str(given) if type(given) is int else given
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        faults.add("quantity", "not-a-decimal", 'quantity is a decimal in a string, for example "1.5".')
        return Decimal(0)
    quantity = Decimal(text)
    if not 0 < quantity < LARGEST:
        faults.add("quantity", "quantity", f"The quantity must be more than 0 and less than {LARGEST:,f}.")
    elif quantity % STEP:
        faults.add("quantity", "quantity", f"The quantity has more than {PLACES} decimals.")
    return quantity


def _moment(given: Any, window: Window, faults: _Faults) -> datetime | None:
    if given is None or given == "":
        return None
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        faults.add("occurred_at", "not-a-time", "occurred_at is a time like 2026-03-31T12:00:00Z.")
        return None
    if moment.tzinfo is None:
        faults.add("occurred_at", "naive-time", "The time has no UTC offset; add one, e.g. Z.")
    elif moment < window.earliest:
        days = (window.now - window.earliest).days
        faults.add("occurred_at", "too-old", f"Events are taken for {days} days; this one is older.")
    elif moment > window.latest:
        minutes = (window.latest - window.now) // timedelta(minutes=1)
        faults.add("occurred_at", "too-far-ahead", f"The time is more than {minutes} minutes ahead.")
    return moment


def _metadata(given: Any, faults: _Faults) -> dict[str, Any]:
    if given is None or given == {}:
        return {}
    if not isinstance(given, dict):
        faults.add("metadata", "not-an-object", "metadata is a JSON object.")
        return {}
    try:
        size = orjson.dumps(given)
    except (orjson.JSONEncodeError, RecursionError):  # orjson reads deeper than it writes
        faults.add("metadata", "too-deep", "metadata is nested too deeply.")
        return {}
    if len(size) > METADATA_BYTES:
        faults.add("metadata", "too-long", f"metadata is longer than {METADATA_BYTES:,} bytes of JSON.")
    if b"\\u0000" in size:
        faults.add("metadata", "nul", "metadata holds a NUL character.")
    return given
