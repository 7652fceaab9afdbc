"""Billing over HTTP: who may read, what is answered, and that Mallory finds nothing."""

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice, InvoiceDocument
from billing.services import Seller, draft_invoice, set_seller
from tests.factories import Company
from tests.usage.helpers import call, periods, record

Api = Callable[[str | None], Any]


@pytest.fixture(autouse=True)
def clock_of_the_cast(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    """Let requests happen when the cast's companies were founded."""
    monkeypatch.setattr("accounts.api.base.timezone.now", lambda: now)


@pytest.fixture
def invoice(acme: Company, now: Any) -> Invoice:
    call(acme, 80)
    with tenant_scope(acme.tenant.pk):
        return draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=now)


def address(invoice: Invoice) -> str:
    return f"/v1/billing/invoices/inv_{invoice.pk.hex}"


class TestInvoices:
    def test_lists_the_tenant_s_own(self, api: Api, acme: Company, globex: Company, invoice: Invoice) -> None:
        body = api(acme.api_key).get("/v1/billing/invoices").json()
        assert body["next"] is body["previous"] is None
        assert [row["id"] for row in body["results"]] == [f"inv_{invoice.pk.hex}"]
        assert body["results"][0]["total_amount"] == "0.00"
        assert api(globex.api_key).get("/v1/billing/invoices").json()["results"] == []

    def test_lists_by_status(self, api: Api, acme: Company, invoice: Invoice) -> None:
        client = api(acme.api_key)
        assert len(client.get("/v1/billing/invoices?status=draft").json()["results"]) == 1
        assert client.get("/v1/billing/invoices?status=paid").json()["results"] == []
        refused = client.get("/v1/billing/invoices?status=lost")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/status")

    def test_shows_one_with_its_lines(self, api: Api, acme: Company, invoice: Invoice) -> None:
        body = api(acme.api_key).get(address(invoice)).json()
        assert body["invoice_number"] is None
        assert (body["subtotal"], body["allowance"], body["tax"]) == ("0.03", "0.03", "0.00")
        assert body["lines"] == [
            {
                "kind": "usage",
                "channel": "voice",
                "resource_type": "minute",
                "description": "Voice, outbound to +1",
                "detail": "1 call, billed 60/60 s",
                "service_start": "2026-03-10",
                "service_end": "2026-03-31",
                "quantity": "2",
                "unit": "minutes",
                "unit_price": "0.015",
                "amount": "0.03",
                "allowance": "0.03",
                "tax_category": None,
                "tax_rate": None,
                "tax": "0.00",
            }
        ]

    def test_answers_at_the_older_address_too(self, api: Api, acme: Company, invoice: Invoice) -> None:
        client = api(acme.api_key)
        newer, older = client.get(address(invoice)), client.get(f"/v1/usage/billing/invoice/inv_{invoice.pk.hex}")
        assert older.json() == newer.json()
        assert client.get("/v1/usage/billing/invoices").json()["results"][0]["id"] == f"inv_{invoice.pk.hex}"

    @pytest.mark.parametrize("path", ["", "/pdf"])
    def test_mallory_finds_nothing(self, api: Api, globex: Company, invoice: Invoice, path: str) -> None:
        assert api(globex.api_key).get(address(invoice) + path).status_code == 404
        with system_access("test"):
            assert not InvoiceDocument.unscoped.exists()

    @pytest.mark.parametrize("bad", ["inv_", "inv_zz", "cc_" + "0" * 32, "1"])
    def test_an_id_that_cannot_be_one_is_not_found(self, api: Api, acme: Company, bad: str) -> None:
        answer = api(acme.api_key).get(f"/v1/billing/invoices/{bad}")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_reads_one_in_few_queries(self, api: Api, acme: Company, invoice: Invoice) -> None:
        record(acme)
        client = api(acme.api_key)
        client.post("/v1/billing/invoices/draft")
        with CaptureQueriesContext(connection) as one:
            client.get(address(invoice))
        for resource in ("mms", "message"):
            record(acme, resource_type=resource)
        client.post("/v1/billing/invoices/draft")
        with CaptureQueriesContext(connection) as more:
            client.get(address(invoice))
        assert len(one) == len(more)


class TestWho:
    def test_an_agent_may_not_read(self, signed_in: Callable[[Any], Any], acme: Company, invoice: Invoice) -> None:
        assert signed_in(acme.agent).get(address(invoice)).status_code == 403

    def test_finance_reads(self, signed_in: Callable[[Any], Any], acme: Company, invoice: Invoice) -> None:
        assert signed_in(acme.finance).get(address(invoice)).status_code == 200

    def test_nobody_signed_in_reads_nothing(self, api: Api, invoice: Invoice) -> None:
        assert api(None).get(address(invoice)).status_code == 401


