"""Top-ups: asked for, paid in parts, too much, twice, after being canceled, and given back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from stdnum import iso11649

from accounts.models import User
from accounts.tenancy import tenant_scope
from billing.errors import KeyUsed, NoSeller, NotOpen, TooMuchRefunded
from billing.models import BillingMail, Payment, TopUp
from billing.services import cancel_top_up, reconcile, record_top_up_payment, refund_payment, request_top_up
from common.errors import Invalid, NotFound
from tests.billing.helpers import APRIL, buy_from, finalized, sell_from
from tests.factories import PASSWORD, Company
from tests.usage.helpers import at
from usage.selectors.balances import credit_state

D = Decimal
LATER = at(2026, 4, 9)
Api = Callable[[str | None], Any]


def ask(company: Company, amount: str = "100") -> TopUp:
    with tenant_scope(company.tenant.pk):
        return request_top_up(tenant_id=company.tenant.pk, amount=D(amount), now=APRIL)


def pay(top_up: TopUp, amount: str, *, key: str = "p1") -> Payment:
    with tenant_scope(top_up.tenant_id):
        return record_top_up_payment(
            tenant_id=top_up.tenant_id, top_up_id=top_up.pk, key=key, amount=D(amount), method="bank_transfer",
            reference="SEPA 7", received_at=LATER, now=LATER,
        )  # fmt: skip


def refund(payment: Payment, amount: str, *, key: str = "r1") -> Payment:
    with tenant_scope(payment.tenant_id):
        return refund_payment(tenant_id=payment.tenant_id, payment_id=payment.pk, key=key, amount=D(amount), now=LATER)


def stored(top_up: TopUp) -> TopUp:
    with tenant_scope(top_up.tenant_id):
        return TopUp.objects.for_tenant(top_up.tenant_id).get(pk=top_up.pk)


def prepaid(company: Company) -> Decimal:
    with tenant_scope(company.tenant.pk):
        grants = credit_state(tenant_id=company.tenant.pk, now=LATER).grants
    return sum((grant.amount for grant in grants if grant.source == "prepaid"), D(0))


@pytest.fixture
def seller(db: None) -> None:
    sell_from("IE", iban="IE29AIBK93115212345678", bic="AIBKIE2D")


@pytest.mark.usefixtures("seller")
class TestRequest:
    def test_is_numbered_and_carries_a_reference_banks_can_check(self, acme: Company) -> None:
        first, second = ask(acme), ask(acme)
        assert (first.number, second.number, first.status) == ("TU-000001", "TU-000002", "open")
        assert (first.reference[:2], first.reference[4:]) == ("RF", "TU000001")
        assert iso11649.is_valid(first.reference)
        assert (first.seller["iban"], first.buyer["name"]) == ("IE29AIBK93115212345678", "Acme")

    def test_grants_nothing_and_is_mailed(self, acme: Company) -> None:
        top_up = ask(acme)
        assert prepaid(acme) == 0
        with tenant_scope(acme.tenant.pk):
            mail = BillingMail.objects.for_tenant(acme.tenant).get(top_up=top_up)
        assert (mail.kind, mail.state) == ("top_up", "waiting")

    @pytest.mark.parametrize("amount", ["0", "-5", "1.001", "1000000.01"])
    def test_refuses_what_is_no_amount(self, acme: Company, amount: str) -> None:
        with pytest.raises(Invalid) as refused:
            ask(acme, amount)
        assert refused.value.errors[0].pointer == "/amount"


def test_refuses_where_nobody_sells(acme: Company) -> None:
    with pytest.raises(NoSeller):
        ask(acme)


@pytest.mark.usefixtures("seller")
class TestPayment:
    def test_the_whole_becomes_credit_once(self, acme: Company) -> None:
        top_up = ask(acme)
        assert pay(top_up, "100").pk == pay(top_up, "100").pk
        now = stored(top_up)
        assert (now.status, now.amount_paid, now.paid_at, prepaid(acme)) == ("paid", 100, LATER, 100)

    def test_a_part_leaves_it_open_and_more_is_credit_too(self, acme: Company) -> None:
        top_up = ask(acme)
        pay(top_up, "40")
        assert (stored(top_up).status, stored(top_up).amount_due, prepaid(acme)) == ("open", 60, 40)
        pay(top_up, "75", key="p2")
        assert (stored(top_up).status, stored(top_up).amount_paid, prepaid(acme)) == ("paid", 115, 115)

    def test_pays_the_next_invoice_with_its_tax(self, acme: Company) -> None:
        pay(ask(acme), "100")
        buy_from(acme, "IE")
        invoice = finalized(acme, now=LATER)
        assert (invoice.status, invoice.tax, invoice.amount_paid) == ("paid", D("5.75"), D("30.75"))
        assert prepaid(acme) == D("69.25")

    def test_a_key_names_one_payment(self, acme: Company) -> None:
        top_up = ask(acme)
        pay(top_up, "40")
        with pytest.raises(KeyUsed):
            pay(top_up, "41")
        assert prepaid(acme) == 40

    def test_mallory_finds_none(self, acme: Company, globex: Company) -> None:
        top_up = ask(acme)
        with pytest.raises(NotFound), tenant_scope(globex.tenant.pk):
            record_top_up_payment(
                tenant_id=globex.tenant.pk, top_up_id=top_up.pk, key="x", amount=D(1), method="cash",
                received_at=LATER, now=LATER,
            )  # fmt: skip
        assert stored(top_up).amount_paid == 0

    def test_agrees_with_the_reconciliation(self, acme: Company) -> None:
        top_up = ask(acme)
        refund(pay(top_up, "40"), "15")
        assert reconcile(now=LATER).findings == []


@pytest.mark.usefixtures("seller")
class TestCancel:
    def test_withdraws_it_and_a_repeat_changes_nothing(self, acme: Company) -> None:
        top_up = ask(acme)
        for _ in range(2):
            with tenant_scope(acme.tenant.pk):
                cancel_top_up(tenant_id=acme.tenant.pk, top_up_id=top_up.pk, now=LATER)
        assert (stored(top_up).status, stored(top_up).canceled_at) == ("canceled", LATER)

    def test_what_comes_all_the_same_is_credit(self, acme: Company) -> None:
        top_up = ask(acme)
        with tenant_scope(acme.tenant.pk):
            cancel_top_up(tenant_id=acme.tenant.pk, top_up_id=top_up.pk, now=LATER)
        pay(top_up, "100")
        assert (stored(top_up).status, stored(top_up).canceled_at, prepaid(acme)) == ("paid", None, 100)

    def test_refuses_what_is_paid_in_part(self, acme: Company) -> None:
        top_up = ask(acme)
        pay(top_up, "1")
        with pytest.raises(NotOpen), tenant_scope(acme.tenant.pk):
            cancel_top_up(tenant_id=acme.tenant.pk, top_up_id=top_up.pk, now=LATER)


@pytest.mark.usefixtures("seller")
class TestRefund:
    def test_takes_as_much_credit_away(self, acme: Company) -> None:
        top_up = ask(acme)
        payment = pay(top_up, "100")
        assert refund(payment, "30").pk == refund(payment, "30").pk
        assert (stored(top_up).amount_paid, stored(top_up).status, prepaid(acme)) == (70, "open", 70)

    def test_never_what_is_used(self, acme: Company) -> None:
        payment = pay(ask(acme), "100")
        buy_from(acme, "IE")
        finalized(acme, now=LATER)
        with pytest.raises(TooMuchRefunded):
            refund(payment, "70")
        assert prepaid(acme) == D("69.25")


def test_sixteen_bookings_of_one_payment_grant_once(committed_db: None, acme: Company) -> None:
    sell_from("IE")
    top_up = ask(acme)
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: _pay_and_close(top_up), range(16)))
    assert (len(ids), stored(top_up).amount_paid, prepaid(acme)) == (1, 100, 100)


def _pay_and_close(top_up: TopUp) -> UUID:
    try:
        return pay(top_up, "100").pk
    finally:
        connection.close()


@pytest.mark.usefixtures("seller")
class TestApi:
    def test_asks_lists_shows_and_prints(self, api: Api, acme: Company, globex: Company) -> None:
        client = api(acme.api_key)
        made = client.post("/v1/billing/top-ups", {"amount": "100"}, headers={"Idempotency-Key": "k1"})
        again = client.post("/v1/billing/top-ups", {"amount": "100"}, headers={"Idempotency-Key": "k1"})
        assert (made.status_code, again.json()) == (201, made.json())
        body = made.json()
        assert (body["amount"], body["amount_due"], body["currency"], body["payments"]) == (
            "100.00", "100.00", "USD", [],
        )  # fmt: skip
        assert [row["id"] for row in client.get("/v1/billing/top-ups?status=open").json()["results"]] == [body["id"]]
        pdf = client.get(f"/v1/billing/top-ups/{body['id']}/pdf")
        assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
        assert client.get(f"/v1/billing/top-ups/{body['id']}/pdf").content == pdf.content
        assert client.post(f"/v1/billing/top-ups/{body['id']}/cancel").json()["status"] == "canceled"
        assert api(globex.api_key).get(f"/v1/billing/top-ups/{body['id']}").status_code == 404

    @pytest.mark.parametrize("amount", ["0", "much", "1e9", None])
    def test_refuses_with_a_pointer(self, api: Api, acme: Company, amount: str | None) -> None:
        answer = api(acme.api_key).post("/v1/billing/top-ups", {"amount": amount})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/amount")

    def test_lists_payments_of_invoices_and_top_ups(self, api: Api, acme: Company) -> None:
        pay(ask(acme), "100")
        (row,) = api(acme.api_key).get("/v1/billing/payments").json()["results"]
        assert (row["amount"], row["invoice"], row["top_up_number"]) == ("100.00", None, "TU-000001")


@pytest.mark.usefixtures("seller")
def test_an_operator_books_its_payment(signed_in: Callable[[Any], Client], acme: Company) -> None:
    operator = signed_in(User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia"))
    top_up = ask(acme)
    form = {
        "invoice": "", "top_up": str(top_up.pk), "amount": "100", "method": "bank_transfer", "reference": "SEPA 7",
        "received_at_0": "2026-04-02", "received_at_1": "12:00:00", "refunds": "", "key": "operator:1",
    }  # fmt: skip
    assert operator.post("/admin/billing/payment/add/", form).status_code == 302
    assert (stored(top_up).status, stored(top_up).amount_paid) == ("paid", 100)
    assert operator.get("/admin/billing/topup/").status_code == 200
