"""Which tenants there is something to do for, across all of them. Each needs system access."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

# Those whose usage of open periods is not what it was when it was last compared with their thresholds.
CHANGED = """
    WITH open AS (
        SELECT id, tenant_id FROM billing_periods WHERE state = 'open' AND starts_at <= %(now)s AND ends_at > %(now)s
    ), used AS (
        SELECT s.tenant_id, s.billing_period_id, sum(s.record_count) AS records, sum(s.total_quantity) AS quantity
        FROM (
            SELECT tenant_id, billing_period_id, record_count, total_quantity FROM usage_summaries
            UNION ALL
            SELECT tenant_id, billing_period_id, record_count, total_quantity FROM usage_summary_deltas
        ) s JOIN open ON open.tenant_id = s.tenant_id AND open.id = s.billing_period_id
        GROUP BY s.tenant_id, s.billing_period_id
    )
    SELECT used.tenant_id FROM used LEFT JOIN usage_watches w ON w.tenant_id = used.tenant_id
    WHERE w.id IS NULL OR w.period_id <> used.billing_period_id
        OR w.record_count <> used.records OR w.quantity <> used.quantity
    ORDER BY used.tenant_id
"""

# Those whose copy differs from what their plan and their own entitlements say, whoever changed either.
STALE_LIMITS = """
    WITH plans AS (
        SELECT plan_id, jsonb_object_agg(slug, value) AS limits FROM plan_features GROUP BY plan_id
    ), holding AS (
        SELECT DISTINCT ON (e.tenant_id, f.slug) e.tenant_id, f.slug, e.value
        FROM entitlements e JOIN features f ON f.id = e.feature_id
        WHERE e.starts_at <= %(now)s AND (e.ends_at IS NULL OR e.ends_at > %(now)s)
        ORDER BY e.tenant_id, f.slug, e.starts_at DESC
    ), own AS (
        SELECT tenant_id, jsonb_object_agg(slug, value) AS limits FROM holding GROUP BY tenant_id
    )
    SELECT t.id FROM subscriptions s JOIN tenants t ON t.id = s.tenant_id
    LEFT JOIN plans ON plans.plan_id = s.plan_id LEFT JOIN own ON own.tenant_id = t.id
    WHERE s.status <> 'canceled'
        AND t.limits IS DISTINCT FROM coalesce(plans.limits, '{}'::jsonb) || coalesce(own.limits, '{}'::jsonb)
    ORDER BY t.id
"""

ENDED_CREDIT = """
    SELECT g.tenant_id FROM credit_entries g LEFT JOIN (
        SELECT tenant_id, grant_id, sum(amount) AS taken FROM credit_entries WHERE kind <> 'grant' GROUP BY 1, 2
    ) t ON t.tenant_id = g.tenant_id AND t.grant_id = g.id
    WHERE g.kind = 'grant' AND g.expires_at <= %(now)s AND g.amount + coalesce(t.taken, 0) > 0
    UNION
    SELECT tenant_id FROM credit_holds WHERE status = 'held' AND expires_at <= %(now)s
    ORDER BY 1
"""


def tenants_to_watch(*, now: datetime) -> list[UUID]:
    """Return the tenants whose usage of the running period has changed since it was watched; one query."""
    return _ids(CHANGED, now)


def tenants_with_stale_limits(*, now: datetime) -> list[UUID]:
    """Return the tenants whose `limits` are no longer what they may do; one query."""
    return _ids(STALE_LIMITS, now)


def tenants_with_ended_credit(*, now: datetime) -> list[UUID]:
    """Return the tenants with something left of a grant that ended, or a hold that expired and was not noted; one query."""
    return _ids(ENDED_CREDIT, now)


def _ids(query: str, now: datetime) -> list[UUID]:
    values: dict[str, Any] = {"now": now}
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [row[0] for row in cursor.fetchall()]
