"""Keys of events are kept beyond the acceptance window, then forgotten."""

from datetime import datetime

from django.db import connection, transaction

BATCH = 10_000
FORGET = """
DELETE FROM usage_dedup WHERE (tenant_id, key) IN (
    SELECT tenant_id, key FROM usage_dedup WHERE created_at < %s LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


def forget_keys(*, before: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` keys older than `before` that the transaction may see; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FORGET, [before, limit])
        return int(cursor.rowcount)
