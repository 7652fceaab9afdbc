"""Read the argument of `originate` as FreeSWITCH does, quoting and failures included."""

import re
from dataclasses import dataclass, field
from uuid import uuid4

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>]"
    " [<timeout_sec>]\n"
)
_VARIABLES = re.compile(r"\{((?:[^{}]|\{[^{}]*\})*)\}")
_SPLIT = re.compile(r"(?:[^,'\\]|\\.|'(?:[^'\\]|\\.)*')+")
_GATEWAY = re.compile(r"sofia/gateway/([^/|,]+)/([^|,]*)")
_USER = re.compile(r"user/([^@|,]+)@[^|,]+")
_SIP = re.compile(r"sofia/external/sip:([^@|,]+)@[^|,]+")
_LOOPBACK = re.compile(r"loopback/([^/|,]+)(?:/[^|,]*)?")


class Refused(Exception):
    """The switch answers `-ERR` with this text and makes no channel."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What is to be dialled, and the variables the channel starts with."""

    gateway: str
    number: str
    application: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def uuid(self) -> str:
        """Return the channel's UUID, chosen by the caller or made up."""
        return self.variables.get("origination_uuid") or str(uuid4())


def read(argument: str) -> Dialled:
    """Return what `originate ARGUMENT` asks for; raises Refused."""
    variables, rest = _variables(argument)
    target, _, application = rest.partition(" ")
    if not application.strip():
        raise Refused(USAGE)
    gateway, number = _endpoint(target)
    return Dialled(gateway=gateway, number=number, application=application.strip(), variables=variables)


def _variables(argument: str) -> tuple[dict[str, str], str]:
    if not argument.startswith("{"):
        return {}, argument
    block = _VARIABLES.match(argument)
    if not block or re.search(r" ", re.sub(r"'(?:[^'\\]|\\.)*'", "", block.group(1))):
        # An unbalanced brace, or a space outside quotes, ends the dial string early (trace originate-parse-errors).
        raise Refused("-ERR DESTINATION_OUT_OF_ORDER\n")
    pairs = (_unquoted(part).partition("=") for part in _SPLIT.findall(block.group(1)))
    return {name: value for name, equals, value in pairs if equals and value}, argument[block.end() :]


def _unquoted(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)'", "", part))


def _endpoint(target: str) -> tuple[str, str]:
    if found := _GATEWAY.match(target):
        return found[1], found[2]
    if found := _USER.match(target):
        return "user", found[1]
    if found := _SIP.match(target):
        return "sip", found[1]
    if found := _LOOPBACK.match(target):
        return "loopback", found[1]
    raise Refused("-ERR CHAN_NOT_IMPLEMENTED\n")
