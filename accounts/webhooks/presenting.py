"""Endpoints, deliveries and attempts as the API shows them."""

from datetime import datetime
from typing import Any

from accounts.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from common.ids import encode
from common.timestamps import rfc3339


def present_endpoint(endpoint: WebhookEndpoint, *, now: datetime) -> dict[str, Any]:
    """Return an endpoint without its secret."""
    both_sign = endpoint.former_until is not None and endpoint.former_until > now
    return {
        "id": encode("wh", endpoint.pk),
        "kind": endpoint.kind,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "is_enabled": endpoint.is_active,
        "disabled_reason": endpoint.disabled_reason or None,
        "disabled_at": rfc3339(endpoint.disabled_at),
        "failing_since": rfc3339(endpoint.failing_since),
        "last_success_at": rfc3339(endpoint.last_success_at),
        "paused_until": rfc3339(endpoint.paused_until) if endpoint.is_paused(now) else None,
        "former_secret_until": rfc3339(endpoint.former_until) if both_sign else None,
        "created_at": rfc3339(endpoint.created_at),
    }


def present_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return a delivery as the log lists it."""
    return {
        "id": encode("wd", delivery.pk),
        "event_id": encode("evt", delivery.event_id),
        "type": delivery.type,
        "object_id": delivery.object_id,
        "sequence": delivery.sequence,
        "status": delivery.status,
        "attempt_count": delivery.attempt_count,
        "next_attempt_at": rfc3339(delivery.next_attempt_at),
        "last_attempt_at": rfc3339(delivery.last_attempt_at),
        "status_code": delivery.status_code,
        "error": delivery.error or None,
        "created_at": rfc3339(delivery.created_at),
        "finished_at": rfc3339(delivery.finished_at),
    }


def present_attempt(attempt: WebhookAttempt) -> dict[str, Any]:
    """Return one attempt."""
    return {
        "number": attempt.number,
        "started_at": rfc3339(attempt.started_at),
        "duration_ms": attempt.duration_ms,
        "status_code": attempt.status_code,
        "error": attempt.error or None,
        "answer": attempt.answer,
    }
