"""The outbox: a fact and its announcement are one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from common.db import prepared
from common.ids import encode, uuid7
from common.timestamps import rfc3339


@dataclass(frozen=True)
class WebhookEvent:
    """A fact integrators may want: its type (`call.completed`), the object it is about, and that object's data."""

    type: str
    tenant_id: UUID
    object_id: str
    data: dict[str, Any]
    occurred_at: datetime


# The object's counter is a row: a rolled-back transaction gives its number back. It is held until the transaction ends.
ENQUEUE = """
WITH numbered AS (
  INSERT INTO sequences (owner, name, last) VALUES (%(tenant_id)s, %(counter)s, 1)
  ON CONFLICT (owner, name) DO UPDATE SET last = sequences.last + 1 RETURNING last
)
INSERT INTO webhook_outbox (id, tenant_id, type, object_id, sequence, body, occurred_at, created_at,
  callback_endpoint_id, callback_url)
SELECT %(id)s, %(tenant_id)s, %(type)s, %(object_id)s, last, %(before)s::text || last || %(after)s::text, %(occurred_at)s,
  clock_timestamp(), (
    SELECT id FROM webhook_endpoints
    WHERE tenant_id = %(tenant_id)s AND kind = 'callbacks' AND url = %(callback_server)s::text
  ), %(callback_url)s::text
FROM numbered
RETURNING sequence
"""


def server_of(url: str) -> str:
    """Return what callbacks are counted, signed and slowed down by: scheme, host and port of their address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def enqueue(event: WebhookEvent, *, callback_url: str = "") -> UUID:
    """Write the event's outbox row in the caller's transaction, with the object's next sequence, gap-free. One statement.

    With a `callback_url` it goes there too, signed, whatever the endpoints listen to; `callbacks.make_ready` was called
    before, once. Returns the event's id.
    """
    key = uuid7()
    head = {
        "id": encode("evt", key),
        "type": event.type,
        "timestamp": rfc3339(event.occurred_at),
        "object_id": event.object_id,
    }
    prepared(
        ENQUEUE,
        {
            "id": key,
            "tenant_id": event.tenant_id,
            "counter": f"outbox:{event.object_id}",
            "type": event.type,
            "object_id": event.object_id,
            "before": orjson.dumps(head).decode()[:-1] + ',"sequence":',
            "after": ',"data":' + orjson.dumps(event.data).decode() + "}",
            "occurred_at": event.occurred_at,
            "callback_server": server_of(callback_url) if callback_url else "",
            "callback_url": callback_url,
        },
    )
    return key
