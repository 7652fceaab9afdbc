"""Read from a switch's event that a call has come in: pure."""

import re
from dataclasses import dataclass
from uuid import UUID

from telephony.esl.protocol import Event
from telephony.states import Direction

EVENT = "CHANNEL_PARK"
# Set by our dialplan on every call that comes in: a switch may park others for purposes of its own.
MARK = "variable_irisx_inbound"
_DIALLED = re.compile(r"\+?([1-9][0-9]{6,14})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that came in and waits, not answered yet; numbers in E.164, `from_number` empty if it is hidden or none."""

    channel: UUID
    to_number: str
    from_number: str


def arrival(event: Event) -> Arrival | None:
    """Return the arrival an event tells of (CHANNEL_PARK, or a parked channel's dump), None if it tells of none."""
    if event.text("Call-Direction") != Direction.INBOUND or event.text(MARK) != "true":
        return None
    try:
        channel = UUID(event.text("Unique-ID"))
    except ValueError:
        return None
    dialled, caller = event.text("Caller-Destination-Number"), event.text("Caller-Caller-ID-Number")
    return Arrival(channel, _e164(dialled), _e164(caller))


def _e164(text: str) -> str:
    """Return a number as carriers write it, with or without the plus, in E.164; empty for anything else."""
    found = _DIALLED.fullmatch(text)
    return f"+{found[1]}" if found else ""
