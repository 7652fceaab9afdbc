"""What people do to endpoints, in the audit log."""

from typing import Any
from uuid import UUID

from accounts import audit
from accounts.audit import Actor
from common.ids import encode


def note(what: str, *, tenant_id: UUID, endpoint_id: UUID, by: Actor, changes: dict[str, Any]) -> None:
    """Write down that somebody did this (`created`, `changed`, …) to an endpoint."""
    audit.record(
        tenant_id=tenant_id, action=f"webhook.{what}", by=by, object_id=encode("wh", endpoint_id), changes=changes
    )
