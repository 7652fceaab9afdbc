"""A finalized invoice stays as it is, whoever asks and however: PostgreSQL refuses."""

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from accounts.tenancy import system_access, tenant_scope
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLineItem, InvoiceSequence, Payment
from irisx.local.testsession import TestSession, database_of
from tests.billing.helpers import buy_from, drafted, finalized, lines_of, sell_from, stored
from tests.billing.test_credit_notes import credit
from tests.billing.test_payments import pay
from tests.factories import Company

D = Decimal


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    sell_from("IE")
    buy_from(acme, "IE")
    return finalized(acme)


def rows(invoice: Invoice) -> Any:
    return Invoice.unscoped.filter(pk=invoice.pk)


def refused(change: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError), system_access("test"), transaction.atomic():
        change()


class TestInvoice:
    @pytest.mark.parametrize(
        "change",
        [
            {"invoice_number": "INV-000002"},
            {"series_number": 2},
            {"issue_date": "2026-03-01"},
            {"due_date": "2027-03-01"},
            {"subtotal": 76, "total_amount": D("31.75")},
            {"tax": 0, "total_amount": 25},
            {"currency": "EUR"},
            {"seller": {"name": "Somebody else"}},
            {"buyer": {"name": "Somebody else"}},
            {"tax_groups": []},
            {"usage_days": []},
            {"period_end": "2026-04-30"},
            {"finalized_at": None},
            {"legal_entity": None},
            {"status": "draft", "invoice_number": ""},
        ],
        ids=lambda change: "-".join(change),
    )
    def test_what_it_says_never_changes(self, invoice: Invoice, change: dict[str, Any]) -> None:
        before = stored(invoice)
        refused(lambda: rows(invoice).update(**change))
        assert {f.name: getattr(stored(invoice), f.attname) for f in Invoice._meta.fields} == {
            f.name: getattr(before, f.attname) for f in Invoice._meta.fields
        }

    @pytest.mark.parametrize(
        "change",
        [
            {"notes": "Called them"},
            {"sent_at": "2026-04-02T00:00:00Z"},
            {"payment_method": "card", "payment_reference": "x"},
            {"status": "overdue"},
            {"status": "void"},
            {"status": "paid", "amount_paid": D("30.75"), "paid_at": "2026-04-02T00:00:00Z"},
        ],
        ids=lambda change: "-".join(map(str, change)),
    )
    def test_where_it_stands_does(self, invoice: Invoice, change: dict[str, Any]) -> None:
        with system_access("test"):
            assert rows(invoice).update(**change) == 1

    @pytest.mark.parametrize(
        ("path", "last"), [(["void"], "pending"), (["overdue"], "pending"), (["paid"], "overdue"), (["void"], "paid")]
    )
    def test_no_status_but_by_its_ways(self, invoice: Invoice, path: list[str], last: str) -> None:
        with system_access("test"):
            for status in path:
                rows(invoice).update(status=status)
        refused(lambda: rows(invoice).update(status=last))

    def test_not_by_save(self, invoice: Invoice) -> None:
        invoice.currency = "EUR"
        refused(invoice.save)

    def test_not_by_bulk_update(self, invoice: Invoice) -> None:
        invoice.subtotal = D(1)
        refused(lambda: Invoice.unscoped.bulk_update([invoice], ["subtotal"]))

    def test_not_by_upsert(self, invoice: Invoice) -> None:
        invoice.currency = "EUR"
        refused(
            lambda: Invoice.unscoped.bulk_create(
                [invoice], update_conflicts=True, unique_fields=["id"], update_fields=["currency"]
            )
        )

    def test_not_by_sql(self, invoice: Invoice) -> None:
        refused(lambda: connection.cursor().execute("UPDATE invoices SET due_date = due_date + 30"))
        refused(lambda: connection.cursor().execute("DELETE FROM invoices"))

    def test_is_never_deleted(self, acme: Company, invoice: Invoice) -> None:
        refused(lambda: rows(invoice).delete())
        refused(invoice.delete)
        assert stored(invoice).invoice_number == "INV-000001"

    def test_none_begins_as_a_final_one(self, invoice: Invoice) -> None:
        copy = stored(invoice)
        copy.pk, copy.billing_period_id = None, invoice.billing_period_id
        refused(lambda: copy.save(force_insert=True))

    def test_a_number_comes_from_its_series(self, acme: Company, globex: Company, invoice: Invoice) -> None:
        buy_from(globex, "IE")
        draft = drafted(globex)
        final = {
            name: getattr(stored(invoice), name)
            for name in ("legal_entity", "series", "seller", "buyer", "issue_date", "due_date", "finalized_at")
        }
        refused(lambda: rows(draft).update(status="pending", invoice_number="INV-000009", series_number=9, **final))


