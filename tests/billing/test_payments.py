"""Money that came in: in parts, whole, too much, twice, and given back."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.tenancy import tenant_scope
from billing.errors import KeyUsed, NotFinal, TooMuchRefunded
from billing.models import Invoice, Payment
from billing.services import record_payment, refund_payment, void_invoice
from common.errors import Invalid, NotFound
from tests.billing.helpers import APRIL, announced, buy_from, drafted, finalized, sell_from, stored
from tests.factories import Company
from tests.usage.helpers import at
from usage.models import CreditEntry

D = Decimal
LATER = at(2026, 4, 9)


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    """Return an invoice over 30.75."""
    sell_from("IE")
    buy_from(acme, "IE")
    return finalized(acme)


def pay(invoice: Invoice, amount: str, *, key: str = "p1", **more: Any) -> Payment:
    fields = {"method": "bank_transfer", "reference": "SEPA 1", "received_at": APRIL, "now": LATER, **more}
    with tenant_scope(invoice.tenant_id):
        return record_payment(tenant_id=invoice.tenant_id, invoice_id=invoice.pk, key=key, amount=D(amount), **fields)


def refund(payment: Payment, amount: str, *, key: str = "r1") -> Payment:
    with tenant_scope(payment.tenant_id):
        return refund_payment(tenant_id=payment.tenant_id, payment_id=payment.pk, key=key, amount=D(amount), now=LATER)


def amounts(invoice: Invoice) -> list[Decimal]:
    with tenant_scope(invoice.tenant_id):
        rows = Payment.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice)
        return list(rows.order_by("created_at").values_list("amount", flat=True))


def prepaid(invoice: Invoice) -> list[Decimal]:
    with tenant_scope(invoice.tenant_id):
        rows = CreditEntry.objects.for_tenant(invoice.tenant_id).filter(source="prepaid", kind="grant")
        return list(rows.values_list("amount", flat=True))


class TestRecord:
    def test_a_part_leaves_it_pending(self, invoice: Invoice) -> None:
        pay(invoice, "10")
        now = stored(invoice)
        assert (now.status, now.amount_paid, now.amount_due, now.paid_at) == ("pending", 10, D("20.75"), None)
        assert (now.payment_method, now.payment_reference) == ("bank_transfer", "SEPA 1")

    def test_the_whole_makes_it_paid(self, acme: Company, invoice: Invoice) -> None:
        pay(invoice, "10")
        pay(invoice, "20.75", key="p2", method="card", reference="ch_9")
        now = stored(invoice)
        assert (now.status, now.amount_paid, now.paid_at) == ("paid", D("30.75"), LATER)
        assert (now.payment_method, now.payment_reference) == ("card", "ch_9")
        assert announced(acme) == ["invoice.finalized", "invoice.paid"]

    def test_what_is_over_becomes_prepaid_credit(self, invoice: Invoice) -> None:
        pay(invoice, "50")
        now = stored(invoice)
        assert (now.status, now.amount_paid) == ("paid", D("30.75"))
        assert amounts(invoice) == [50, D("-19.25")]
        assert prepaid(invoice) == [D("19.25")]

    def test_an_overdue_invoice_stays_so_until_it_is_paid(self, invoice: Invoice) -> None:
        with tenant_scope(invoice.tenant_id):
            Invoice.objects.for_tenant(invoice.tenant_id).update(status="overdue")
        pay(invoice, "10")
        assert stored(invoice).status == "overdue"
        pay(invoice, "20.75", key="p2")
        assert stored(invoice).status == "paid"

    def test_what_comes_for_a_void_one_is_credit(self, invoice: Invoice) -> None:
        with tenant_scope(invoice.tenant_id):
            void_invoice(tenant_id=invoice.tenant_id, invoice_id=invoice.pk, reason="Test", now=LATER)
        pay(invoice, "30.75")
        assert (stored(invoice).status, stored(invoice).amount_paid, prepaid(invoice)) == ("void", 0, [D("30.75")])

    def test_a_repeat_changes_nothing(self, invoice: Invoice) -> None:
        assert pay(invoice, "10").pk == pay(invoice, "10").pk
        assert (amounts(invoice), stored(invoice).amount_paid) == ([10], 10)

    def test_a_key_names_one_payment(self, invoice: Invoice) -> None:
        pay(invoice, "10")
        with pytest.raises(KeyUsed):
            pay(invoice, "11")
        assert amounts(invoice) == [10]

    @pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
    def test_refuses_what_is_no_amount(self, invoice: Invoice, amount: str) -> None:
        with pytest.raises(Invalid) as refused:
            pay(invoice, amount)
        assert refused.value.errors[0].pointer == "/amount"
        assert amounts(invoice) == []

    def test_refuses_a_draft(self, acme: Company) -> None:
        with pytest.raises(NotFinal):
            pay(drafted(acme), "1")

    def test_mallory_finds_none(self, invoice: Invoice, globex: Company) -> None:
        with pytest.raises(NotFound), tenant_scope(globex.tenant.pk):
            record_payment(
                tenant_id=globex.tenant.pk, invoice_id=invoice.pk, key="x", amount=D(1), method="cash",
                received_at=APRIL, now=LATER,
            )  # fmt: skip
        assert amounts(invoice) == []


class TestRefund:
    def test_what_it_leaves_open_is_owed_again(self, invoice: Invoice) -> None:
        payment = pay(invoice, "30.75")
        refund(payment, "5")
        now = stored(invoice)
        assert (now.status, now.amount_paid, now.paid_at, amounts(invoice)) == (
            "pending",
            D("25.75"),
            None,
            [D("30.75"), -5],
        )

    def test_never_more_than_the_payment(self, invoice: Invoice) -> None:
        payment = pay(invoice, "10")
        pay(invoice, "10", key="p2")
        refund(payment, "6")
        with pytest.raises(TooMuchRefunded):
            refund(payment, "5", key="r2")
        assert stored(invoice).amount_paid == 14

    def test_never_what_became_credit(self, invoice: Invoice) -> None:
        payment = pay(invoice, "50")
        with pytest.raises(TooMuchRefunded):
            refund(payment, "31")
        refund(payment, "30.75")
        assert stored(invoice).amount_paid == 0

    def test_a_repeat_changes_nothing(self, invoice: Invoice) -> None:
        payment = pay(invoice, "10")
        assert refund(payment, "5").pk == refund(payment, "5").pk
        assert stored(invoice).amount_paid == 5

    def test_a_refund_is_not_refunded(self, invoice: Invoice) -> None:
        given_back = refund(pay(invoice, "10"), "5")
        with pytest.raises(NotFound):
            refund(given_back, "5", key="r2")


class TestAtOnce:
    def test_sixteen_payments_are_all_counted(self, committed_db: None, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        invoice = finalized(acme)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: _pay_and_close(invoice, f"p{number}"), range(16)))
            list(pool.map(lambda number: _pay_and_close(invoice, f"p{number}"), range(16)))
        now = stored(invoice)
        assert (now.status, now.amount_paid) == ("paid", D("30.75"))
        assert (sum(amounts(invoice)), sum(prepaid(invoice))) == (D("30.75"), 16 * 3 - D("30.75"))


def _pay_and_close(invoice: Invoice, key: str) -> UUID:
    try:
        return pay(invoice, "3", key=key).pk
    finally:
        connection.close()
