"""Usage events, as they are listed."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from common.errors import NotFound
from common.periods import days_asked_for
from usage.event import INGESTED
from usage.models import UsageDedup, UsageRecord, UsageReversal

MOST_DAYS = 400
# A local day is within so many hours of the same day in UTC.
FARTHEST_ZONE = timedelta(hours=26)


def events(*, tenant_id: UUID) -> QuerySet[UsageRecord]:
    """Return the tenant's records, each with the `reversal_id` of what took it back."""
    reversals = UsageReversal.objects.filter(tenant_id=tenant_id, record_id=OuterRef("id"))
    return UsageRecord.objects.for_tenant(tenant_id).annotate(reversal_id=Subquery(reversals.values("reversal_id")))


def events_asked_for(query: Mapping[str, str], *, tenant_id: UUID, now: datetime) -> QuerySet[UsageRecord]:
    """Return the records a query asks for: `channel`, `resource_type`, `start_date` and `end_date`, `idempotency_key`."""
    found = events(tenant_id=tenant_id)
    for name in ("channel", "resource_type"):
        if wanted := query.get(name):
            found = found.filter(**{name: wanted.replace("\0", "")})
    if query.get("start_date") or query.get("end_date"):
        first, last = days_asked_for(query, today=now.date(), most_days=MOST_DAYS)
        # The bounds of the moment let PostgreSQL leave out months, and walk the index.
        start, end = (datetime.combine(day, time.min, UTC) for day in (first, last))
        found = found.filter(
            usage_date__range=(first, last),
            occurred_at__range=(start - FARTHEST_ZONE, end + timedelta(days=1) + FARTHEST_ZONE),
        )
    if key := query.get("idempotency_key"):
        found = found.filter(id__in=_record_ids(tenant_id, key.replace("\0", "")))
    return found


def event_of(*, tenant_id: UUID, record_id: UUID) -> UsageRecord:
    """Return one record; raise NotFound."""
    found = events(tenant_id=tenant_id).filter(id=record_id).first()
    if found is None:
        raise NotFound("There is no such event.")
    return found


def _record_ids(tenant_id: UUID, key: str) -> list[UUID]:
    """Return the records of a key, an integrator's or the platform's own; none when the key is forgotten by now."""
    keys = UsageDedup.objects.filter(tenant_id=tenant_id, key__in=[INGESTED + key, key])
    return list(keys.values_list("record_id", flat=True))
