"""Fold deltas into summaries, in the background: what readers sum stays the same at every commit."""

from django.db import connection, transaction

BATCH = 5_000

# One statement, so one snapshot: the sums leave the deltas and enter the summaries at the same commit. Several folders
# skip each other's rows and upsert in one order, so they never deadlock. Materialized: a plan that ran the batch's query
# again would skip what it has locked itself, and take another batch.
FOLD = """
WITH batch AS MATERIALIZED (
    SELECT tenant_id, id FROM usage_summary_deltas ORDER BY tenant_id, id LIMIT %s FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM usage_summary_deltas AS d USING batch WHERE d.tenant_id = batch.tenant_id AND d.id = batch.id
    RETURNING d.*
), folded AS (
    INSERT INTO usage_summaries AS s (
        id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id,
        total_quantity, billed_quantity, total_cost, record_count
    )
    SELECT gen_random_uuid(), tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id,
        sum(total_quantity), sum(billed_quantity), sum(total_cost), sum(record_count)
    FROM taken
    GROUP BY tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id
    ORDER BY tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id
    ON CONFLICT (tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id) DO UPDATE SET
        total_quantity = s.total_quantity + excluded.total_quantity,
        billed_quantity = s.billed_quantity + excluded.billed_quantity,
        total_cost = s.total_cost + excluded.total_cost,
        record_count = s.record_count + excluded.record_count
)
SELECT count(*) FROM taken
"""


def fold_deltas(*, limit: int = BATCH) -> int:
    """Fold at most `limit` deltas that the transaction may see, in one transaction; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FOLD, [limit])
        return int(cursor.fetchone()[0])
