"""Operators finalize, record payments and issue credit notes; each act stands in the tenant's audit log."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.tenancy import tenant_scope
from billing.models import CreditNote, Invoice, Payment
from tests.billing.helpers import buy_from, drafted, finalized, sell_from, stored
from tests.billing.test_payments import amounts, pay
from tests.factories import PASSWORD, Company

D = Decimal


@pytest.fixture
def operator(db: None, signed_in: Callable[[Any], Client]) -> Client:
    return signed_in(User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia"))


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    sell_from("IE")
    buy_from(acme, "IE")
    return finalized(acme)


def audited(company: Company) -> list[tuple[str, str]]:
    with tenant_scope(company.tenant.pk):
        found = AuditEntry.objects.for_tenant(company.tenant).order_by("created_at")
        return [(row.actor_name, row.action) for row in found]


def payment_form(invoice: Invoice, **changes: str) -> dict[str, str]:
    return {
        "invoice": str(invoice.pk),
        "amount": "10",
        "method": "bank_transfer",
        "reference": "SEPA 1",
        "received_at_0": "2026-04-02",
        "received_at_1": "12:00:00",
        "refunds": "",
        "key": "operator:1",
        **changes,
    }


def note_form(invoice: Invoice, **changes: str) -> dict[str, str]:
    return {"invoice": str(invoice.pk), "reason": "Outage", "lines": "1 10", "key": "operator:1", **changes}


class TestFinalize:
    path = "/admin/billing/invoice/"

    def act(self, operator: Client, invoice: Invoice) -> str:
        body = {"action": "finalize", "_selected_action": [str(invoice.pk)]}
        return operator.post(self.path, body, follow=True).content.decode()

    def test_gives_a_number(self, operator: Client, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        draft = drafted(acme)
        assert "INV-000001 is pending" in self.act(operator, draft)
        assert stored(draft).invoice_number == "INV-000001"
        assert audited(acme) == [("Olivia", "invoice.finalized")]

    def test_says_what_is_missing(self, operator: Client, acme: Company) -> None:
        draft = drafted(acme)
        assert "billing profile has no country" in self.act(operator, draft)
        assert stored(draft).status == "parked"
        assert audited(acme) == [("Olivia", "invoice.parked")]

    def test_says_what_was_refused(self, operator: Client, acme: Company) -> None:
        draft = drafted(acme, messages=0)
        assert "no lines" in self.act(operator, draft)
        assert (stored(draft).status, audited(acme)) == ("draft", [])

    def test_shows_one_with_all_that_belongs_to_it(self, operator: Client, acme: Company, invoice: Invoice) -> None:
        pay(invoice, "10")
        page = operator.get(f"{self.path}{invoice.pk}/change/")
        assert page.status_code == 200
        assert b"SEPA 1" in page.content


class TestPayments:
    path = "/admin/billing/payment/add/"

    def test_is_recorded_once(self, operator: Client, acme: Company, invoice: Invoice) -> None:
        assert operator.get(self.path).status_code == 200
        for _ in range(2):
            assert operator.post(self.path, payment_form(invoice)).status_code == 302
        assert (stored(invoice).amount_paid, amounts(invoice)) == (10, [10])
        assert ("Olivia", "payment.recorded") in audited(acme)

    def test_is_given_back(self, operator: Client, acme: Company, invoice: Invoice) -> None:
        payment = pay(invoice, "10")
        form = payment_form(invoice, refunds=str(payment.pk), amount="4")
        assert operator.post(self.path, form).status_code == 302
        assert amounts(invoice) == [10, -4]

    @pytest.mark.parametrize("change", [{"amount": "0"}, {"amount": "-5"}, {"method": "credit"}, {"invoice": ""}])
    def test_refuses_what_is_none(self, operator: Client, invoice: Invoice, change: dict[str, str]) -> None:
        assert operator.post(self.path, {**payment_form(invoice), **change}).status_code == 200
        assert amounts(invoice) == []

    def test_says_what_the_service_refuses(self, operator: Client, invoice: Invoice) -> None:
        payment = pay(invoice, "10")
        form = payment_form(invoice, refunds=str(payment.pk), amount="11")
        assert "is left to give back" in operator.post(self.path, form, follow=True).content.decode()
        assert amounts(invoice) == [10]

    def test_nobody_changes_or_deletes_one(self, operator: Client, invoice: Invoice) -> None:
        payment = pay(invoice, "10")
        address = f"/admin/billing/payment/{payment.pk}"
        assert operator.get(f"{address}/change/").status_code == 200
        assert operator.post(f"{address}/change/", payment_form(invoice, amount="1")).status_code == 403
        assert operator.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
        with tenant_scope(invoice.tenant_id):
            assert Payment.objects.for_tenant(invoice.tenant_id).get().amount == 10


class TestCreditNotes:
    path = "/admin/billing/creditnote/add/"

    def test_takes_back_lines(self, operator: Client, acme: Company, invoice: Invoice) -> None:
        assert operator.get(self.path).status_code == 200
        for _ in range(2):
            assert operator.post(self.path, note_form(invoice)).status_code == 302
        with tenant_scope(acme.tenant.pk):
            note = CreditNote.objects.for_tenant(acme.tenant).get()
        assert (note.credit_note_number, note.total_amount) == ("CN-000001", D("12.30"))
        assert ("Olivia", "credit_note.issued") in audited(acme)
        assert operator.get(f"/admin/billing/creditnote/{note.pk}/change/").status_code == 200

    def test_takes_back_everything(self, operator: Client, invoice: Invoice) -> None:
        operator.post(self.path, note_form(invoice, lines=""))
        assert stored(invoice).status == "void"

    def test_says_what_is_too_much(self, operator: Client, invoice: Invoice) -> None:
        answer = operator.post(self.path, note_form(invoice, lines="1 25.01"), follow=True)
        assert "25 of line 1 is left to credit" in answer.content.decode()
        assert stored(invoice).status == "pending"

    @pytest.mark.parametrize("lines", ["1", "1 ten", "one 10", "1 10 10"])
    def test_refuses_what_cannot_be_read(self, operator: Client, invoice: Invoice, lines: str) -> None:
        answer = operator.post(self.path, note_form(invoice, lines=lines))
        assert answer.status_code == 200
        assert "is no position and amount" in answer.content.decode()


@pytest.mark.parametrize(
    "model",
    ["legalentity", "billingprofile", "taxrate", "exchangerate", "invoicesequence", "payment", "creditnote", "invoice"],
)
def test_every_list_opens(operator: Client, invoice: Invoice, model: str) -> None:
    assert operator.get(f"/admin/billing/{model}/").status_code == 200


def test_a_wrong_iban_is_refused(operator: Client) -> None:
    form = {
        "name": "Northwind", "country": "IE", "timezone": "UTC", "invoice_prefix": "INV", "credit_note_prefix": "CN",
        "iban": "DE89370400440532013001", "due_days": "14",
    }  # fmt: skip
    assert b"is no IBAN" in operator.post("/admin/billing/legalentity/add/", form).content


class TestProfile:
    def test_who_decided_about_a_tenant_s_tax_stands_in_its_audit_log(self, operator: Client, acme: Company) -> None:
        sell_from("IE")
        form = {"tenant": str(acme.tenant.pk), "country": "IE", "language": "en", "treatment": "exempt",
                "exemption_reason": "A school"}  # fmt: skip
        answer = operator.post("/admin/billing/billingprofile/add/", form)
        assert answer.status_code == 302, answer.content
        with tenant_scope(acme.tenant.pk):
            entry = AuditEntry.objects.for_tenant(acme.tenant).get(action="billing_profile.changed")
        assert (entry.actor_name, entry.changes["treatment"]) == ("Olivia", "exempt")


class TestTenant:
    def test_keeps_its_currency_and_is_never_deleted(self, operator: Client, acme: Company) -> None:
        page = f"/admin/accounts/tenant/{acme.tenant.pk}"
        assert b'name="currency"' not in operator.get(f"{page}/change/").content
        assert b'name="currency"' in operator.get("/admin/accounts/tenant/add/").content
        assert operator.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
