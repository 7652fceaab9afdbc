"""Invoices as a finance department asks for them: narrowed down, added up, and by how long they are overdue."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from billing import selectors
from billing.models import CreditNote, Invoice
from common.errors import FieldProblem, Invalid

OPEN = "open"  # what is owed: pending or overdue
OWED: tuple[str, ...] = (Invoice.Status.PENDING, Invoice.Status.OVERDUE)
STATUSES = (OPEN, *Invoice.Status.values)
LONGEST_NUMBER = 40
ZERO = Decimal(0)

# The amounts of the invoices of the list, and what is still due of those that are final.
TOTALS = """
    SELECT currency, count(*), sum(total_amount), sum(amount_paid), sum(credited),
        coalesce(sum(greatest(total_amount - amount_paid - credited, 0))
            FILTER (WHERE status IN ('pending', 'overdue')), 0)
    FROM (
        SELECT i.*, coalesce((
            SELECT sum(n.total_amount) FROM credit_notes n WHERE n.tenant_id = i.tenant_id AND n.invoice_id = i.id
        ), 0) AS credited
        FROM invoices i WHERE {where}
    ) AS listed
    GROUP BY currency ORDER BY currency
"""
AGEING = """
    SELECT tenant_id, currency,
        coalesce(sum(due) FILTER (WHERE days <= 0), 0), coalesce(sum(due) FILTER (WHERE days BETWEEN 1 AND 30), 0),
        coalesce(sum(due) FILTER (WHERE days BETWEEN 31 AND 60), 0),
        coalesce(sum(due) FILTER (WHERE days BETWEEN 61 AND 90), 0), coalesce(sum(due) FILTER (WHERE days > 90), 0)
    FROM (
        SELECT i.tenant_id, i.currency, %(today)s::date - i.due_date AS days,
            greatest(i.total_amount - i.amount_paid - coalesce((
                SELECT sum(n.total_amount) FROM credit_notes n WHERE n.tenant_id = i.tenant_id AND n.invoice_id = i.id
            ), 0), 0) AS due
        FROM invoices i
        WHERE i.status IN ('pending', 'overdue') AND (%(tenant)s::uuid IS NULL OR i.tenant_id = %(tenant)s)
    ) AS owed
    WHERE due > 0 GROUP BY tenant_id, currency ORDER BY currency, sum(due) DESC, tenant_id
"""


@dataclass(frozen=True)
class InvoiceFilter:
    """What a list is narrowed down to; empty is all. The days, inclusive, are met by a period that shares one with them."""

    status: str = ""
    number: str = ""
    start_date: date | None = None
    end_date: date | None = None

    def __bool__(self) -> bool:
        return self != InvoiceFilter()

    def written(self) -> dict[str, str]:
        """Return what is asked for, as JSON and query strings hold it."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    @property
    def query(self) -> str:
        """Return it as the beginning of a query string."""
        return "".join(f"{quote(name)}={quote(value)}&" for name, value in self.written().items())


@dataclass(frozen=True)
class Totals:
    """What the invoices of one currency in a list add up to."""

    currency: str
    count: int
    total: Decimal
    paid: Decimal
    credited: Decimal
    due: Decimal


@dataclass(frozen=True)
class Ageing:
    """What a tenant owes in one currency, by days past due."""

    tenant_id: UUID
    currency: str
    current: Decimal
    days_1_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    days_over_90: Decimal

    @property
    def buckets(self) -> tuple[tuple[str, Decimal], ...]:
        """Return the buckets with their names, the youngest first."""
        names = ("Not due yet", "1 to 30 days", "31 to 60 days", "61 to 90 days", "Over 90 days")
        return tuple(zip(names, self.amounts, strict=True))

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        return self.current, self.days_1_30, self.days_31_60, self.days_61_90, self.days_over_90

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, ZERO)

    @property
    def overdue(self) -> Decimal:
        return self.total - self.current


def filter_of(query: Mapping[str, str]) -> InvoiceFilter:
    """Read a filter from a query or a body; raise Invalid with a pointer for each value that cannot be."""
    problems: list[FieldProblem] = []
    status, number = query.get("status") or "", (query.get("number") or "").strip()
    if status and status not in STATUSES:
        problems.append(FieldProblem("/status", "invalid", f"status must be one of {', '.join(STATUSES)}."))
    if len(number) > LONGEST_NUMBER or "\0" in number:
        problems.append(FieldProblem("/number", "invalid", f"A number has {LONGEST_NUMBER} characters at most."))
    first, last = (_day(query.get(name), name, problems) for name in ("start_date", "end_date"))
    if first and last and last < first:
        problems.append(FieldProblem("/end_date", "invalid", "end_date lies before start_date."))
    if problems:
        raise Invalid.many(problems)
    return InvoiceFilter(status, number, first, last)


