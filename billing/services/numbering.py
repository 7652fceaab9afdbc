"""Numbers of invoices and credit notes: without a gap, per seller and series, and dated in their order.

The counter is a row: whoever takes a number holds the row until its transaction ends, and a rollback gives the number
back. So it is taken last, and the transaction ends at once.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from billing.models import LegalEntity
from common.ids import uuid7


@dataclass(frozen=True)
class Number:
    """A number of a series, e.g. `INV-000042`, and the day it was issued on."""

    series: str
    value: int
    issue_date: date

    def __str__(self) -> str:
        return f"{self.series}-{self.value:06d}"


def take_number(seller: LegalEntity, *, prefix: str, on: date) -> Number:
    """Take the series' next number, 1 first; one statement. Its date is `on`, or the series' last where that is later."""
    series = f"{prefix}-{on.year}" if seller.has_yearly_series else prefix
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoice_sequences (id, legal_entity_id, series, last, last_issue_date) VALUES (%s, %s, %s, 1, %s) "
            "ON CONFLICT (legal_entity_id, series) DO UPDATE SET last = invoice_sequences.last + 1, "
            "last_issue_date = GREATEST(invoice_sequences.last_issue_date, excluded.last_issue_date) "
            "RETURNING last, last_issue_date",
            [uuid7(), seller.pk, series, on],
        )
        value, issue_date = cursor.fetchone()
    return Number(series, value, issue_date)