class TestDraftNow:
    def test_makes_the_current_period_s_draft_and_makes_it_anew(self, api: Api, acme: Company) -> None:
        client = api(acme.api_key)
        first = client.post("/v1/billing/invoices/draft")
        assert (first.status_code, first.json()["lines"]) == (200, [])
        record(acme, quantity=Decimal(1000))
        again = client.post("/v1/billing/invoices/draft")
        assert again.json()["id"] == first.json()["id"]
        assert again.json()["subtotal"] == "7.50"

    def test_is_what_current_period_says(self, api: Api, acme: Company) -> None:
        call(acme, 61)
        record(acme, quantity=Decimal(3))
        client = api(acme.api_key)
        current = client.get("/v1/usage/current-period").json()
        drafted = client.post("/v1/billing/invoices/draft").json()
        assert current["total_cost"] == drafted["subtotal"] == "0.05"
        assert sorted(item["total_cost"] for item in current["items"]) == sorted(
            line["amount"] for line in drafted["lines"]
        )

    def test_an_agent_may_not(self, signed_in: Callable[[Any], Any], acme: Company) -> None:
        assert signed_in(acme.agent).post("/v1/billing/invoices/draft").status_code == 403
        with system_access("test"):
            assert not Invoice.unscoped.exists()


class TestPdf:
    def test_is_the_invoice_in_print(self, api: Api, acme: Company, invoice: Invoice) -> None:
        set_seller(Seller(name="Northwind Ltd", address="12 Harbour Street\nDublin", tax_id="IE1234567FA"))
        answer = api(acme.api_key).get(address(invoice) + "/pdf", headers={"Accept": "application/pdf"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer["Content-Disposition"] == 'inline; filename="invoice-draft-2026-03-10.pdf"'
        text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages).split())
        for part in (
            "Draft invoice",
            "Northwind Ltd",
            "Dublin",
            "Acme",
            "Voice, outbound to +1",
            "10 Mar 2026 Voice 2",
        ):
            assert part in text

    def test_is_kept_and_made_anew_with_the_draft(self, api: Api, acme: Company, invoice: Invoice) -> None:
        client = api(acme.api_key)
        first, again = client.get(address(invoice) + "/pdf"), client.get(address(invoice) + "/pdf")
        assert first["ETag"] == again["ETag"]
        assert first.content == again.content
        with system_access("test"):
            kept = InvoiceDocument.unscoped.get()
            assert (bytes(kept.content), f'"{kept.sha256}"') == (first.content, first["ETag"])
        record(acme, quantity=Decimal(9))
        with tenant_scope(acme.tenant.pk):
            later = periods(acme)[0].starts_at
            draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=later)
        assert client.get(address(invoice) + "/pdf")["ETag"] != first["ETag"]
        with system_access("test"):
            assert InvoiceDocument.unscoped.count() == 1

    def test_a_refusal_is_a_problem_whatever_was_asked_for(self, api: Api, acme: Company) -> None:
        path = f"/v1/billing/invoices/inv_{'0' * 32}/pdf"
        answer = api(acme.api_key).get(path, headers={"Accept": "application/pdf"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


class TestPlans:
    def test_shows_what_is_on_offer(self, api: Api, acme: Company) -> None:
        plans = {plan["slug"]: plan for plan in api(acme.api_key).get("/v1/billing/plans").json()["results"]}
        assert list(plans) == ["free_trial", "starter", "professional", "enterprise"]
        professional = plans["professional"]
        assert (professional["monthly_fee"], professional["included_credit"]) == ("99.00", "50.00")
        assert professional["features"]["seats"] == 25
        assert plans["enterprise"]["features"]["widgets"] is None
        assert {
            (rate["direction"], rate["destination_prefix"], rate["unit_price"], rate["unit"])
            for rate in professional["rates"]
            if rate["channel"] == "voice" and rate["resource_type"] == "minute"
        } == {("inbound", "", "0.012", "minute"), ("outbound", "1", "0.012", "minute")}

    def test_shows_the_subscription(self, api: Api, acme: Company) -> None:
        assert api(acme.api_key).get("/v1/billing/subscription").json() == {
            "plan": "free_trial",
            "status": "trialing",
            "currency": "USD",
            "started_at": "2026-03-10T12:00:00.000000Z",
            "trial_ends_at": "2026-03-24T12:00:00.000000Z",
            "next_plan": None,
            "ends_at": None,
            "canceled_at": None,
            "period_start": "2026-03-10",
            "period_end": "2026-03-31",
        }
