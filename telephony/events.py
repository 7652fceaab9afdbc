"""Live events of telephony."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.ids import encode_call
from common.live import LiveEvent, topic


@dataclass(frozen=True)
class CallChanged(LiveEvent):
    """A call's timeline grew: `seq` is its newest event, `status` the call's status now."""

    tenant_id: UUID
    call_id: UUID
    status: str
    seq: int

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Ring at every agent's desk of the tenant."""
        frame = {"v": 1, "type": "call.changed", "call": encode_call(self.call_id), "status": self.status}
        yield topic(self.tenant_id, "calls", audience="agents"), frame | {"seq": self.seq}
