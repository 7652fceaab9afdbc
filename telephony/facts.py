"""Read from a switch's event what it means for a leg: pure, values in, facts out.

The switch counts billsec in whole-second differences and flow_billsec from the first ring: neither is read, only the
microsecond fields are.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from telephony.esl.protocol import Event
from telephony.states import Direction, HangupSource

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENTS = (
    "CHANNEL_CREATE",
    "CHANNEL_PARK",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_HANGUP_COMPLETE",
    "BACKGROUND_JOB",
)
_UNIX_MICROSECONDS = re.compile(r"[0-9]{1,17}", re.ASCII)
_SMALL_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_CAUSE = re.compile(r"[A-Z0-9_]{1,48}", re.ASCII)
_SIP = re.compile(r"sip:([0-9]{3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Created:
    """The channel exists."""

    leg_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far end rings, or sends early media."""

    leg_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end answered."""

    leg_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The channel is gone; times are the switch's own, None for what never happened."""

    leg_id: UUID
    at: datetime
    created_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    cause: str = ""
    q850: int | None = None
    sip_status: int | None = None
    source: HangupSource = HangupSource.UNKNOWN


@dataclass(frozen=True, slots=True)
class Refused:
    """`originate` failed; a channel may or may not have existed."""

    leg_id: UUID
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Alive:
    """What a dump of a living channel says."""

    leg_id: UUID
    at: datetime
    ringing_at: datetime | None = None
    answered_at: datetime | None = None


Fact = Created | Ringing | Answered | Ended | Refused | Alive


def leg_of(event: Event) -> UUID | None:
    """Return the leg an event is about; the job of an originate carries its leg's UUID."""
    name = "Job-UUID" if event.name == "BACKGROUND_JOB" else "Unique-ID"
    try:
        return UUID(event.text(name))
    except ValueError:
        return None


def read(event: Event, *, received_at: datetime) -> Fact | None:
    """Return what the event means to us, None if nothing; `received_at` stands in for a missing time."""
    reader = _READERS.get(event.name)
    leg_id = leg_of(event)
    at = _moment(event, "Event-Date-Timestamp") or received_at
    return reader(event, leg_id, at) if reader and leg_id else None


def alive(dump: Event, *, at: datetime) -> Alive | None:
    """Return what `uuid_dump` says of a living channel."""
    leg_id = leg_of(dump)
    return Alive(leg_id, at, _ringing_at(dump), _moment(dump, "Caller-Channel-Answered-Time")) if leg_id else None


def reported(variables: Mapping[str, str], *, received_at: datetime) -> Ended | None:
    """Return what a call detail record's variables say of a channel's end, None when they name no channel."""
    headers: dict[str, str | list[str]] = {f"variable_{name}": value for name, value in variables.items()}
    event = Event(headers | {"Unique-ID": variables.get("uuid", ""), "Call-Direction": variables.get("direction", "")})
    leg_id = leg_of(event)
    return _ended(event, leg_id, received_at) if leg_id else None


def _created(event: Event, leg_id: UUID, at: datetime) -> Fact:
    return Created(leg_id, _moment(event, "Caller-Channel-Created-Time") or at)


def _ringing(event: Event, leg_id: UUID, at: datetime) -> Fact:
    return Ringing(leg_id, _ringing_at(event) or at)


def _answered(event: Event, leg_id: UUID, at: datetime) -> Fact:
    return Answered(leg_id, _moment(event, "Caller-Channel-Answered-Time") or at)


def _ended(event: Event, leg_id: UUID, at: datetime) -> Ended:
    return Ended(
        leg_id=leg_id,
        at=_moment(event, "Caller-Channel-Hangup-Time", "variable_end_uepoch") or at,
        created_at=_moment(event, "Caller-Channel-Created-Time", "variable_start_uepoch"),
        ringing_at=_ringing_at(event),
        answered_at=_moment(event, "Caller-Channel-Answered-Time", "variable_answer_uepoch"),
        cause=cause_in(event.text("Hangup-Cause") or event.text("variable_hangup_cause")),
        q850=_number(event.text("variable_hangup_cause_q850")),
        sip_status=_sip_status(event),
        source=_source(event),
    )


def _refused(event: Event, leg_id: UUID, at: datetime) -> Fact | None:
    if not event.body.startswith("-"):
        return None
    return Refused(leg_id, at, cause_in(event.body.removeprefix("-ERR").strip()))


def cause_in(text: str) -> str:
    """Return a hangup cause's name, empty for anything that can't be one."""
    return text if _CAUSE.fullmatch(text) else ""


def _ringing_at(event: Event) -> datetime | None:
    return _moment(
        event,
        "Caller-Channel-Progress-Time",
        "Caller-Channel-Progress-Media-Time",
        "variable_progress_uepoch",
        "variable_progress_media_uepoch",
    )


def _moment(event: Event, *headers: str) -> datetime | None:
    """Return the first of these microsecond fields that is set; 0 stands for never."""
    for header in headers:
        text = event.text(header)
        if _UNIX_MICROSECONDS.fullmatch(text) and int(text):
            return EPOCH + timedelta(microseconds=int(text))
    return None


def _sip_status(event: Event) -> int | None:
    """Return the far end's final status; what we sent ourselves (487 on our CANCEL) counts last."""
    specific = _SIP.fullmatch(event.text("variable_proto_specific_hangup_cause"))
    found = event.text("variable_sip_term_status") or (specific[1] if specific else "")
    return _number(found or event.text("variable_sip_invite_failure_status"))


def _number(text: str) -> int | None:
    return int(text) if _SMALL_NUMBER.fullmatch(text) else None


def _source(event: Event) -> HangupSource:
    """Say who ended the channel, from the direction of the SIP message that did."""
    disposition = event.text("variable_sip_hangup_disposition")
    if disposition.startswith("recv_"):
        is_inbound = event.text("Call-Direction") == Direction.INBOUND
        return HangupSource.CALLER if is_inbound else HangupSource.CALLEE
    return HangupSource.PLATFORM if disposition.startswith("send_") else HangupSource.UNKNOWN


_READERS: dict[str, Callable[[Event, UUID, datetime], Fact | None]] = {
    "CHANNEL_CREATE": _created,
    "CHANNEL_PROGRESS": _ringing,
    "CHANNEL_PROGRESS_MEDIA": _ringing,
    "CHANNEL_ANSWER": _answered,
    "CHANNEL_HANGUP_COMPLETE": _ended,
    "BACKGROUND_JOB": _refused,
}
