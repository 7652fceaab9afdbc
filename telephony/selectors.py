"""Read calls."""

from uuid import UUID

from django.db.models import QuerySet

from common.errors import NotFound
from telephony.models import Call, CallEvent


def calls(*, tenant_id: UUID, status: str = "") -> QuerySet[Call]:
    """Return a tenant's calls, of one status if given. No query yet."""
    found = Call.objects.for_tenant(tenant_id)
    return found.filter(status=status) if status else found


def call(*, tenant_id: UUID, call_id: UUID) -> Call:
    """Return one call; raises NotFound. One query."""
    found = Call.objects.for_tenant(tenant_id).filter(pk=call_id).first()
    if found is None:
        raise NotFound("There is no such call.")
    return found


def call_events(*, tenant_id: UUID, call_id: UUID, after_seq: int, limit: int) -> list[CallEvent]:
    """Return up to `limit` events of a call's timeline after a sequence number, in order. One query."""
    found = CallEvent.objects.for_tenant(tenant_id).filter(call_id=call_id, seq__gt=after_seq)
    return list(found.order_by("seq")[:limit])
