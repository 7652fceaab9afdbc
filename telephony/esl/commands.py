"""Build every command we send, from typed and white-listed values only: no text a customer wrote reaches a switch.

The switch interprets CR, LF, NUL, `$`, `{}`, `[]`, `<>`, commas, quotes, backslashes, spaces and `|` inside a command
(recorded in the trace originate-variable-escaping). Rather than escape them, nothing that holds them is accepted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from telephony.esl.errors import UnsafeValue

MAX_SECONDS = 24 * 60 * 60
# The switch's sounds name each number to twenty with one file.
MAX_SPOKEN = 20
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{2,15}", re.ASCII)
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{1,47}", re.ASCII)
_EVENT = re.compile(r"[A-Z][A-Z_]{1,47}", re.ASCII)
_SIP_URI = re.compile(r"sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,120}(:[0-9]{2,5})?", re.ASCII)
_SECRET = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_LINE = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it goes over the wire; made by the functions of this module only."""

    line: str
    job: UUID | None = None

    def wire(self) -> bytes:
        """Return the bytes; refuses control characters once more, whoever built the line."""
        if not _LINE.fullmatch(self.line):
            raise UnsafeValue("a command must be one line of printable characters")
        job = f"\nJob-UUID: {self.job}" if self.job else ""
        return f"{self.line}{job}\n\n".encode()

    def __repr__(self) -> str:
        return f"Command({self.line.split(' ')[0]})"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A carrier: the switch's gateway name and the digits to dial there."""

    name: str
    number: str

    def dial_string(self) -> str:
        """Return the endpoint as the switch reads it, digits without the plus."""
        number = _checked(_NUMBER, self.number, "number").removeprefix("+")
        return f"sofia/gateway/{_checked(_TOKEN, self.name, 'gateway')}/{number}"


@dataclass(frozen=True, slots=True)
class Loopback:
    """An extension of the switch's own dialplan."""

    extension: str
    context: str

    def dial_string(self) -> str:
        """Return the endpoint as the switch reads it."""
        extension = _checked(_TOKEN, self.extension, "extension")
        return f"loopback/{extension}/{_checked(_TOKEN, self.context, 'context')}"


@dataclass(frozen=True, slots=True)
class Telephone:
    """An agent's telephone: a user of the switch's directory."""

    user: str
    domain: str

    def dial_string(self) -> str:
        """Return the endpoint as the switch reads it; the directory knows where the telephone is registered."""
        return f"user/{_checked(_TOKEN, self.user, 'user')}@{_checked(_TOKEN, self.domain, 'domain')}"


@dataclass(frozen=True, slots=True)
class SipAddress:
    """A SIP address somewhere else, `sip:user@host` or with a port."""

    uri: str

    def dial_string(self) -> str:
        """Return the endpoint as the switch reads it."""
        return f"sofia/external/{_checked(_SIP_URI, self.uri, 'SIP address')}"


def auth(password: str) -> Command:
    """Sign in with the switch's password."""
    return Command(f"auth {_checked(_SECRET, password, 'password')}")


def userauth(user: str, password: str) -> Command:
    """Sign in as a user of the switch's directory (`user` or `user@domain`)."""
    name = user if "@" in user else f"{user}@default"
    return Command(f"userauth {_checked(_SECRET, name, 'user')}:{_checked(_SECRET, password, 'password')}")


def subscribe(events: Iterable[str]) -> Command:
    """Ask for events, in JSON."""
    names = [_checked(_EVENT, event, "event") for event in events]
    return Command(f"event json {' '.join(names)}")


def leave() -> Command:
    """End the connection in good order."""
    return Command("exit")


def originate(
    *,
    channel: UUID,
    to: Gateway | Loopback | Telephone | SipAddress,
    caller_number: str,
    ring_seconds: int,
    time_limit_seconds: int | None = None,
    job: UUID,
) -> Command:
    """Dial in the background with a channel UUID of our own, then park; the switch hangs up at the time limit.

    `originate` fails with DESTINATION_OUT_OF_ORDER while a channel of that UUID lives, and dials again once it has
    ended: the caller sends it once (trace originate-duplicate-uuid).
    """
    variables = [
        f"origination_uuid={channel}",
        f"origination_caller_id_number={_checked(_NUMBER, caller_number, 'caller number').removeprefix('+')}",
        "ignore_early_media=true",
        f"originate_timeout={_seconds(ring_seconds)}",
    ]
    if time_limit_seconds is not None:
        # The quotes go around the whole assignment: it holds a space (trace record-session-on-answer).
        variables.append(f"'execute_on_answer=sched_hangup +{_seconds(time_limit_seconds)} ALLOTTED_TIMEOUT'")
    return Command(f"bgapi originate {{{','.join(variables)}}}{to.dial_string()} &park", job=job)


def kill(channel: UUID, cause: str = "NORMAL_CLEARING") -> Command:
    """Hang a channel up."""
    return Command(f"api uuid_kill {channel} {_checked(_CAUSE, cause, 'cause')}")


def answer(channel: UUID) -> Command:
    """Answer a channel that came in; one that is answered already stays as it is."""
    return Command(f"api uuid_answer {channel}")


def bridge(channel: UUID, other: UUID) -> Command:
    """Connect two channels with each other, whatever each of them was hearing."""
    return Command(f"api uuid_bridge {channel} {other}")


def silence(channel: UUID) -> Command:
    """Stop everything that is played to a channel."""
    return Command(f"api uuid_break {channel} all")


def play_music(channel: UUID, *, position: int | None = None) -> Command:
    """Play the switch's own waiting music without end, first the caller's position (from 1) if there is a sound for it."""
    sounds = ["local_stream://moh"]
    if position is not None and 1 <= position <= MAX_SPOKEN:
        sounds = ["ivr/ivr-you_are_number.wav", f"digits/{int(position)}.wav", *sounds]
    return Command(f"api uuid_broadcast {channel} file_string://{'!'.join(sounds)} aleg")


def exists(channel: UUID) -> Command:
    """Ask whether a channel lives; the answer is `true` or `false`."""
    return Command(f"api uuid_exists {channel}")


def dump(channel: UUID) -> Command:
    """Ask for everything the switch knows about a channel, as JSON."""
    return Command(f"api uuid_dump {channel} json")


def show_channels() -> Command:
    """Ask for all channels, as JSON; the list lags behind the truth by some tenths of a second."""
    return Command("api show channels as json")


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UnsafeValue(f"this {what} can't be sent to a switch")
    return value


def _seconds(value: int) -> int:
    if not 0 < value <= MAX_SECONDS:
        raise UnsafeValue(f"{value} seconds is not between 1 and {MAX_SECONDS}")
    return int(value)
