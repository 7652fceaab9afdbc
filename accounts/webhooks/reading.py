"""`GET /v1/events`: every event of 30 days, in the order they were put on their way; nothing appears before what was read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from accounts.webhooks.models import OutboxEvent
from accounts.webhooks.replaying import KEPT
from common.errors import Invalid, NotFound
from common.ids import decode, encode


@dataclass(frozen=True)
class EventPage:
    """`events` as they are sent, oldest first; `last` is the id to go on from, None for none; `has_more` at this moment."""

    events: list[dict[str, Any]]
    last: str | None
    has_more: bool


def events_after(*, tenant_id: UUID, after: str, type: str, limit: int, now: datetime) -> EventPage:
    """Return the events after the one with the id `after` (empty: from the oldest kept), of one type or family if named.

    Raises Invalid for an id that is not, or no longer, among the events. Two queries at most.
    """
    kept = OutboxEvent.objects.for_tenant(tenant_id).filter(position__isnull=False, created_at__gte=now - KEPT)
    rows = kept.filter(position__gt=_position(tenant_id, after)) if after else kept
    if type:
        rows = rows.filter(type__startswith=type[:-1]) if type.endswith(".*") else rows.filter(type=type)
    found = list(rows.order_by("position").only("id", "body")[: limit + 1])
    shown = found[:limit]
    return EventPage(
        [orjson.loads(row.body) for row in shown],
        encode("evt", shown[-1].pk) if shown else after or None,
        len(found) > limit,
    )


def _position(tenant_id: UUID, after: str) -> int:
    try:
        event_id = decode("evt", after)
    except NotFound as error:
        raise Invalid("after is the id of an event, evt_ and 32 hex digits.", pointer="/after") from error
    rows = OutboxEvent.objects.for_tenant(tenant_id).filter(pk=event_id, position__isnull=False)
    position = rows.values_list("position", flat=True).first()
    if position is None:
        message = "There is no such event, or it is older than 30 days: begin without after."
        raise Invalid(message, pointer="/after", code="unknown-event")
    return position
