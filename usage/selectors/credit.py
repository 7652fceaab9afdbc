"""What is left of a tenant's grants, which periods have had their credit, and what usage takes of the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from common.db import prepared
from usage.credit import ALLOWANCE, Grant
from usage.models import BillingPeriod, CreditBurn, CreditHold

# One statement, so one snapshot. The holds are read beside every grant: without a grant there is nothing to hold.
LEFT = """
    SELECT g.id, g.source, g.amount + coalesce(t.taken, 0), g.priority, g.starts_at, g.expires_at, g.created_at, (
        SELECT coalesce(sum(amount), 0) FROM credit_holds
        WHERE tenant_id = %(tenant)s AND status = 'held' AND expires_at > %(now)s
    )
    FROM credit_entries g LEFT JOIN (
        SELECT grant_id, sum(amount) AS taken FROM credit_entries
        WHERE tenant_id = %(tenant)s AND kind <> 'grant' GROUP BY grant_id
    ) t ON t.grant_id = g.id
    WHERE g.tenant_id = %(tenant)s AND g.kind = 'grant' AND g.amount + coalesce(t.taken, 0) > 0
    ORDER BY g.created_at, g.id
"""


@dataclass(frozen=True)
class Credit:
    """The grants of which something is left, and what holds set aside."""

    grants: tuple[Grant, ...]
    held: Decimal


def credit_left(*, tenant_id: UUID, now: datetime) -> Credit:
    """Return what the ledger leaves of each grant, and what is held at `now`; one query."""
    rows = prepared(LEFT, {"tenant": tenant_id, "now": now})
    return Credit(tuple(Grant(*row[:-1]) for row in rows), rows[0][-1] if rows else Decimal(0))


def unbilled_periods(*, tenant_id: UUID, until: datetime) -> QuerySet[BillingPeriod]:
    """Return the periods begun before `until` whose invoice has not had its credit, with subscription. No query yet."""
    had = CreditBurn.unscoped.filter(tenant_id=tenant_id, period_id=OuterRef("pk"))
    periods = BillingPeriod.objects.for_tenant(tenant_id).filter(starts_at__lt=until)
    return periods.exclude(Exists(had)).select_related("subscription").order_by("starts_at")


def burned_for(*, tenant_id: UUID, period_id: UUID) -> Decimal | None:
    """Return the allowance that a period's invoice has had; None while it has not had it. One query."""
    query = """
        SELECT count(*), coalesce(-sum(e.amount), 0) FROM credit_burns b LEFT JOIN credit_entries e
            ON e.tenant_id = b.tenant_id AND e.kind = 'burn' AND e.key = b.key AND e.source = ANY(%s)
        WHERE b.tenant_id = %s AND b.period_id = %s
    """
    [(count, burned)] = prepared(query, [list(ALLOWANCE), tenant_id, period_id])
    return burned if count else None


def earliest_start(grants: Iterable[Grant], otherwise: datetime) -> datetime:
    """Return when the first of the grants began, at the latest `otherwise`."""
    return min((grant.starts_at for grant in grants), default=otherwise)


def next_change(grants: Sequence[Grant], *, now: datetime) -> datetime | None:
    """Return when the next of the grants begins or ends; None when none does."""
    edges = [edge for grant in grants for edge in (grant.starts_at, grant.expires_at) if edge and edge > now]
    return min(edges, default=None)


def live_holds(*, tenant_id: UUID, now: datetime) -> list[CreditHold]:
    """Return the holds that count at `now`, the first to expire first; one query."""
    held = CreditHold.objects.for_tenant(tenant_id).filter(status=CreditHold.Status.HELD, expires_at__gt=now)
    return list(held.order_by("expires_at", "id"))
