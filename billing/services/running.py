"""The invoice run: every closed and checked period becomes a draft, and after its grace an invoice.

What is left to do stands in the items alone. Each is worked on in one transaction that holds its row, so any number of
workers share a run, and one that is killed has done all of an item or nothing.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice, InvoiceRunItem
from billing.services.drafting import make_draft
from billing.services.finalizing import finalize_draft, finalize_invoice
from common.errors import DomainError
from usage.credit import ALLOWANCE
from usage.selectors import period_of
from usage.services import burn

logger = logging.getLogger(__name__)
State = InvoiceRunItem.State
PARKED_LOOKS_AGAIN = timedelta(hours=1)
FIRST_RETRY, LAST_RETRY = timedelta(minutes=5), timedelta(days=1)

# A period that never began, for its subscription ended before, waits: it may yet be taken up again.
NEW_PERIODS = """
    SELECT p.id, p.tenant_id, p.period_end, p.closed_at FROM billing_periods p
    WHERE p.checked_at IS NOT NULL AND p.starts_at <= %(now)s
        AND NOT EXISTS (SELECT FROM invoice_run_items i WHERE i.billing_period_id = p.id)
"""
OPEN_RUNS = f"""
    INSERT INTO invoice_runs (id, period_end, periods, finalized, empty, parked, failed, started_at)
    SELECT gen_random_uuid(), period_end, 0, 0, 0, 0, 0, %(now)s FROM ({NEW_PERIODS}) AS fresh
    GROUP BY period_end ORDER BY period_end ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
ADD_ITEMS = f"""
    INSERT INTO invoice_run_items (
        id, tenant_id, run_id, billing_period_id, state, finalize_at, next_at, attempts, reason, updated_at
    )
    SELECT gen_random_uuid(), fresh.tenant_id, run.id, fresh.id, 'new',
        fresh.closed_at + make_interval(secs => %(grace)s), %(now)s, 0, '', %(now)s
    FROM ({NEW_PERIODS}) AS fresh JOIN invoice_runs run ON run.period_end = fresh.period_end
    ORDER BY fresh.id ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
COUNT = """
    UPDATE invoice_runs run SET
        periods = n.periods, finalized = n.finalized, empty = n.empty, parked = n.parked, failed = n.failed,
        finished_at = CASE WHEN n.left_over = 0 THEN coalesce(run.finished_at, %(now)s) END
    FROM (
        SELECT run_id, count(*) AS periods, count(*) FILTER (WHERE state = 'finalized') AS finalized,
            count(*) FILTER (WHERE state = 'empty') AS empty, count(*) FILTER (WHERE state = 'parked') AS parked,
            count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE next_at IS NOT NULL) AS left_over
        FROM invoice_run_items WHERE run_id IN (SELECT id FROM invoice_runs WHERE finished_at IS NULL) GROUP BY run_id
    ) AS n
    WHERE n.run_id = run.id
"""


@dataclass(frozen=True)
class Done:
    """What became of one item."""

    tenant_id: UUID
    period_id: UUID
    state: str


def open_runs(*, now: datetime, grace: timedelta) -> int:
    """Take up every period that was closed and checked; return how many were new. A repeat adds nothing."""
    with system_access("periods to be billed"), connection.cursor() as cursor:
        cursor.execute(OPEN_RUNS, {"now": now})
        cursor.execute(ADD_ITEMS, {"now": now, "grace": grace.total_seconds()})
        return int(cursor.rowcount)


def bill_next(*, now: datetime) -> Done | None:
    """Take the next item that is due one step further, in one transaction; None when none is due.

    A new one becomes a draft, a draft whose grace is over an invoice. What a tenant's data refuses parks or fails that item
    alone; it is looked at again later.
    """
    with system_access("the invoice run takes a period"):
        due = InvoiceRunItem.unscoped.filter(next_at__lte=now).order_by("next_at", "id")
        item = due.select_for_update(skip_locked=True, of=("self",)).first()
        if item is None:
            return None
        with tenant_scope(item.tenant_id):
            _bill(item, now)
        item.updated_at = now
        item.save(update_fields=["invoice", "state", "next_at", "attempts", "reason", "updated_at"])
    return Done(item.tenant_id, item.billing_period_id, item.state)


def count_runs(*, now: datetime) -> None:
    """Count the items of the runs that are not finished, and note those that are."""
    with system_access("the invoice runs are counted"), connection.cursor() as cursor:
        cursor.execute(COUNT, {"now": now})


def waiting(*, now: datetime, most: int) -> int:
    """Return how many items are due, `most` at the most."""
    with system_access("what is due in the invoice run"):
        return InvoiceRunItem.unscoped.filter(next_at__lte=now)[:most].count()


def _bill(item: InvoiceRunItem, now: datetime) -> None:
    """Do the step and set what the item says of it; whatever a step refuses leaves nothing of it."""
    item.attempts += 1
    try:
        with transaction.atomic():
            _step(item, now)
    except DomainError as error:
        _fail(item, error.message, now)
    except Exception as error:
        logger.exception("The period %s was not billed.", item.billing_period_id)
        _fail(item, f"{type(error).__name__}: {error}", now)


def _step(item: InvoiceRunItem, now: datetime) -> None:
    period = period_of(tenant_id=item.tenant_id, period_id=item.billing_period_id)
    invoice = Invoice.objects.for_tenant(item.tenant_id).filter(billing_period=period).first()
    if invoice is not None and not invoice.is_draft:
        item.invoice = invoice
        return _is_done(item, State.FINALIZED)
    draft = None
    if invoice is None or period.checked_at is None or invoice.drafted_at < period.checked_at:
        draft = make_draft(period, now=now)
        if not draft.lines:
            _bill_nothing(draft.invoice, now)
            return _is_done(item, State.EMPTY)
        invoice = draft.invoice
    item.invoice = invoice
    if now < item.finalize_at:
        item.state, item.next_at, item.reason = State.DRAFTED, item.finalize_at, ""
        return None
    if draft is None or period.checked_at is None:
        invoice = finalize_invoice(tenant_id=item.tenant_id, invoice_id=invoice.pk, now=now)
    else:
        invoice = finalize_draft(draft, now=now)
    if invoice.is_draft:
        item.state, item.next_at = State.PARKED, now + PARKED_LOOKS_AGAIN
        item.reason = "; ".join(reason["detail"] for reason in invoice.parked_reasons)[:300]
        return None
    return _is_done(item, State.FINALIZED)


def _bill_nothing(draft: Invoice, now: datetime) -> None:
    """Let the period take no credit from now on, for nothing was used in it, and have no draft."""
    burn(
        tenant_id=draft.tenant_id,
        key=f"empty:{draft.billing_period_id.hex}",
        amount=Decimal(0),
        at=now,
        sources=ALLOWANCE,
        period_id=draft.billing_period_id,
    )
    draft.delete()


def _is_done(item: InvoiceRunItem, state: InvoiceRunItem.State) -> None:
    item.state, item.next_at, item.reason = state, None, ""


def _fail(item: InvoiceRunItem, reason: str, now: datetime) -> None:
    delay = min(FIRST_RETRY * 2 ** min(item.attempts - 1, 10), LAST_RETRY)
    item.state, item.next_at, item.reason = State.FAILED, now + delay, reason[:300]
