"""Live events of usage."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.live import LiveEvent, topic


def usage_topic(tenant_id: UUID) -> str:
    """Return the topic of those who may read a tenant's usage."""
    return topic(tenant_id, "usage", audience="staff")


@dataclass(frozen=True)
class ThresholdReached(LiveEvent):
    """A mark was reached: `type` and `data` are those of the webhook."""

    tenant_id: UUID
    type: str
    data: dict[str, Any]

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        yield usage_topic(self.tenant_id), {"v": 1, "type": self.type, **self.data}
