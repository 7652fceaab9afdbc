"""Thirty days: what is older is removed, in small pieces."""

from datetime import datetime
from typing import Final

from django.db import connection

from accounts.tenancy import system_access
from accounts.webhooks.replaying import KEPT

BATCH: Final = 5_000
# An attempt's time is its own; a delivery that was sent again lately is as young as that.
OLD: Final = (
    ("webhook_attempts", "started_at < %s"),
    ("webhook_deliveries", "greatest(created_at, last_attempt_at) < %s AND status <> 'pending'"),
    ("webhook_outbox", "created_at < %s AND position IS NOT NULL"),
)


def forget_old(*, now: datetime) -> int:
    """Delete attempts, settled deliveries and events older than 30 days; return how many rows. A repeat deletes nothing.

    What still waits for its event, at an endpoint disabled for so long, fails at its next attempt (`expired`).
    """
    return sum(_forget(table, condition, now) for table, condition in OLD)


def _forget(table: str, condition: str, now: datetime) -> int:
    total = 0
    while True:
        with system_access("webhook events expire"), connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE (tenant_id, id) IN "  # noqa: S608 - names of ours
                f"(SELECT tenant_id, id FROM {table} WHERE {condition} LIMIT {BATCH} FOR UPDATE SKIP LOCKED)",
                [now - KEPT],
            )
            count = int(cursor.rowcount)
            total += count
            if count < BATCH:
                return total
