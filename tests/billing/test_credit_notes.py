"""A finalized invoice is corrected by credit notes, which never come to more than it, to the cent."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.tenancy import tenant_scope
from billing.errors import NotFinal, NothingToCredit, TooMuchCredited
from billing.models import CreditNote, CreditNoteLine, ExchangeRate, Invoice
from billing.services import Credited, issue_credit_note, void_invoice
from common.errors import NotFound
from tests.billing.helpers import (
    announced,
    buy_from,
    drafted,
    finalized,
    move_to,
    sell_from,
    stored,
)
from tests.billing.test_payments import amounts, pay, prepaid, refund
from tests.factories import Company
from tests.usage.helpers import at

D = Decimal
LATER = at(2026, 4, 9)


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    """Return an invoice over 30.75: one line of 75, of which credit covered 50, and 23 percent on the rest."""
    sell_from("IE")
    buy_from(acme, "IE")
    return finalized(acme)


def credit(invoice: Invoice, lines: Sequence[tuple[int, str]] | None, *, key: str = "c1", **more: Any) -> CreditNote:
    chosen = None if lines is None else [Credited(position, D(amount)) for position, amount in lines]
    with tenant_scope(invoice.tenant_id):
        return issue_credit_note(
            tenant_id=invoice.tenant_id,
            invoice_id=invoice.pk,
            key=key,
            reason="Outage",
            lines=chosen,
            now=LATER,
            **more,
        )


def void(invoice: Invoice) -> CreditNote:
    with tenant_scope(invoice.tenant_id):
        return void_invoice(tenant_id=invoice.tenant_id, invoice_id=invoice.pk, reason="Wrong party", now=LATER)


class TestIssue:
    def test_takes_back_a_part_with_its_tax(self, invoice: Invoice) -> None:
        note = credit(invoice, [(1, "10")])
        assert (note.credit_note_number, note.issue_date) == ("CN-000001", date(2026, 4, 9))
        assert (note.subtotal, note.tax, note.total_amount) == (10, D("2.30"), D("12.30"))
        assert note.tax_groups == [
            {
                "category": "S",
                "rate": "23",
                "reason": "",
                "amount": "10.00",
                "allowance": "0.00",
                "base": "10.00",
                "tax": "2.30",
            }
        ]
        assert (note.seller, note.buyer) == (invoice.seller, invoice.buyer)
        with tenant_scope(invoice.tenant_id):
            line = CreditNoteLine.objects.for_tenant(invoice.tenant_id).get()
            assert (line.description, line.amount, line.tax_category, line.tax) == ("SMS", 10, "S", D("2.30"))
        assert stored(invoice).status == "pending"

    def test_parts_add_up_to_the_invoice_to_the_cent(self, invoice: Invoice) -> None:
        notes = [credit(invoice, [(1, "1.33")], key=f"c{number}") for number in range(18)]
        notes.append(credit(invoice, None, key="rest"))
        assert sum(note.subtotal for note in notes) == 25
        assert sum(note.tax for note in notes) == D("5.75")
        assert {note.tax for note in notes[:-1]} == {D("0.30"), D("0.31")}
        assert stored(invoice).status == "void"

    def test_credits_what_credit_had_not_covered(self, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        move_to(acme, "professional")
        invoice = finalized(acme, messages=100)  # a fee of 99, and SMS of 0.70 that credit covers whole
        note = credit(invoice, None)
        assert (note.subtotal, note.tax, note.total_amount) == (99, D("22.77"), invoice.total_amount)

    def test_states_tax_in_the_seller_s_currency_by_the_invoice_s_rate(self, acme: Company) -> None:
        sell_from("IE", tax_currency="EUR")
        buy_from(acme, "IE")
        ExchangeRate.objects.create(currency="USD", into_currency="EUR", rate_date=date(2026, 3, 31), rate=D("0.8765"))
        invoice = finalized(acme)
        notes = [
            credit(invoice, [(1, "8.33")], key="a"),
            credit(invoice, [(1, "8.33")], key="b"),
            credit(invoice, None),
        ]
        assert sum(note.tax_in_tax_currency or 0 for note in notes) == invoice.tax_in_tax_currency == D("5.04")
        assert {note.tax_exchange_rate for note in notes} == {D("0.8765")}

    def test_a_repeat_returns_the_first(self, invoice: Invoice) -> None:
        assert credit(invoice, [(1, "10")]).pk == credit(invoice, [(1, "10")]).pk
        with tenant_scope(invoice.tenant_id):
            assert CreditNote.objects.for_tenant(invoice.tenant_id).count() == 1

    @pytest.mark.parametrize(
        ("lines", "pointer"),
        [
            ([(1, "25.01")], "/lines/0/amount"),
            ([(1, "0")], "/lines/0/amount"),
            ([(1, "-1")], "/lines/0/amount"),
            ([(1, "0.001")], "/lines/0/amount"),
            ([(2, "1")], "/lines/0/position"),
            ([(1, "1"), (1, "1")], "/lines/1/position"),
        ],
    )
    def test_refuses_more_than_there_is(self, invoice: Invoice, lines: list[tuple[int, str]], pointer: str) -> None:
        with pytest.raises(TooMuchCredited) as refused:
            credit(invoice, lines)
        assert [error.pointer for error in refused.value.errors] == [pointer]
        with tenant_scope(invoice.tenant_id):
            assert not CreditNote.objects.for_tenant(invoice.tenant_id).exists()

    def test_counts_what_was_credited_before(self, invoice: Invoice) -> None:
        credit(invoice, [(1, "20")])
        with pytest.raises(TooMuchCredited):
            credit(invoice, [(1, "5.01")], key="c2")

    def test_refuses_a_draft(self, acme: Company) -> None:
        with pytest.raises(NotFinal):
            credit(drafted(acme), None)

    def test_mallory_finds_none(self, invoice: Invoice, globex: Company) -> None:
        with pytest.raises(NotFound), tenant_scope(globex.tenant.pk):
            issue_credit_note(tenant_id=globex.tenant.pk, invoice_id=invoice.pk, key="x", reason="x", now=LATER)


class TestVoid:
    def test_withdraws_the_invoice(self, acme: Company, invoice: Invoice) -> None:
        note = void(invoice)
        assert (note.subtotal, note.tax, note.total_amount) == (25, D("5.75"), D("30.75"))
        assert (stored(invoice).status, announced(acme)) == ("void", ["invoice.finalized", "invoice.voided"])

    def test_a_repeat_returns_the_first(self, invoice: Invoice) -> None:
        assert void(invoice).pk == void(invoice).pk

    def test_nothing_is_left_to_credit(self, invoice: Invoice) -> None:
        void(invoice)
        with pytest.raises(NothingToCredit):
            credit(invoice, None)

    def test_an_invoice_over_nothing_can_be_void_too(self, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        invoice = finalized(acme, messages=100)
        note = void(invoice)
        assert (note.total_amount, stored(invoice).status) == (0, "void")


class TestWithPayments:
    def test_crediting_what_is_unpaid_settles_it(self, acme: Company, invoice: Invoice) -> None:
        pay(invoice, "18.45")
        credit(invoice, [(1, "10")])
        now = stored(invoice)
        assert (now.status, now.amount_paid, now.paid_at) == ("paid", D("18.45"), LATER)
        assert announced(acme)[-1] == "invoice.paid"

    def test_what_was_paid_too_much_then_becomes_credit(self, invoice: Invoice) -> None:
        pay(invoice, "30.75")
        credit(invoice, [(1, "10")])
        assert (stored(invoice).amount_paid, prepaid(invoice)) == (D("18.45"), [D("12.30")])
        assert stored(invoice).status == "paid"

    def test_a_paid_invoice_can_be_void(self, invoice: Invoice) -> None:
        pay(invoice, "30.75")
        void(invoice)
        assert (stored(invoice).status, stored(invoice).amount_paid, prepaid(invoice)) == ("void", 0, [D("30.75")])

    def test_or_is_given_back(self, invoice: Invoice) -> None:
        payment = pay(invoice, "30.75")
        credit(invoice, [(1, "10")], keeps_surplus=True)
        assert (stored(invoice).amount_paid, prepaid(invoice)) == (D("30.75"), [])
        refund(payment, "12.30")
        assert (stored(invoice).status, amounts(invoice)) == ("paid", [D("30.75"), D("-12.30")])


class TestAtOnce:
    def test_never_more_than_the_invoice(self, committed_db: None, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        invoice = finalized(acme)
        with ThreadPoolExecutor(8) as pool:
            issued = list(pool.map(lambda number: _credit_and_close(invoice, f"c{number}"), range(16)))
        with tenant_scope(acme.tenant.pk):
            notes = CreditNote.objects.for_tenant(acme.tenant)
            assert sorted(notes.values_list("series_number", flat=True)) == list(range(1, sum(issued) + 1))
            assert sum(notes.values_list("subtotal", flat=True)) == 24
        assert sum(issued) == 8


def _credit_and_close(invoice: Invoice, key: str) -> bool:
    try:
        return bool(credit(invoice, [(1, "3")], key=key))
    except TooMuchCredited:
        return False
    finally:
        connection.close()
