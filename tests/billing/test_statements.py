"""Statements: both accounts add up, over any days, in every form."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from accounts.tenancy import tenant_scope
from billing.models import Invoice
from billing.services import Statement, statement
from tests.billing.helpers import APRIL, buy_from, finalized, sell_from
from tests.billing.test_credit_notes import credit
from tests.billing.test_payments import pay, refund
from tests.billing.test_topups import ask
from tests.billing.test_topups import pay as pay_top_up
from tests.factories import Company
from tests.usage.helpers import at

D = Decimal
Api = Callable[[str | None], Any]


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    """Return an invoice over 30.75 of 1 April; 12.30 of it credited, 10 paid on the 1st, 20 on the 9th, 1 given back."""
    sell_from("IE")
    buy_from(acme, "IE")
    invoice = finalized(acme)
    first = pay(invoice, "10", reference="=1+1")
    credit(invoice, [(1, "10")])
    pay(invoice, "20", key="p2", received_at=at(2026, 4, 9), now=at(2026, 4, 9))
    refund(first, "1")
    return invoice


def of(company: Company, first: str, last: str) -> Statement:
    with tenant_scope(company.tenant.pk):
        return statement(
            tenant_id=company.tenant.pk, start_date=date.fromisoformat(first), end_date=date.fromisoformat(last)
        )


def test_says_what_came_and_went(acme: Company, invoice: Invoice) -> None:
    found = of(acme, "2026-04-01", "2026-04-30")
    assert found.owed.opening == 0
    assert [(entry.day.day, entry.kind, entry.about, entry.amount) for entry in found.owed.entries][:2] == [
        (1, "invoice", "INV-000001", D("30.75")),
        (1, "payment", "INV-000001", D("-10")),
    ]
    assert {entry.kind for entry in found.owed.entries} == {
        "invoice", "payment", "credit_note", "moved_to_credit", "refund",
    }  # fmt: skip
    with tenant_scope(acme.tenant.pk):
        now = Invoice.objects.for_tenant(acme.tenant).get(pk=invoice.pk)
    assert found.owed.closing == now.total_amount - D("12.30") - now.amount_paid == D("1.00")
    assert found.prepaid.closing == D("11.55")
    assert [entry.kind for entry in found.prepaid.entries] == ["granted"]


def test_goes_on_where_the_one_before_ended(acme: Company, invoice: Invoice) -> None:
    days = ["2026-03-31", "2026-04-01", "2026-04-08", "2026-04-09", "2026-12-31"]
    parts = [of(acme, first, last) for first, last in pairwise(days)]
    later = of(acme, "2026-04-02", "2026-12-31")
    assert later.owed.opening == of(acme, "2026-01-01", "2026-04-01").owed.closing
    assert {part.owed.opening + sum(e.amount for e in part.owed.entries) - part.owed.closing for part in parts} == {0}


def test_top_ups_are_credit_and_nothing_owed(acme: Company) -> None:
    sell_from("IE")
    buy_from(acme, "IE")
    pay_top_up(ask(acme), "100")
    finalized(acme, now=at(2026, 4, 9, 13))
    found = of(acme, "2026-04-01", "2026-04-30")
    assert [(entry.kind, entry.amount) for entry in found.owed.entries] == [
        ("invoice", D("30.75")), ("payment", D("-30.75")),
    ]  # fmt: skip
    assert [(entry.kind, entry.detail, entry.amount) for entry in found.prepaid.entries] == [
        ("granted", "Top-up TU-000001", 100), ("used", "", D("-30.75")),
    ]  # fmt: skip
    assert (found.owed.closing, found.prepaid.closing) == (0, D("69.25"))


class TestApi:
    path = "/v1/billing/statement"
    april = "?start_date=2026-04-01&end_date=2026-04-30"

    def test_answers_json(self, api: Api, acme: Company, invoice: Invoice) -> None:
        body = api(acme.api_key).get(self.path + self.april).json()
        assert (body["currency"], body["owed"]["opening_balance"], body["owed"]["closing_balance"]) == (
            "USD", "0.00", "1.00",
        )  # fmt: skip
        assert body["owed"]["entries"][0] == {
            "date": "2026-04-01", "kind": "invoice", "document": "INV-000001", "detail": "", "amount": "30.75",
            "balance": "30.75",
        }  # fmt: skip

    def test_answers_csv_that_runs_no_formula(self, api: Api, acme: Company, invoice: Invoice) -> None:
        answer = api(acme.api_key).get(f"{self.path}/csv{self.april}")
        lines = answer.content.decode().splitlines()
        assert lines[0] == "account,date,kind,document,detail,amount,balance,currency"
        assert lines[1] == "owed,2026-04-01,opening_balance,,,,0.00,USD"
        assert lines[2] == "owed,2026-04-01,invoice,INV-000001,,30.75,30.75,USD"
        assert 'filename="statement-2026-04-01-2026-04-30.csv"' in answer["Content-Disposition"]

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_answers_pdf(self, api: Api, acme: Company, invoice: Invoice, language: str) -> None:
        buy_from(acme, "IE", language=language)
        answer = api(acme.api_key).get(f"{self.path}/pdf{self.april}")
        assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")

    def test_shows_a_tenant_its_own(self, api: Api, globex: Company, invoice: Invoice) -> None:
        body = api(globex.api_key).get(self.path + self.april).json()
        assert (body["owed"]["entries"], body["owed"]["closing_balance"]) == ([], "0.00")

    def test_refuses_more_than_a_year(self, api: Api, acme: Company) -> None:
        answer = api(acme.api_key).get(f"{self.path}?start_date=2020-01-01&end_date={APRIL:%Y-%m-%d}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/start_date")
