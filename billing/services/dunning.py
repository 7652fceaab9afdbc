"""Dunning: what is owed past its day becomes overdue, and its buyer is reminded, each reminder once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.tenancy import system_access
from billing.models import Invoice
from billing.services.announcing import announce
from billing.services.settling import lock_final
from common.periods import local_day

LATEST: Final = 7  # days after its own that a reminder is still sent: beat may have stood still
# The days of a seller's invoices are its own: "today" is its zone's. Of several reminders whose day has come only the last
# is sent; one before the due date is none once that has passed, nor when the invoice itself came no earlier.
REMIND = """
    INSERT INTO billing_mails (
        id, tenant_id, kind, key, invoice_id, days, state, recipient, reason, attempts, next_at, created_at
    )
    SELECT gen_random_uuid(), i.tenant_id, 'reminder', 'reminder:' || replace(i.id::text, '-', '') || ':' || stage.days,
        i.id, stage.days, 'waiting', '', '', 0, %(now)s, %(now)s
    FROM invoices i JOIN legal_entities seller ON seller.id = i.legal_entity_id
    CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE seller.timezone)::date AS today) AS clock
    CROSS JOIN LATERAL (
        SELECT max(days) AS days FROM unnest(%(days)s::int[]) AS days WHERE i.due_date + days <= clock.today
    ) AS stage
    WHERE i.status IN ('pending', 'overdue') AND i.due_date BETWEEN %(first)s AND %(last)s
        AND i.due_date + stage.days > clock.today - %(latest)s
        AND i.due_date + stage.days > i.issue_date
        AND (stage.days > 0 OR clock.today <= i.due_date)
    ORDER BY i.id ON CONFLICT (tenant_id, key) DO NOTHING
"""


def queue_reminders(*, now: datetime, days: Sequence[int]) -> int:
    """Have every reminder sent whose day has come: `days` count from the due date, below 0 before it. Return how many.

    A repeat adds nothing. What is paid before a reminder leaves is not reminded of.
    """
    if not days:
        return 0
    first = now.date() - timedelta(days=max(days) + LATEST + 1)
    last = now.date() + timedelta(days=1 - min(days))
    with system_access("reminders of what is owed"), connection.cursor() as cursor:
        cursor.execute(REMIND, {"now": now, "days": list(days), "first": first, "last": last, "latest": LATEST})
        return int(cursor.rowcount)


def past_due(*, now: datetime) -> list[tuple[UUID, UUID]]:
    """Return tenant and id of every invoice that may have become overdue: pending, and due before today somewhere."""
    with system_access("invoices past their due date"):
        owed = Invoice.unscoped.filter(status=Invoice.Status.PENDING, due_date__lte=now.date())
        return list(owed.order_by("due_date", "id").values_list("tenant_id", "pk"))


def mark_overdue(*, tenant_id: UUID, invoice_id: UUID, now: datetime) -> bool:
    """Make an invoice overdue from the day after its due date on, the seller's day; say whether it became so.

    Integrators hear `invoice.overdue`. A repeat, or one paid meanwhile, changes nothing. Raises NotFound, NotFinal.
    """
    with transaction.atomic():
        invoice = lock_final(tenant_id=tenant_id, invoice_id=invoice_id)
        assert invoice.legal_entity is not None, "constraint invoices_finalized"
        assert invoice.due_date is not None, "constraint invoices_finalized"
        today = local_day(now, invoice.legal_entity.timezone)
        if invoice.status != Invoice.Status.PENDING or invoice.due_date >= today:
            return False
        invoice.status = Invoice.Status.OVERDUE
        invoice.save(update_fields=["status"])
        announce("invoice.overdue", invoice, now=now)
    return True
