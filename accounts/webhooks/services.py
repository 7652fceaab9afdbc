"""The outbox: a fact and its announcement are one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from accounts.webhooks.models import OutboxEvent
from common.ids import encode, uuid7
from common.sequences import next_value
from common.timestamps import rfc3339


@dataclass(frozen=True)
class WebhookEvent:
    """A fact integrators may want: its type (`call.completed`), the object it is about, and that object's data."""

    type: str
    tenant_id: UUID
    object_id: str
    data: dict[str, Any]
    occurred_at: datetime


def enqueue(event: WebhookEvent) -> OutboxEvent:
    """Write the event's outbox row in the caller's transaction, with the object's next sequence. Two statements."""
    sequence = next_value(owner=event.tenant_id, name=f"outbox:{event.object_id}")
    key = uuid7()
    body = {
        "id": encode("evt", key),
        "type": event.type,
        "timestamp": rfc3339(event.occurred_at),
        "object_id": event.object_id,
        "sequence": sequence,
        "data": event.data,
    }
    return OutboxEvent.objects.create(
        id=key,
        tenant_id=event.tenant_id,
        type=event.type,
        object_id=event.object_id,
        sequence=sequence,
        body=orjson.dumps(body).decode(),
        occurred_at=event.occurred_at,
    )
