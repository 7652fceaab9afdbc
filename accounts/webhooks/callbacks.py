"""Status callbacks: addresses that single calls name. Signed, retried and logged as any delivery, by server."""

from typing import Final
from uuid import UUID

from accounts.webhooks.models import WebhookEndpoint
from accounts.webhooks.services import server_of
from accounts.webhooks.signing import new_secret
from common.errors import Conflict
from common.outgoing import check_url
from common.sealed import seal

MOST_SERVERS: Final = 50
Kind = WebhookEndpoint.Kind


def check_callback(*, tenant_id: UUID, url: str, pointer: str) -> None:
    """Raise Invalid for an address that is never called, Conflict where it would be one server too many. Writes nothing."""
    check_url(url, pointer=pointer)
    servers = WebhookEndpoint.objects.for_tenant(tenant_id).filter(kind=Kind.CALLBACKS)
    if servers.count() >= MOST_SERVERS and not servers.filter(url=server_of(url)).exists():
        raise Conflict(
            f"Callbacks go to {MOST_SERVERS} servers already; delete one of their endpoints first.",
            code="too-many-endpoints",
            pointer=pointer,
        )


def make_ready(*, tenant_id: UUID, url: str) -> None:
    """Make the endpoint of the address's server unless it is there; its secret is shown by rotating it.

    Among the endpoints it is listed as `callbacks`.
    """
    servers = WebhookEndpoint.objects.for_tenant(tenant_id).filter(kind=Kind.CALLBACKS, url=server_of(url))
    if not servers.exists():
        fresh = WebhookEndpoint(
            tenant_id=tenant_id, kind=Kind.CALLBACKS, url=server_of(url), secret=seal(new_secret()), event_types=[]
        )
        WebhookEndpoint.objects.bulk_create([fresh], ignore_conflicts=True)
