"""Endpoints: where a tenant wants to hear of what, and the secrets it is signed with."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.webhooks import catalogue
from accounts.webhooks.models import WebhookEndpoint
from accounts.webhooks.signing import new_secret
from common.errors import Conflict, NotFound
from common.outgoing import check_url
from common.sealed import seal

MOST_ENDPOINTS: Final = 20
BOTH_SIGN: Final = timedelta(hours=24)
Disabled, Kind = WebhookEndpoint.Disabled, WebhookEndpoint.Kind


def endpoints_of(*, tenant_id: UUID) -> QuerySet[WebhookEndpoint]:
    """Return a tenant's endpoints."""
    return WebhookEndpoint.objects.for_tenant(tenant_id)


def endpoint_of(*, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Return one endpoint; raise NotFound."""
    found = endpoints_of(tenant_id=tenant_id).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def create_endpoint(
    *, tenant_id: UUID, url: str, event_types: Sequence[str] = (), description: str = "", now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Store an endpoint and return it with its secret, which nobody can read again.

    Raises Invalid for an address that is never called (common.outgoing) or types there are not, Conflict beyond 20 endpoints.
    """
    check_url(url)
    wanted = catalogue.checked(event_types)
    secret = new_secret()
    with transaction.atomic():
        _hold_the_count(tenant_id)
        if endpoints_of(tenant_id=tenant_id).filter(kind=Kind.EVENTS).count() >= MOST_ENDPOINTS:
            raise Conflict(
                f"There are {MOST_ENDPOINTS} endpoints already; delete one first.", code="too-many-endpoints"
            )
        endpoint = WebhookEndpoint.objects.create(
            tenant_id=tenant_id, url=url, event_types=wanted, description=description, secret=seal(secret)
        )
    return endpoint, secret


def change_endpoint(
    *,
    tenant_id: UUID,
    endpoint_id: UUID,
    url: str | None = None,
    event_types: Sequence[str] | None = None,
    description: str | None = None,
    is_enabled: bool | None = None,
    now: datetime,
) -> WebhookEndpoint:
    """Change what is given. Enabling begins with a clean slate; a repeat changes nothing. Raises NotFound, Invalid, Conflict."""
    changes: dict[str, Any] = {}
    if url is not None:
        check_url(url)
        changes["url"] = url
    if event_types is not None:
        changes["event_types"] = catalogue.checked(event_types)
    if description is not None:
        changes["description"] = description
    with transaction.atomic():
        endpoint = _locked(tenant_id, endpoint_id)
        if endpoint.kind == Kind.CALLBACKS and not changes.keys() <= {"description"}:
            raise Conflict("Callbacks go where each call says; of them only the description changes.", code="callbacks")
        if is_enabled is not None and is_enabled != endpoint.is_active:
            changes |= _enabled(endpoint) if is_enabled else _disabled(now)
        elif "url" in changes and changes["url"] != endpoint.url:
            changes |= FRESH  # another server: the old one's failures say nothing of it
        for name, value in changes.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=list(changes))
    return endpoint


def delete_endpoint(*, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Delete an endpoint and what waits for it; its log goes with the retention. Raises NotFound."""
    with transaction.atomic():
        _locked(tenant_id, endpoint_id).delete()


def rotate_secret(*, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret and return it; for 24 hours the former one signs too. Raises NotFound.

    A second rotation within that time ends the oldest at once: never more than two sign.
    """
    secret = new_secret()
    with transaction.atomic():
        endpoint = _locked(tenant_id, endpoint_id)
        endpoint.former_secret, endpoint.former_until = endpoint.secret, now + BOTH_SIGN
        endpoint.secret = seal(secret)
        endpoint.save(update_fields=["secret", "former_secret", "former_until"])
    return endpoint, secret


FRESH: Final[dict[str, Any]] = {"failures": 0, "failing_since": None, "last_failure_at": None, "paused_until": None}


def _enabled(endpoint: WebhookEndpoint) -> dict[str, Any]:
    if not endpoint.secret:
        raise Conflict("This endpoint has no secret yet: rotate it first.", code="no-secret")
    return {"is_active": True, "disabled_reason": "", "disabled_at": None, **FRESH}


def _disabled(now: datetime) -> dict[str, Any]:
    return {"is_active": False, "disabled_reason": Disabled.BY_REQUEST, "disabled_at": now}


def _locked(tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    found = endpoints_of(tenant_id=tenant_id).select_for_update().filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def _hold_the_count(tenant_id: UUID) -> None:
    """Let nobody else add an endpoint of this tenant until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"irisx.webhooks.endpoints|{tenant_id}"]
        )
