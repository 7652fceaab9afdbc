"""Topic names, built by the server from (owner, object, audience), never from input."""

import re
import sys
from uuid import UUID

ALLOWED = re.compile(r"[A-Za-z0-9._-]{1,99}")


def topic(owner: UUID, kind: str, id: UUID | None = None, *, audience: str) -> str:
    """Return the channel-layer group of one object and audience, e.g. `<owner>.conversation.<id>.agents`."""
    name = ".".join([owner.hex, kind, *([id.hex] if id else []), audience])
    if not ALLOWED.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a topic: A-Z, a-z, 0-9, '.', '_', '-' and under 100 characters.")
    return sys.intern(name)  # thousands of sockets hold the same few names


def process_topic(kind: str) -> str:
    """Return the topic every process listens to, e.g. for revocations."""
    return f"irisx.{kind}"
