"""Who decided: the audit log's line of a decision about money."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import AuditEntry


@dataclass(frozen=True)
class Actor:
    """Who decided, as the audit log names it."""

    kind: str
    name: str
    id: UUID | None = None
    address: str | None = None


def audit(*, tenant_id: UUID, action: str, object_id: UUID, changes: dict[str, Any], actor: Actor) -> None:
    """Write the line, in the caller's transaction."""
    AuditEntry.objects.create(
        tenant_id=tenant_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        object_id=str(object_id),
        changes=changes,
        ip_address=actor.address,
    )
