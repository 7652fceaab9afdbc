"""Take what is due: lanes with a lease, and of each the delivery whose turn it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.tenancy import system_access
from accounts.webhooks.schedule import BREAKS_AT, HOLDING_TRIES

# An attempt takes 15 seconds at most: a lease that ran out is a dead worker's.
LEASE: Final = timedelta(seconds=30)
MOST_AT_ONCE: Final = 10  # attempts under way at one endpoint
ONE_AFTER_THE_OTHER: Final = "SELECT pg_advisory_xact_lock(hashtextextended('irisx.webhooks.claim', 0))"
# The endpoints that have lanes are found by a jump each, however many lanes there are. One that keeps failing gets one
# attempt at a time. No endpoint gets its second place before every other got its first.
CLAIM: Final = """
WITH RECURSIVE busy AS (
  (SELECT endpoint_id AS id FROM webhook_lanes ORDER BY endpoint_id LIMIT 1)
  UNION ALL
  SELECT (SELECT l.endpoint_id FROM webhook_lanes l WHERE l.endpoint_id > busy.id ORDER BY l.endpoint_id LIMIT 1)
  FROM busy WHERE busy.id IS NOT NULL
), able AS (
  SELECT e.id, CASE WHEN e.failures >= %(breaks_at)s THEN 1 ELSE %(at_once)s END - (
    SELECT count(*) FROM webhook_lanes l WHERE l.endpoint_id = e.id AND l.leased_until > %(now)s
  ) AS room
  FROM busy
  JOIN webhook_endpoints e ON e.id = busy.id
  JOIN tenants t ON t.id = e.tenant_id
  WHERE e.is_active AND t.status IN ('trial', 'active') AND (e.paused_until IS NULL OR e.paused_until <= %(now)s)
), picked AS (
  SELECT due.id
  FROM able CROSS JOIN LATERAL (
    SELECT l.id, l.due_at FROM webhook_lanes l
    WHERE l.endpoint_id = able.id AND l.due_at <= %(now)s AND (l.leased_until IS NULL OR l.leased_until <= %(now)s)
    ORDER BY l.due_at LIMIT greatest(able.room, 0)
    FOR UPDATE SKIP LOCKED
  ) due
  ORDER BY row_number() OVER (PARTITION BY able.id ORDER BY due.due_at), due.due_at LIMIT %(most)s
)
UPDATE webhook_lanes l SET leased_until = %(until)s, lease = %(lease)s FROM picked WHERE l.id = picked.id RETURNING l.id
"""
# An event with fewer than three failed tries holds those after it.
DUE: Final = """
SELECT l.id, l.tenant_id, l.endpoint_id, d.id, d.event_id, d.tries, o.body,
  CASE WHEN o.callback_endpoint_id = e.id THEN o.callback_url ELSE e.url END, e.secret,
  CASE WHEN e.former_until > %(now)s THEN e.former_secret ELSE '' END, e.kind = 'callbacks'
FROM webhook_lanes l
JOIN webhook_endpoints e ON e.id = l.endpoint_id
LEFT JOIN LATERAL (
  SELECT p.id, p.event_id, p.tries FROM webhook_deliveries p
  WHERE p.endpoint_id = l.endpoint_id AND p.object_id = l.object_id AND p.status = 'pending'
    AND p.next_attempt_at <= %(now)s AND p.sequence <= coalesce((
      SELECT min(h.sequence) FROM webhook_deliveries h
      WHERE h.endpoint_id = l.endpoint_id AND h.object_id = l.object_id AND h.status = 'pending' AND h.tries < %(holding)s
    ), 9223372036854775807)
  ORDER BY p.sequence LIMIT 1
) d ON true
LEFT JOIN webhook_outbox o ON o.tenant_id = l.tenant_id AND o.id = d.event_id
WHERE l.id = ANY (%(lanes)s) AND l.lease = %(lease)s
"""


@dataclass(frozen=True)
class Job:
    """A lane this worker holds, with the delivery to attempt; `delivery_id` is None when none turned out to be due.

    `body` is None when the event is no longer kept. The secrets are sealed.
    """

    lease: UUID
    lane_id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    delivery_id: UUID | None
    event_id: UUID
    tries: int
    body: str | None
    url: str
    secret: str
    former_secret: str
    is_callback: bool = False


def claim(*, lease: UUID, most: int, now: datetime) -> list[Job]:
    """Lease up to `most` due lanes of any tenants for 30 seconds and return what to attempt.

    Claims run one after the other, so that no endpoint gets more than its ten attempts at once from all workers together.
    """
    values: dict[str, Any] = {
        "now": now, "until": now + LEASE, "lease": lease, "most": most, "at_once": MOST_AT_ONCE,
        "breaks_at": BREAKS_AT, "holding": HOLDING_TRIES,
    }  # fmt: skip
    with system_access("webhook deliveries are claimed"), connection.cursor() as cursor:
        cursor.execute(ONE_AFTER_THE_OTHER)
        cursor.execute(CLAIM, values)
        lanes = [row[0] for row in cursor.fetchall()]
        if not lanes:
            return []
        values["lanes"] = lanes
        cursor.execute(DUE, values)
        return [Job(lease, *row) for row in cursor.fetchall()]