def invoices_matching(*, tenant_id: UUID, wanted: InvoiceFilter) -> "QuerySet[Invoice]":
    """Return a tenant's invoices that a filter asks for, with what is credited. No query yet."""
    found = selectors.invoices_of(tenant_id=tenant_id)
    if wanted.status:
        found = found.filter(status__in=OWED if wanted.status == OPEN else [wanted.status])
    if wanted.number:
        found = found.filter(invoice_number__icontains=wanted.number)
    if wanted.start_date:
        found = found.filter(period_end__gte=wanted.start_date)
    if wanted.end_date:
        found = found.filter(period_start__lte=wanted.end_date)
    return found


def credit_notes_matching(*, tenant_id: UUID, wanted: InvoiceFilter) -> "QuerySet[CreditNote]":
    """Return a tenant's credit notes issued on the days, of a number or of an invoice's. No query yet."""
    found = selectors.credit_notes_of(tenant_id=tenant_id)
    if wanted.number:
        of_invoice = found.filter(invoice__invoice_number__icontains=wanted.number)
        found = found.filter(credit_note_number__icontains=wanted.number) | of_invoice
    if wanted.start_date:
        found = found.filter(issue_date__gte=wanted.start_date)
    if wanted.end_date:
        found = found.filter(issue_date__lte=wanted.end_date)
    return found


def invoices_issued(*, tenant_id: UUID, wanted: InvoiceFilter) -> "QuerySet[Invoice]":
    """Return a tenant's final invoices issued on the days; `status` and `number` as in the list. No query yet."""
    found = invoices_matching(tenant_id=tenant_id, wanted=InvoiceFilter(wanted.status, wanted.number))
    found = found.exclude(invoice_number="")
    if wanted.start_date:
        found = found.filter(issue_date__gte=wanted.start_date)
    if wanted.end_date:
        found = found.filter(issue_date__lte=wanted.end_date)
    return found


def totals_of(*, tenant_id: UUID, wanted: InvoiceFilter) -> list[Totals]:
    """Return what the invoices that a filter asks for add up to, by currency; one query."""
    where, values = ["tenant_id = %(tenant)s"], {"tenant": tenant_id, **asdict(wanted)}
    if wanted.status:
        where.append("status IN ('pending', 'overdue')" if wanted.status == OPEN else "status = %(status)s")
    if wanted.number:
        where.append("strpos(upper(invoice_number), upper(%(number)s)) > 0")
    if wanted.start_date:
        where.append("period_end >= %(start_date)s")
    if wanted.end_date:
        where.append("period_start <= %(end_date)s")
    with connection.cursor() as cursor:
        cursor.execute(TOTALS.format(where=" AND ".join(where)), values)
        return [Totals(*row) for row in cursor.fetchall()]


def ageing(*, today: date, tenant_id: UUID | None = None) -> list[Ageing]:
    """Return what is owed by currency and days past due, of one tenant or of all, who owes most first; one query.

    All of them need system access.
    """
    with connection.cursor() as cursor:
        cursor.execute(AGEING, {"today": today, "tenant": tenant_id})
        return [Ageing(*row) for row in cursor.fetchall()]


def added_up(rows: list[Ageing]) -> dict[str, tuple[Decimal, ...]]:
    """Return the buckets of all tenants together, and last their sum, by currency."""
    found: dict[str, tuple[Decimal, ...]] = {}
    for row in rows:
        amounts = (*row.amounts, row.total)
        so_far = found.get(row.currency, (ZERO,) * len(amounts))
        found[row.currency] = tuple(one + more for one, more in zip(so_far, amounts, strict=True))
    return found


def _day(given: Any, name: str, problems: list[FieldProblem]) -> date | None:
    """Return a day that a query writes or a serializer has read; note what is none."""
    if not given or isinstance(given, date):
        return given or None
    try:
        if len(given) == len("2026-03-31"):
            return date.fromisoformat(given)
    except ValueError:
        pass
    problems.append(FieldProblem(f"/{name}", "invalid", f"{name} must be a date like 2026-03-31."))
    return None