class TestLines:
    def test_never_change(self, invoice: Invoice) -> None:
        (line,) = lines_of(invoice)
        refused(lambda: InvoiceLineItem.unscoped.filter(pk=line.pk).update(description="Something else"))
        refused(lambda: InvoiceLineItem.unscoped.filter(pk=line.pk).update(amount=1))
        refused(lambda: InvoiceLineItem.unscoped.filter(pk=line.pk).delete())
        refused(lambda: connection.cursor().execute("DELETE FROM invoice_line_items"))
        assert [one.amount for one in lines_of(invoice)] == [75]

    def test_none_is_added(self, invoice: Invoice) -> None:
        (line,) = lines_of(invoice)
        line.pk, line.position = None, 2
        refused(lambda: line.save(force_insert=True))

    def test_none_is_moved_in_or_out(self, acme: Company, invoice: Invoice, globex: Company) -> None:
        draft = drafted(globex)
        refused(lambda: InvoiceLineItem.unscoped.filter(invoice=invoice).update(invoice=draft, position=9))
        refused(lambda: InvoiceLineItem.unscoped.filter(invoice=draft).update(invoice=invoice, position=9))

    def test_a_draft_s_change(self, acme: Company) -> None:
        draft = drafted(acme)
        with system_access("test"):
            assert InvoiceLineItem.unscoped.filter(invoice=draft).update(detail="x") == 1
            assert InvoiceLineItem.unscoped.filter(invoice=draft).delete()[0] == 1
            assert rows(draft).delete()[0] == 1


class TestWrittenOnce:
    def test_credit_notes(self, invoice: Invoice) -> None:
        note = credit(invoice, [(1, "10")])
        refused(lambda: CreditNote.unscoped.update(reason="Another"))
        refused(lambda: CreditNote.unscoped.all().delete())
        refused(lambda: CreditNoteLine.unscoped.update(amount=1))
        refused(lambda: CreditNoteLine.unscoped.all().delete())
        with tenant_scope(invoice.tenant_id):
            line = CreditNoteLine.objects.for_tenant(invoice.tenant_id).get()
        with system_access("test"):
            assert CreditNote.unscoped.filter(pk=note.pk).update(sent_at="2026-04-10T00:00:00Z") == 1
        line.pk, line.position = None, 2
        refused(lambda: CreditNoteLine.unscoped.bulk_create([line]))

    def test_payments(self, invoice: Invoice) -> None:
        pay(invoice, "10")
        refused(lambda: Payment.unscoped.update(amount=20))
        refused(lambda: Payment.unscoped.all().delete())

    def test_series(self, invoice: Invoice) -> None:
        refused(lambda: InvoiceSequence.objects.update(last=5))
        refused(lambda: InvoiceSequence.objects.update(last=1))
        refused(lambda: InvoiceSequence.objects.update(last=2, last_issue_date="2026-01-01"))
        refused(lambda: InvoiceSequence.objects.all().delete())
        refused(lambda: InvoiceSequence.objects.create(
            legal_entity=sell_from("IE"), series="X", last=7, last_issue_date="2026-01-01"))  # fmt: skip


class TestAsOwner:
    """What the role says that owns the tables, past row-level security: the triggers hold for it too."""

    STATEMENTS = (
        "UPDATE invoices SET subtotal = subtotal + 1, total_amount = total_amount + 1",
        'UPDATE invoices SET buyer = \'{"name": "x"}\'',
        "DELETE FROM invoices",
        "UPDATE invoice_line_items SET amount = 0",
        "DELETE FROM invoice_line_items",
        "TRUNCATE invoices CASCADE",
        "TRUNCATE invoice_line_items CASCADE",
        "TRUNCATE payments",
    )

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_is_refused_too(self, committed_db: None, acme: Company, statement: str) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        finalized(acme)
        owner = TestSession.inherited().connect(database=database_of(os.environ["DATABASE_URL"]))
        with owner, pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement)
