"""A customer's statement: what it owed at the start, what came to it and went off it, what it owes at the end.

Two accounts, never mixed: what is owed of invoices, and credit that was paid in advance, which is no revenue yet. A payment
out of credit stands in both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from accounts.models import Tenant
from billing.models import CreditNote, Invoice, Payment
from common.periods import bounds, local_day
from usage.credit import PREPAID
from usage.models import CreditEntry

ZERO = Decimal(0)
FINAL = ("pending", "paid", "overdue", "void")
INVOICE, CREDIT_NOTE, PAYMENT, REFUND, MOVED = "invoice", "credit_note", "payment", "refund", "moved_to_credit"
GRANTED, USED, LAPSED, GIVEN_BACK = "granted", "used", "expired", "refund"


@dataclass(frozen=True)
class Entry:
    """One line: `amount` above 0 adds to the account's balance, and `balance` is what it comes to with it.

    `about` is the number of the document, `detail` a payment's method and reference or what credit was granted for.
    """

    day: date
    kind: str
    about: str
    detail: str
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True)
class Account:
    """`closing` is `opening` plus the entries, in their order."""

    opening: Decimal
    entries: tuple[Entry, ...]
    closing: Decimal

    def total(self, *kinds: str) -> Decimal:
        """Return the sum of the entries of these kinds."""
        return sum((entry.amount for entry in self.entries if entry.kind in kinds), ZERO)


@dataclass(frozen=True)
class Statement:
    """Both accounts in one currency over days of the tenant's zone, both inclusive. `owed` above 0 is the seller's claim."""

    company: str
    currency: str
    timezone: str
    start_date: date
    end_date: date
    owed: Account
    prepaid: Account

    @property
    def filename(self) -> str:
        """Return a file's name, without its kind."""
        return f"statement-{self.start_date}-{self.end_date}"


def statement(*, tenant_id: UUID, start_date: date, end_date: date) -> Statement:
    """Return the tenant's statement in its currency; eight queries.

    Invoices and credit notes count on their issue date, payments on the day they were received, credit on the day it began
    or was used. What is owed at the end is what the invoices then issued have open.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    return Statement(
        company=tenant.name,
        currency=tenant.currency,
        timezone=tenant.timezone,
        start_date=start_date,
        end_date=end_date,
        owed=_owed(tenant, start_date, end_date),
        prepaid=_prepaid(tenant, start_date, end_date),
    )


def _owed(tenant: Tenant, first: date, last: date) -> Account:
    starts_at, ends_at = bounds(first, last, tenant.timezone)
    invoices = Invoice.objects.for_tenant(tenant).filter(status__in=FINAL, currency=tenant.currency)
    notes = CreditNote.objects.for_tenant(tenant).filter(currency=tenant.currency)
    payments = Payment.objects.for_tenant(tenant).filter(invoice__isnull=False, currency=tenant.currency)
    opening = (
        _sum(invoices.filter(issue_date__lt=first), "total_amount")
        - _sum(notes.filter(issue_date__lt=first), "total_amount")
        - _sum(payments.filter(received_at__lt=starts_at), "amount")
    )
    issued = Q(issue_date__range=(first, last))
    paid = payments.filter(received_at__gte=starts_at, received_at__lt=ends_at).select_related("invoice")
    rows = [
        *((one.issue_date, one.created_at, _of_invoice(one)) for one in invoices.filter(issued)),
        *((one.issue_date, one.created_at, _of_note(one)) for one in notes.filter(issued).select_related("invoice")),
        *((local_day(one.received_at, tenant.timezone), one.created_at, _of_payment(one)) for one in paid),
    ]
    return _account(opening, rows)


def _prepaid(tenant: Tenant, first: date, last: date) -> Account:
    starts_at, ends_at = bounds(first, last, tenant.timezone)
    entries = CreditEntry.objects.for_tenant(tenant).filter(source__in=PREPAID, currency=tenant.currency)
    opening = _sum(entries.filter(starts_at__lt=starts_at), "amount")
    found = entries.filter(starts_at__gte=starts_at, starts_at__lt=ends_at)
    return _account(
        opening, [(local_day(one.starts_at, tenant.timezone), one.created_at, _of_credit(one)) for one in found]
    )


_Said = tuple[str, str, str, Decimal]  # kind, about, detail, amount


def _account(opening: Decimal, rows: Iterable[tuple[date | None, datetime, _Said]]) -> Account:
    """Put rows in the order of their days, then as they were written down, and sum them up."""
    balance, entries = opening, []
    # Of one day, what is owed stands before what pays it.
    for day, _, (kind, about, detail, amount) in sorted(rows, key=lambda row: (row[0], row[2][0] != INVOICE, row[1])):
        assert day is not None, "what is final has a day"
        balance += amount
        entries.append(Entry(day, kind, about, detail, amount, balance))
    return Account(opening, tuple(entries), balance)


def _of_invoice(invoice: Invoice) -> _Said:
    return INVOICE, invoice.invoice_number, "", invoice.total_amount


def _of_note(note: CreditNote) -> _Said:
    return CREDIT_NOTE, note.credit_note_number, note.invoice.invoice_number, -note.total_amount


def _of_payment(payment: Payment) -> _Said:
    assert payment.invoice is not None
    kind = PAYMENT if payment.amount > 0 else MOVED if payment.method == Payment.Method.CREDIT else REFUND
    detail = ", ".join(filter(None, [payment.get_method_display(), payment.reference]))
    return kind, payment.invoice.invoice_number, detail, -payment.amount


def _of_credit(entry: CreditEntry) -> _Said:
    kinds = {CreditEntry.Kind.GRANT: GRANTED, CreditEntry.Kind.EXPIRY: LAPSED}
    kind = kinds.get(CreditEntry.Kind(entry.kind), GIVEN_BACK if entry.key.startswith("refund:") else USED)
    return kind, "", entry.note, entry.amount


def _sum(
    rows: "QuerySet[Invoice] | QuerySet[CreditNote] | QuerySet[Payment] | QuerySet[CreditEntry]", name: str
) -> Decimal:
    total: Decimal | None = rows.aggregate(sum=Sum(name))["sum"]
    return total or ZERO
