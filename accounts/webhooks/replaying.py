"""Send again: one delivery, or everything of a range; and send something to try an endpoint out."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.webhooks import catalogue, endpoints
from accounts.webhooks.models import OutboxEvent, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.webhooks.services import WebhookEvent, enqueue
from common.errors import Conflict, Invalid, NotFound
from common.ids import encode

KEPT: Final = timedelta(days=30)
MOST_REPLAYED: Final = 10_000
# Lanes first, then deliveries, as everybody locks them.
LANES: Final = """
INSERT INTO webhook_lanes AS lane (id, tenant_id, endpoint_id, object_id, due_at, is_held)
SELECT gen_random_uuid(), %(tenant)s, %(endpoint)s, object_id, %(now)s, true
FROM (
  SELECT DISTINCT object_id FROM webhook_outbox WHERE tenant_id = %(tenant)s AND id = ANY (%(events)s) ORDER BY object_id
) objects
ON CONFLICT (endpoint_id, object_id) DO UPDATE SET due_at = least(lane.due_at, excluded.due_at), is_held = true
"""
# A delivery that is on its way already goes on as it is, but for its next attempt, which is now.
AGAIN: Final = """
INSERT INTO webhook_deliveries AS d
  (id, tenant_id, endpoint_id, event_id, type, object_id, sequence, status, tries, attempt_count, next_attempt_at, error,
   created_at)
SELECT gen_random_uuid(), o.tenant_id, %(endpoint)s, o.id, o.type, o.object_id, o.sequence, 'pending', 0, 0, %(now)s, '',
  %(now)s
FROM webhook_outbox o WHERE o.tenant_id = %(tenant)s AND o.id = ANY (%(events)s) ORDER BY o.object_id, o.sequence
ON CONFLICT (tenant_id, endpoint_id, event_id) DO UPDATE
SET status = 'pending', tries = CASE WHEN d.status = 'pending' THEN d.tries ELSE 0 END, next_attempt_at = %(now)s,
  finished_at = NULL
"""
RANGE: Final = """
SELECT o.id, o.occurred_at FROM webhook_outbox o
WHERE o.tenant_id = %(tenant)s AND o.position IS NOT NULL AND o.occurred_at >= %(since)s AND o.occurred_at < %(until)s
  AND o.type <> %(test)s AND (%(types)s::text[] = '{}' OR o.type = ANY (%(types)s::text[])
    OR split_part(o.type, '.', 1) || '.*' = ANY (%(types)s::text[]))
  AND (NOT %(is_callback)s OR o.callback_endpoint_id = %(endpoint)s)
  AND (NOT %(only_failed)s OR EXISTS (
    SELECT 1 FROM webhook_deliveries d
    WHERE d.tenant_id = o.tenant_id AND d.endpoint_id = %(endpoint)s AND d.event_id = o.id AND d.status = 'failed'))
ORDER BY o.occurred_at, o.position LIMIT %(most)s
"""


def deliveries_of(*, tenant_id: UUID, endpoint_id: UUID) -> QuerySet[WebhookDelivery]:
    """Return an endpoint's log; raise NotFound for an endpoint there is not."""
    endpoints.endpoint_of(tenant_id=tenant_id, endpoint_id=endpoint_id)
    return WebhookDelivery.objects.for_tenant(tenant_id).filter(endpoint_id=endpoint_id)


def delivery_of(*, tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Return one delivery of an endpoint; raise NotFound."""
    found = deliveries_of(tenant_id=tenant_id, endpoint_id=endpoint_id).filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


def attempts_of(delivery: WebhookDelivery, *, most: int = 100) -> list[WebhookAttempt]:
    """Return a delivery's last attempts, oldest first."""
    newest = WebhookAttempt.objects.for_tenant(delivery.tenant_id).filter(delivery_id=delivery.pk)
    return sorted(newest.order_by("-started_at", "-number")[:most], key=lambda one: (one.started_at, one.number))


def resend(*, tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Put a delivery on its way again, its schedule begun anew; one that is on its way already is attempted now.

    Raises NotFound, and Conflict while the endpoint is disabled or when the event is no longer kept.
    """
    with transaction.atomic():
        delivery = delivery_of(tenant_id=tenant_id, endpoint_id=endpoint_id, delivery_id=delivery_id)
        _require_enabled(tenant_id, endpoint_id)
        if not OutboxEvent.objects.for_tenant(tenant_id).filter(pk=delivery.event_id).exists():
            raise Conflict("This event is older than 30 days and no longer kept.", code="expired")
        _again(tenant_id, endpoint_id, [delivery.event_id], now)
    delivery.refresh_from_db()
    return delivery


def replay(
    *, tenant_id: UUID, endpoint_id: UUID, since: datetime, until: datetime, only_failed: bool = False, now: datetime
) -> tuple[int, datetime | None]:
    """Send again what happened from `since` until before `until` and the endpoint wants; at most 10,000 events, oldest first.

    Returns how many, and from when to go on where there are more. A repeat sends again. Raises NotFound, Invalid, Conflict.
    """
    if until <= since:
        raise Invalid("until must lie after since.", pointer="/until")
    with transaction.atomic():
        endpoint = _require_enabled(tenant_id, endpoint_id)
        values: dict[str, Any] = {
            "tenant": tenant_id, "endpoint": endpoint_id, "since": max(since, now - KEPT), "until": until,
            "types": endpoint.event_types, "only_failed": only_failed, "most": MOST_REPLAYED + 1, "test": catalogue.TEST,
            "is_callback": endpoint.kind == WebhookEndpoint.Kind.CALLBACKS,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(RANGE, values)
            found = cursor.fetchall()
        _again(tenant_id, endpoint_id, [row[0] for row in found[:MOST_REPLAYED]], now)
    following = found[MOST_REPLAYED][1] if len(found) > MOST_REPLAYED else None
    return min(len(found), MOST_REPLAYED), following


def send_test(*, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> WebhookDelivery:
    """Send `webhook.test` to one endpoint, whatever it listens to, and return its delivery. Raises NotFound, Conflict."""
    with transaction.atomic():
        _require_enabled(tenant_id, endpoint_id)
        public_id = encode("wh", endpoint_id)
        data = {"endpoint_id": public_id, "message": "If you can read this, the endpoint works."}
        event_id = enqueue(WebhookEvent(catalogue.TEST, tenant_id, public_id, data, now))
        _again(tenant_id, endpoint_id, [event_id], now)
        return WebhookDelivery.objects.for_tenant(tenant_id).get(endpoint_id=endpoint_id, event_id=event_id)


def _require_enabled(tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Return the endpoint, locked: the lanes that are made for it must find it still there."""
    rows = endpoints.endpoints_of(tenant_id=tenant_id).select_for_update(no_key=True)
    endpoint = rows.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    if not endpoint.is_active:
        raise Conflict("This endpoint is disabled; enable it first.", code="endpoint-disabled")
    return endpoint


def _again(tenant_id: UUID, endpoint_id: UUID, event_ids: list[UUID], now: datetime) -> None:
    values: dict[str, Any] = {"tenant": tenant_id, "endpoint": endpoint_id, "events": event_ids, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(LANES, values)
        cursor.execute(AGAIN, values)
