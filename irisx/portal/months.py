"""The months of which there are documents."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models.functions import TruncMonth

from billing.models import CreditNote, Invoice
from common.periods import period_containing


@dataclass(frozen=True)
class Month:
    """A calendar month, both days inclusive."""

    first: date
    last: date


def months_of(*, tenant_id: UUID) -> list[Month]:
    """Return the months in which a tenant was issued invoices or credit notes, the newest first; two queries."""
    invoices = Invoice.objects.for_tenant(tenant_id).exclude(issue_date=None)
    found = {
        day
        for rows in (invoices, CreditNote.objects.for_tenant(tenant_id))
        for day in rows.order_by().annotate(month=TruncMonth("issue_date")).values_list("month", flat=True).distinct()
    }
    return [Month(*period_containing(day, 1)) for day in sorted(found, reverse=True)]
