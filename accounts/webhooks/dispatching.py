"""From the outbox to the endpoints: each committed event gets its position and a delivery for each endpoint that wants it."""

from datetime import datetime
from typing import Final

from django.db import connection

from accounts.tenancy import system_access
from accounts.webhooks.catalogue import TEST

BATCH: Final = 500
# One dispatcher at a time: positions become visible in their order, and an object's events are never shared among two.
LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('irisx.webhooks.dispatch', 0))"
WAITING: Final = "SELECT EXISTS (SELECT 1 FROM webhook_outbox WHERE position IS NULL)"
# The oldest, and with each all of its object's before it, whatever the clocks that wrote them said. A statement's order of
# nextval is that of the rows beneath, which are sorted. An endpoint hears of what happened after it was made; it is locked
# before its lanes, as by whoever deletes it. A test has its delivery already.
DISPATCH: Final = """
WITH picked AS MATERIALIZED (
  SELECT tenant_id, object_id, max(sequence) AS top
  FROM (
    SELECT tenant_id, object_id, sequence FROM webhook_outbox WHERE position IS NULL ORDER BY created_at LIMIT %(most)s
  ) oldest
  GROUP BY tenant_id, object_id
), waiting AS (
  SELECT o.tenant_id, o.id, o.type, o.object_id, o.sequence, o.created_at, o.callback_endpoint_id,
    max(o.created_at) OVER (PARTITION BY o.tenant_id, o.object_id ORDER BY o.sequence) AS since
  FROM picked p
  JOIN webhook_outbox o ON o.tenant_id = p.tenant_id AND o.object_id = p.object_id AND o.sequence <= p.top
  WHERE o.position IS NULL
), numbered AS MATERIALIZED (
  SELECT w.tenant_id, w.id, w.type, w.object_id, w.sequence, w.created_at, w.callback_endpoint_id,
    nextval('webhook_outbox_positions') AS position
  FROM (SELECT * FROM waiting ORDER BY since, tenant_id, object_id, sequence) w
), placed AS (
  UPDATE webhook_outbox o SET position = n.position
  FROM numbered n WHERE o.tenant_id = n.tenant_id AND o.id = n.id
  RETURNING 1
), wanted AS MATERIALIZED (
  SELECT n.tenant_id, n.id, n.type, n.object_id, n.sequence, e.id AS endpoint_id
  FROM numbered n
  JOIN webhook_endpoints e ON e.tenant_id = n.tenant_id AND e.is_active
  WHERE CASE WHEN e.kind = 'callbacks' THEN e.id = n.callback_endpoint_id
    ELSE n.type <> %(test)s AND e.created_at <= n.created_at
      AND (e.event_types = '{}' OR n.type = ANY (e.event_types) OR split_part(n.type, '.', 1) || '.*' = ANY (e.event_types))
    END
  FOR KEY SHARE OF e
), delivered AS (
  INSERT INTO webhook_deliveries
    (id, tenant_id, endpoint_id, event_id, type, object_id, sequence, status, tries, attempt_count, next_attempt_at, error,
     created_at)
  SELECT gen_random_uuid(), tenant_id, endpoint_id, id, type, object_id, sequence, 'pending', 0, 0, %(now)s, '', %(now)s
  FROM wanted
), queued AS (
  INSERT INTO webhook_lanes AS lane (id, tenant_id, endpoint_id, object_id, due_at, is_held)
  SELECT gen_random_uuid(), tenant_id, endpoint_id, object_id, %(now)s, true
  FROM (SELECT DISTINCT tenant_id, endpoint_id, object_id FROM wanted ORDER BY endpoint_id, object_id) lanes
  ON CONFLICT (endpoint_id, object_id) DO UPDATE
  SET due_at = CASE WHEN lane.is_held THEN lane.due_at ELSE least(lane.due_at, excluded.due_at) END, is_held = true
)
SELECT count(*) FROM placed
"""


def dispatch(*, now: datetime, most: int = BATCH) -> int:
    """Give the oldest waiting events their positions and deliveries; return how many there were.

    One transaction: whoever dies in it leaves them waiting. 0 also while another process dispatches.
    """
    with system_access("webhook events go to their endpoints"), connection.cursor() as cursor:
        cursor.execute(WAITING)
        if not _first(cursor):
            return 0
        cursor.execute(LOCK)
        if not _first(cursor):
            return 0
        cursor.execute(DISPATCH, {"most": most, "now": now, "test": TEST})
        return int(_first(cursor))


def _first(cursor: object) -> int:
    return cursor.fetchone()[0]  # type: ignore[attr-defined, no-any-return] # Django's cursor wrapper
