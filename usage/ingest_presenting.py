"""Events and what became of them, as the API shows them."""

from decimal import Decimal
from typing import Any

from common.ids import encode
from common.money import plain
from common.timestamps import rfc3339
from usage.event import public_key
from usage.models import UsageRecord
from usage.outcomes import Outcome


def present_event(record: UsageRecord) -> dict[str, Any]:
    """Return one event; `reversed_by` needs the annotation of `selectors.events`."""
    reversal_id = getattr(record, "reversal_id", None)
    return {
        "id": encode("ur", record.pk),
        "kind": record.kind,
        "idempotency_key": public_key(record.dedup_key),
        "channel": record.channel,
        "resource_type": record.resource_type,
        "resource_id": record.resource_id,
        "direction": record.direction,
        "destination": record.destination,
        "quantity": plain(record.quantity),
        "billed_quantity": plain(record.billed_quantity),
        "unit_price": plain(record.unit_cost),
        "total_cost": _plain_or_null(record.total_cost),
        "currency": record.currency,
        "occurred_at": rfc3339(record.occurred_at),
        "usage_date": record.usage_date.isoformat(),
        "metadata": record.metadata,
        "reverses": encode("ur", record.reverses) if record.reverses else None,
        "reversed_by": encode("ur", reversal_id) if reversal_id else None,
    }


def present_outcome(index: int, key: Any, outcome: Outcome, *, base: str, line: int | None = None) -> dict[str, Any]:
    """Return what became of one event; its pointers begin with `base`, where the event stands in the request."""
    body: dict[str, Any] = {"index": index, "idempotency_key": key if isinstance(key, str) else None}
    if line is not None:
        body["line"] = line
    body["status"] = str(outcome.status)
    if outcome.record_id is not None:
        body["id"] = encode("ur", outcome.record_id)
    if outcome.problems:
        body["errors"] = [
            {"pointer": base + problem.pointer, "code": problem.code, "detail": problem.detail}
            for problem in outcome.problems
        ]
    return body


def _plain_or_null(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)
