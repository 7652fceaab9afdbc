"""Credit notes and payments as the tenant reads them; Mallory finds nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.models import CreditNote, Invoice
from tests.billing.helpers import buy_from, finalized, sell_from
from tests.billing.test_credit_notes import credit
from tests.billing.test_payments import pay, refund
from tests.factories import Company

Api = Callable[[str | None], Any]


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    sell_from("IE")
    buy_from(acme, "IE")
    return finalized(acme)


@pytest.fixture
def note(invoice: Invoice) -> CreditNote:
    return credit(invoice, [(1, "10")])


class TestCreditNotes:
    def test_lists_the_tenant_s_own(self, api: Api, acme: Company, globex: Company, note: CreditNote) -> None:
        (row,) = api(acme.api_key).get("/v1/billing/credit-notes").json()["results"]
        assert (row["id"], row["credit_note_number"]) == (f"cn_{note.pk.hex}", "CN-000001")
        assert (row["invoice_number"], row["total_amount"], row["tax"]) == ("INV-000001", "12.30", "2.30")
        assert api(globex.api_key).get("/v1/billing/credit-notes").json()["results"] == []

    def test_shows_one_with_its_lines(self, api: Api, acme: Company, note: CreditNote) -> None:
        body = api(acme.api_key).get(f"/v1/billing/credit-notes/cn_{note.pk.hex}").json()
        assert body["reason"] == "Outage"
        assert body["lines"] == [
            {
                "invoice_line": 1,
                "description": "SMS",
                "service_start": "2026-03-10",
                "service_end": "2026-03-31",
                "amount": "10.00",
                "tax_category": "S",
                "tax_rate": "23",
                "tax": "2.30",
            }
        ]

    def test_mallory_finds_none(self, api: Api, globex: Company, note: CreditNote) -> None:
        assert api(globex.api_key).get(f"/v1/billing/credit-notes/cn_{note.pk.hex}").status_code == 404

    def test_an_agent_may_not_read(self, signed_in: Callable[[Any], Any], acme: Company, note: CreditNote) -> None:
        assert signed_in(acme.agent).get("/v1/billing/credit-notes").status_code == 403


class TestInvoice:
    def test_says_what_is_paid_credited_and_due(self, api: Api, acme: Company, note: CreditNote) -> None:
        payment = pay(note.invoice, "10")
        refund(payment, "1.50")
        client = api(acme.api_key)
        body = client.get(f"/v1/billing/invoices/inv_{note.invoice_id.hex}").json()
        amounts = {name: body[name] for name in ("total_amount", "amount_paid", "amount_credited", "amount_due")}
        assert amounts == {
            "total_amount": "30.75", "amount_paid": "8.50", "amount_credited": "12.30", "amount_due": "9.95",
        }  # fmt: skip
        assert [(row["amount"], row["method"], row["refunds"]) for row in body["payments"]] == [
            ("10.00", "bank_transfer", None), ("-1.50", "bank_transfer", f"pay_{payment.pk.hex}"),
        ]  # fmt: skip
        assert [row["credit_note_number"] for row in body["credit_notes"]] == ["CN-000001"]
        (row,) = client.get("/v1/billing/invoices").json()["results"]
        assert (row["amount_credited"], row["amount_due"]) == ("12.30", "9.95")

    def test_says_both_parties_and_the_tax(self, api: Api, acme: Company, invoice: Invoice) -> None:
        body = api(acme.api_key).get(f"/v1/billing/invoices/inv_{invoice.pk.hex}").json()
        assert (body["invoice_number"], body["issue_date"], body["due_date"]) == (
            "INV-000001",
            "2026-04-01",
            "2026-04-15",
        )
        assert (body["seller"]["tax_id"], body["buyer"]["name"]) == ("IE1234567FA", "Acme")
        assert [(group["category"], Decimal(group["tax"])) for group in body["tax_groups"]] == [("S", Decimal("5.75"))]
