"""The doorbell of lost rights: whoever takes rights away rings it, and every process re-checks the sockets concerned at once.

A lost ring costs 25 seconds at most: the pulse re-checks everybody (accounts.sockets.pulse).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.live import LiveEvent, process_topic, publish_on_commit

TOPIC = process_topic("revocations")


@dataclass(frozen=True)
class Revoked(LiveEvent):
    """These tenants, or these users and visitors, may no longer be what their sockets think."""

    tenants: tuple[UUID, ...]
    people: tuple[UUID, ...]

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        yield TOPIC, {"tenants": [id.hex for id in self.tenants], "people": [id.hex for id in self.people]}


def ring(*, tenants: Iterable[UUID] = (), people: Iterable[UUID] = ()) -> None:
    """Have the sockets of these tenants, users or visitors re-checked once this transaction has committed."""
    publish_on_commit(Revoked(tuple(tenants), tuple(people)))
