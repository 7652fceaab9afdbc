"""Who decided: the audit log's line of a decision about money."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.audit import Actor, record

__all__ = ["Actor", "audit"]


def audit(*, tenant_id: UUID, action: str, object_id: UUID, changes: Mapping[str, Any], actor: Actor) -> None:
    """Write the line, in the caller's transaction."""
    record(tenant_id=tenant_id, action=action, object_id=str(object_id), changes=changes, by=actor)
