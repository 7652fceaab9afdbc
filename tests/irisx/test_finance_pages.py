"""The finance pages: what they list, add up and hand out, and what they let people decide."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from accounts.tenancy import system_access, tenant_scope
from billing.models import BillingProfile, Export, Invoice
from billing.services import Credited, issue_credit_note, record_payment
from irisx.portal import charts
from tests import factories
from tests.assertions import rows
from tests.billing.helpers import APRIL, buy_from, finalized, sell_from
from usage.models import Subscription
from usage.services import entitle
from usage.sums import DaySum

SignIn = Callable[[object], Client]


@pytest.fixture
def invoice(acme: factories.Company) -> Invoice:
    """March of Acme, final: 10,000 SMS of which credit covers 50, at 23 % tax."""
    sell_from("IE")
    buy_from(acme, "IE", legal_name="Acme Bicycles Ltd")
    return finalized(acme)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_lists_what_is_asked_for_and_adds_it_up(acme: factories.Company, invoice: Invoice, signed_in: SignIn) -> None:
    fiona = signed_in(acme.finance)
    fiona.post("/portal/finance/draft")
    both = page(fiona, "/portal/finance/")
    assert ("2 invoices" in both, invoice.invoice_number in both, ">Draft</a>" in both) == (True, True, True)
    pending = page(fiona, "/portal/finance/?status=open&number=000&start_date=2026-03-31&end_date=2026-03-31")
    assert ("1 invoice<" in pending, ">Draft</a>" in pending) == (True, False)
    assert "No invoice matches" in page(fiona, "/portal/finance/?status=paid")
    assert "No invoice matches" in page(fiona, "/portal/finance/?number=%25")
    wrong = page(fiona, "/portal/finance/?status=nonsense&start_date=yesterday")
    assert "status must be one of" in wrong
    assert "start_date must be a date" in wrong


def test_says_what_is_owed_and_how_late(acme: factories.Company, invoice: Invoice, signed_in: SignIn) -> None:
    late = (timezone.now().date() - date(2026, 4, 15)).days
    shown = page(signed_in(acme.finance), "/portal/finance/")
    assert "Over 90 days" in shown
    assert "overdue</span>" in shown
    assert f"{late} days late" in page(signed_in(acme.finance), f"/portal/finance/inv_{invoice.pk.hex}/")


def test_an_invoice_shows_tax_payments_credit_notes_and_history(
    acme: factories.Company, invoice: Invoice, signed_in: SignIn
) -> None:
    with tenant_scope(acme.tenant.pk):
        line = max(invoice.lines.all(), key=lambda line: line.amount - line.allowance)
        note = issue_credit_note(
            tenant_id=acme.tenant.pk, invoice_id=invoice.pk, key="n", reason="Outage on 7 March",
            lines=[Credited(line.position, Decimal(1))], now=APRIL,
        )  # fmt: skip
        record_payment(
            tenant_id=acme.tenant.pk, invoice_id=invoice.pk, key="p", amount=Decimal(5), method="bank_transfer",
            reference="TRX 4711", received_at=APRIL, now=APRIL,
        )  # fmt: skip
    fiona = signed_in(acme.finance)
    shown = page(fiona, f"/portal/finance/inv_{invoice.pk.hex}/")
    for words in ("Tax 23 % of", "Credit used", "TRX 4711", "Bank transfer", note.credit_note_number, "Finalized"):
        assert words in shown, words
    assert note.credit_note_number in page(fiona, "/portal/finance/credit-notes/")
    of_note = page(fiona, f"/portal/finance/credit-notes/cn_{note.pk.hex}/")
    assert ("Outage on 7 March" in of_note, invoice.invoice_number in of_note) == (True, True)


def test_a_list_is_downloaded_at_once_with_its_filter(
    acme: factories.Company, invoice: Invoice, signed_in: SignIn
) -> None:
    fiona = signed_in(acme.finance)
    asked = {"kind": "invoices", "format": "csv", "status": "open"}
    answer = fiona.post("/portal/finance/exports/start", asked)
    (export,) = rows(Export, tenant=acme.tenant)
    assert export.filters == {"status": "open"}
    assert answer["Location"] == f"/v1/billing/exports/exp_{export.pk.hex}/file"
    assert invoice.invoice_number in fiona.get(answer["Location"]).content.decode()
    assert export.file_name in page(fiona, "/portal/finance/exports/")
    assert "Download" in page(fiona, f"/portal/finance/exports/exp_{export.pk.hex}/")
    month = {"kind": "documents", "format": "zip", "month": "2026-04-01/2026-04-30"}
    answer = fiona.post("/portal/finance/exports/start", month)
    assert fiona.get(answer["Location"]).content.startswith(b"PK")
    for wrong in ({"kind": "secrets", "format": "csv"}, {"kind": "invoices", "format": "csv", "status": "void"}):
        assert fiona.post("/portal/finance/exports/start", wrong)["Location"] == "/portal/finance/"
    assert len(rows(Export, tenant=acme.tenant)) == 2


def test_an_agent_exports_nothing(acme: factories.Company, invoice: Invoice, signed_in: SignIn) -> None:
    asked = {"kind": "invoices", "format": "csv"}
    assert signed_in(acme.agent).post("/portal/finance/exports/start", asked).status_code == 403
    assert rows(Export, tenant=acme.tenant) == []


def test_an_owner_sees_what_a_plan_costs_chooses_it_and_cancels(db: None, signed_in: SignIn) -> None:
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona", now=timezone.now())
    alice = signed_in(acme.owner)
    preview = page(alice, "/portal/finance/subscription/?plan=starter&when=now")
    assert ("Choose Starter" in preview, "$29.00" in preview) == (True, True)
    assert rows(Subscription, tenant=acme.tenant)[0].next_plan_id is None
    assert "There is no plan" in page(alice, "/portal/finance/subscription/?plan=nonsense")
    alice.post("/portal/finance/subscription/change", {"plan": "starter", "when": ""})
    with system_access("test"):
        assert Subscription.unscoped.get(tenant=acme.tenant).next_plan.slug == "starter"  # type: ignore[union-attr] # it is chosen
    alice.post("/portal/finance/subscription/cancel", {"when": "period_end"})
    with system_access("test"):
        assert Subscription.unscoped.get(tenant=acme.tenant).next_plan is None
    actions = [entry.action for entry in rows(AuditEntry, tenant=acme.tenant)]
    assert {"subscription.change", "subscription.cancel"} <= set(actions)
    assert alice.get("/portal/finance/subscription/?plan=starter&when=never").status_code == 404


def test_finance_looks_at_the_plan_and_decides_nothing(acme: factories.Company, signed_in: SignIn) -> None:
    fiona = signed_in(acme.finance)
    shown = page(fiona, "/portal/finance/subscription/?plan=starter")
    assert ("Choose Starter" in shown, "Owners and admins change the plan." in shown) == (False, True)
    for address in ("change", "cancel"):
        assert fiona.post(f"/portal/finance/subscription/{address}", {"plan": "starter"}).status_code == 403
    assert rows(Subscription, tenant=acme.tenant)[0].next_plan_id is None


DETAILS = {
    "legal_name": "Acme Bicycles GmbH", "country": "DE", "address": "Radweg 1", "postal_code": "10115",
    "city": "Berlin", "tax_id": "DE136695976", "reference": "PO 7", "language": "de", "billing_email": "a@acme.example",
}  # fmt: skip


def test_an_owner_says_who_the_company_is(acme: factories.Company, signed_in: SignIn) -> None:
    alice = signed_in(acme.owner)
    assert alice.post("/portal/finance/profile/", DETAILS)["Location"] == "/portal/finance/profile/"
    (profile,) = rows(BillingProfile, tenant=acme.tenant)
    assert (profile.country, profile.tax_id, profile.language) == ("DE", "DE136695976", "de")
    with tenant_scope(acme.tenant.pk):
        assert Tenant.objects.get(pk=acme.tenant.pk).billing_email == "a@acme.example"
    assert 'value="Acme Bicycles GmbH"' in page(alice, "/portal/finance/profile/")


def test_a_wrong_vat_id_is_said_beside_its_field(acme: factories.Company, signed_in: SignIn) -> None:
    answer = signed_in(acme.owner).post("/portal/finance/profile/", {**DETAILS, "tax_id": "DE136695977"})
    assert answer.status_code == 422
    assert 'id="id_tax_id-error-1"' in answer.content.decode()
    assert rows(BillingProfile, tenant=acme.tenant) == []


def test_finance_reads_the_details_and_changes_nothing(acme: factories.Company, signed_in: SignIn) -> None:
    fiona = signed_in(acme.finance)
    assert "Owners and admins change these." in page(fiona, "/portal/finance/profile/")
    assert fiona.post("/portal/finance/profile/", DETAILS).status_code == 403
    assert rows(BillingProfile, tenant=acme.tenant) == []


def test_usage_shows_limits_the_estimate_and_other_days(acme: factories.Company, signed_in: SignIn) -> None:
    now = timezone.now()
    with tenant_scope(acme.tenant.pk):
        entitle(tenant_id=acme.tenant.pk, feature="sms_messages", value=100, starts_at=factories.NOW, now=now)
    shown = page(signed_in(acme.finance), "/portal/usage/")
    for words in ("What today would be billed", "0 of 100 messages", "You are told at 50 %, 80 %, 90 %", "Seats"):
        assert words in shown, words
    for query in ("?by=cost&days=30", "?days=90", "?days=nonsense&by=nonsense"):
        assert "by day" in page(signed_in(acme.finance), f"/portal/usage/{query}")


def test_credit_lists_grants_and_ledger(acme: factories.Company, signed_in: SignIn) -> None:
    shown = page(signed_in(acme.finance), "/portal/finance/credit/")
    assert ("Trial" in shown, "$50.00" in shown) == (True, True)


def test_a_chart_by_cost_draws_no_bar_for_what_was_taken_back() -> None:
    def day(number: int, channel: str, cost: str) -> DaySum:
        zero = Decimal(0)
        return DaySum(date(2026, 3, number), channel, "x", zero, zero, Decimal(cost), 1)

    chart = charts.by_day(
        [day(1, "sms", "3"), day(1, "voice", "1"), day(2, "sms", "-2")],
        first=date(2026, 3, 1), last=date(2026, 3, 2), measure=charts.cost,
    )  # fmt: skip
    assert (chart.most, chart.channels) == (Decimal(4), ("sms", "voice"))
    assert chart.rows == [(date(2026, 3, 1), [Decimal(3), Decimal(1)], Decimal(4))]


def test_operators_see_what_all_tenants_owe_and_take_the_list_along(
    acme: factories.Company, invoice: Invoice, signed_in: SignIn
) -> None:
    operator = factories.make_user("Olivia")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    olivia = signed_in(operator)
    shown = page(olivia, "/admin/billing/invoice/")
    assert ("Owed, by days past due" in shown, "Acme" in shown) == (True, True)
    chosen = {"_selected_action": [str(invoice.pk)]}
    listed = olivia.post("/admin/billing/invoice/", {**chosen, "action": "as_csv"})
    assert listed["Content-Type"] == "text/csv; charset=utf-8"
    assert listed.content.decode().splitlines()[1].startswith(f"Acme,{invoice.invoice_number},pending,")
    assert olivia.post("/admin/billing/invoice/", {**chosen, "action": "as_xlsx"}).content.startswith(b"PK")
