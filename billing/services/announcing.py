"""What integrators hear of invoices."""

from datetime import datetime

from accounts.webhooks.services import WebhookEvent, enqueue
from billing.models import Invoice
from billing.presenting import present_invoice
from common.ids import encode


def announce(type: str, invoice: Invoice, *, now: datetime) -> None:
    """Write `invoice.finalized`, `paid`, `overdue` or `voided` to the outbox, in the caller's transaction."""
    enqueue(
        WebhookEvent(
            type=type,
            tenant_id=invoice.tenant_id,
            object_id=encode("inv", invoice.pk),
            data=present_invoice(invoice),
            occurred_at=now,
        )
    )
