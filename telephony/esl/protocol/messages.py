"""The messages a switch can send, one frozen class each."""

from dataclasses import dataclass, field

Headers = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """The greeting: the switch wants a password first."""


@dataclass(frozen=True, slots=True)
class RudeRejection:
    """The switch's access list refuses this address; it closes next."""

    text: str


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The reply to a command that is no `api`; `headers` also holds the channel's dump when it answers `connect`."""

    text: str
    headers: Headers = field(default_factory=dict)
    body: str = ""

    @property
    def is_ok(self) -> bool:
        """Say whether the switch accepted the command."""
        return self.text.startswith("+OK")


@dataclass(frozen=True, slots=True)
class ApiReply:
    """The reply to an `api` command: bare text, by convention led by `+OK`, `-ERR` or `-USAGE`."""

    body: str

    @property
    def is_error(self) -> bool:
        """Say whether the text is one of the switch's refusals."""
        return self.body.startswith(("-ERR", "-USAGE"))


@dataclass(frozen=True, slots=True)
class Event:
    """One event, alike in all formats: values decoded, arrays as lists, of a repeated header the last one."""

    headers: Headers
    body: str = ""

    @property
    def name(self) -> str:
        """Return the event's name, such as CHANNEL_ANSWER."""
        return self.text("Event-Name")

    def text(self, header: str, default: str = "") -> str:
        """Return a header's value; of an array the first element."""
        value = self.headers.get(header, default)
        if isinstance(value, list):
            value = value[0] if value else default
        return str(value)

    def values(self, header: str) -> list[str]:
        """Return all values of a header, none when it is absent."""
        value = self.headers.get(header, [])
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the switch's log, wanted by `log`."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class DisconnectNotice:
    """The switch closes the link, or says for how many seconds it lingers after its channel has gone."""

    text: str
    disposition: str = ""
    linger_seconds: int = 0

    @property
    def is_final(self) -> bool:
        """Say whether nothing follows: a lingering link still carries events."""
        return self.disposition != "linger"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame whose content made no sense; kept so that it can be counted, never raised."""

    content_type: str
    reason: str


Message = AuthRequest | RudeRejection | CommandReply | ApiReply | Event | LogLine | DisconnectNotice | Malformed
