"""Reconcile, from the call to the invoice: records = sums, sums rated anew = lines, Σ lines = totals, credit = its ledger."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from accounts.tenancy import system_access, tenant_scope
from billing.lines import LineValues, usage_line
from billing.models import Invoice, InvoiceLineItem, Reconciliation
from billing.services import reconciling_sql as sql
from common.money import plain, round_money
from usage import sums
from usage.models import BillingPeriod
from usage.ratebook import rates_by_id
from usage.selectors import lines_of_rows, meters_by_key
from usage.selectors.agreement import Difference, differences
from usage.services import rebuild_sums

MOST_FINDINGS = 100
BATCH = 500  # invoices rated anew at a time


@dataclass(frozen=True)
class Finding:
    """Something that does not agree: `check` names which, `where` the row, in the words an operator looks for it by."""

    check: str
    tenant_id: UUID | None
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        of = f" of tenant {self.tenant_id}" if self.tenant_id else ""
        return f"{self.check}: {self.where}{of} should be {self.expected}, is {self.found}"

    def written(self) -> dict[str, str]:
        """Return it as JSON holds it."""
        tenant = str(self.tenant_id) if self.tenant_id else ""
        return {
            "check": self.check,
            "tenant": tenant,
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
        }


@dataclass
class Counted:
    """How much was rated anew."""

    invoices: int = 0
    lines: int = 0


def reconcile(*, now: datetime, tenant_id: UUID | None = None, since: datetime | None = None) -> Reconciliation:
    """Compare everything, of one tenant or of all; return what was found, the first of it in order. Nothing is stored.

    Invoices of periods that closed before `since` are not rated anew; everything else is compared whole.
    """
    counted = Counted()
    with system_access("records, sums, invoices and credit are compared"):
        found = [
            *_records_and_sums(tenant_id),
            *_lines(tenant_id, since, counted),
            *_in_the_database(tenant_id),
        ]
    return Reconciliation(
        started_at=now,
        finished_at=now,
        invoices=counted.invoices,
        lines=counted.lines,
        findings=[finding.written() for finding in found[:MOST_FINDINGS]],
    )


def rebuild(*, tenant_id: UUID | None = None) -> int:
    """Make the sums those of the records wherever they differ and nobody accepted that; return how many were wrong."""
    with system_access("sums that differ from their records"):
        wrong = {(one.tenant_id, one.period_id) for one in _not_accepted(differences(tenant_id=tenant_id, most=10_000))}
    rebuilt = 0
    for owner, period_id in sorted(wrong):
        with tenant_scope(owner):
            rebuilt += rebuild_sums(tenant_id=owner, period_id=period_id)
    return rebuilt


def _records_and_sums(tenant_id: UUID | None) -> Iterator[Finding]:
    for one in _not_accepted(differences(tenant_id=tenant_id, most=1_000)):
        where = f"{one.channel}/{one.resource_type} on {one.day} at rate {one.rate_id} in period {one.period_id}"
        expected, found = (_figures(figures.written()) for figures in (one.records, one.sums))
        yield Finding("records = sums", one.tenant_id, where, expected, found)


def _not_accepted(found: Sequence[Difference]) -> list[Difference]:
    """Leave out what an operator accepted when it was parked."""
    ids = {one.period_id for one in found}
    periods = BillingPeriod.unscoped.filter(pk__in=ids, state=BillingPeriod.State.CLOSED).exclude(parked_figures=[])
    accepted = dict(periods.values_list("pk", "parked_figures"))
    return [one for one in found if one.written() not in accepted.get(one.period_id, [])]


def _lines(tenant_id: UUID | None, since: datetime | None, counted: Counted) -> Iterator[Finding]:
    """Rate the sums anew and compare each line; drafts older than the check of their period are still to be made."""
    made = ~Q(status__in=[Invoice.Status.DRAFT, Invoice.Status.PARKED]) | Q(
        drafted_at__gte=F("billing_period__checked_at")
    )
    invoices = Invoice.unscoped.filter(made, billing_period__checked_at__isnull=False)
    if tenant_id:
        invoices = invoices.filter(tenant_id=tenant_id)
    if since:
        invoices = invoices.filter(billing_period__closed_at__gte=since)
    invoices = invoices.select_related("billing_period__subscription").only(
        "tenant_id", "invoice_number", "period_start", "status", "billing_period", "currency"
    )
    meters = meters_by_key()
    for batch in _batches(invoices.order_by("tenant_id", "period_start", "id").iterator(BATCH), BATCH):
        rows = sums.of_periods(
            tenant_ids=list({invoice.tenant_id for invoice in batch}),
            period_ids=[invoice.billing_period_id for invoice in batch],
        )
        rates = rates_by_id(ids={row.rate_id for of_period in rows.values() for row in of_period})
        stored = _stored_lines(batch)
        for invoice in batch:
            period = invoice.billing_period
            rated = lines_of_rows(rows.get(period.pk, []), rates=rates, meters=meters, period=period)
            expected = {_key(line): line for line in (usage_line(one, period) for one in rated)}
            actual = stored.get(invoice.pk, {})
            counted.invoices += 1
            counted.lines += len(actual)
            yield from _compare(invoice, expected, actual)


def _stored_lines(invoices: Sequence[Invoice]) -> dict[UUID, dict[Any, InvoiceLineItem]]:
    lines = InvoiceLineItem.unscoped.filter(
        invoice_id__in=[invoice.pk for invoice in invoices], kind=InvoiceLineItem.Kind.USAGE
    )
    found: dict[UUID, dict[Any, InvoiceLineItem]] = {}
    for line in lines:
        found.setdefault(line.invoice_id, {})[_key(line)] = line
    return found


def _key(line: LineValues | InvoiceLineItem) -> tuple[Any, ...]:
    return line.channel, line.resource_type, line.rate_id, line.service_start, line.service_end


def _compare(
    invoice: Invoice, expected: dict[Any, LineValues], actual: dict[Any, InvoiceLineItem]
) -> Iterator[Finding]:
    name = invoice.invoice_number or f"draft {invoice.period_start}"
    for key in sorted(expected.keys() | actual.keys(), key=str):
        one, other = (_amounts(lines.get(key)) for lines in (expected, actual))
        if one != other:
            where = f"{key[0]}/{key[1]} of {key[3]} to {key[4]} at rate {key[2]} on invoice {name}"
            yield Finding("sums = lines", invoice.tenant_id, where, one, other)


def _amounts(line: LineValues | InvoiceLineItem | None) -> str:
    return f"{plain(line.quantity)} for {plain(line.amount)}" if line else "no line"


def _in_the_database(tenant_id: UUID | None) -> Iterator[Finding]:
    """Run the comparisons that one statement each can do."""
    for check, query in sql.CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(query, {"tenant": tenant_id, "most": MOST_FINDINGS})
            for owner, where, expected, found in cursor.fetchall():
                yield Finding(check, owner, where, str(expected), str(found))
    with connection.cursor() as cursor:
        cursor.execute(sql.ALLOWANCES, {"tenant": tenant_id})
        for owner, where, currency, burned, allowance in cursor.fetchall():
            expected = round_money(Decimal(burned), currency)
            if expected != allowance:
                yield Finding("allowance = credit used", owner, where, plain(expected), plain(allowance))


def _figures(figures: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def _batches(invoices: Iterable[Invoice], size: int) -> Iterator[list[Invoice]]:
    batch: list[Invoice] = []
    for invoice in invoices:
        batch.append(invoice)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
