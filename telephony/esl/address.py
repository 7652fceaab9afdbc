"""Read one node's address."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from telephony.esl.errors import BadAddress

_URL = re.compile(
    r"esl://(?P<user>[^:@]*):(?P<password>[^@]*)@(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})/?"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """One switch: where it listens and how to sign in; an empty user means the bare password sign-in."""

    host: str
    port: int
    password: str
    user: str = ""

    @property
    def name(self) -> str:
        """Return the node's name in our own records."""
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"NodeAddress({self.name})"


def parse_url(url: str) -> NodeAddress:
    """Return the node of `esl://[user]:password@host:port`, reserved characters percent-encoded. Raises BadAddress."""
    found = _URL.fullmatch(url)
    if not found or not 0 < int(found["port"]) < 65536:
        raise BadAddress("a switch's address must read esl://[user]:password@host:port")
    user, password = unquote(found["user"]), unquote(found["password"])
    if _UNPRINTABLE.search(user + password):
        raise BadAddress("a switch's user and password must not hold control characters")
    return NodeAddress(host=found["host"].strip("[]"), port=int(found["port"]), password=password, user=user)
