"""Record usage through the services until all of it is stored, whatever dies meanwhile.

`python -m tests.chaos.billing_writer PLAN NUMBER`. The plan is a JSON file: each tenant with the first and the last moment of its
usage, and how many events it has per writer. What a writer writes depends on its number alone: one that was killed and starts
again sends everything anew, under the same keys.
"""

import json
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import django
from django.db import DatabaseError, connection

IN_A_BATCH = 7


def events_of(plan: dict[str, Any], number: int) -> list[tuple[str, dict[str, Any]]]:
    """Return what a writer writes: the tenant and the event, in its order."""
    chance, found = Random(number), []
    for tenant in plan["tenants"]:
        first, last = (datetime.fromisoformat(tenant[name]) for name in ("first", "last"))
        for turn in range(plan["events"]):
            moment = first + timedelta(seconds=chance.randrange(int((last - first).total_seconds())))
            event = {
                "idempotency_key": f"{number}:{turn}",
                "channel": "sms",
                "resource_type": "message",
                "quantity": str(turn % 5 + 1),
                "occurred_at": moment.isoformat(),
            }
            found.append((tenant["id"], event))
    chance.shuffle(found)
    return found


def main() -> None:
    """Write everything."""
    plan, number = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    django.setup()
    events = events_of(plan, number)
    for start in range(0, len(events), IN_A_BATCH):
        batch = events[start : start + IN_A_BATCH]
        for tenant_id in sorted({tenant_id for tenant_id, _ in batch}):
            _write(tenant_id, [event for owner, event in batch if owner == tenant_id])


def _write(tenant_id: str, events: list[dict[str, Any]]) -> None:
    """Write one tenant's part of a batch until it is there: a single event as calls and chats do, more as the API does."""
    while True:
        try:
            _record(tenant_id, events[0]) if len(events) == 1 else _ingest(tenant_id, events)
        except DatabaseError:
            connection.close()
            time.sleep(0.2)
        else:
            return


def _record(tenant_id: str, event: dict[str, Any]) -> None:
    from uuid import UUID

    from accounts.tenancy import tenant_scope
    from usage.services import record_usage

    with tenant_scope(UUID(tenant_id)):
        record_usage(
            tenant_id=UUID(tenant_id),
            channel=event["channel"],
            resource_type=event["resource_type"],
            quantity=Decimal(event["quantity"]),
            occurred_at=datetime.fromisoformat(event["occurred_at"]),
            dedup_key=f"ext:{event['idempotency_key']}",
        )


def _ingest(tenant_id: str, events: list[dict[str, Any]]) -> None:
    from uuid import UUID

    from django.utils import timezone

    from accounts.tenancy import tenant_scope
    from usage.ingest_reading import Window
    from usage.services.ingesting import ingest

    window = Window.around(timezone.now(), back_days=400, ahead_minutes=5)
    with tenant_scope(UUID(tenant_id)):
        outcomes = ingest(tenant_id=UUID(tenant_id), raw_events=events, window=window)
    assert {str(outcome.status) for outcome in outcomes} <= {"created", "duplicate"}, outcomes


if __name__ == "__main__":
    main()
