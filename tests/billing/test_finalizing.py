"""A draft becomes an invoice once, complete, or waits and says what is missing."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from accounts.models import OutboxEvent
from accounts.tenancy import tenant_scope
from billing.errors import NothingToBill, PeriodNotClosed
from billing.models import ExchangeRate, InvoiceSequence, LegalEntity, Payment, TaxRate
from billing.services import draft_invoice, finalize_invoice
from common.errors import NotFound
from tests.billing.helpers import (
    APRIL,
    announced,
    buy_from,
    drafted,
    finalize,
    finalized,
    lines_of,
    move_to,
    sell_from,
    stored,
)  # fmt: skip
from tests.factories import NOW, Company
from tests.usage.helpers import periods, record
from tests.usage.test_closing import falsify
from usage.models import CreditEntry
from usage.services import Actor, How, check_period, grant, unpark_period

D = Decimal


@pytest.fixture
def parties(acme: Company) -> None:
    sell_from("IE")
    buy_from(acme, "IE", legal_name="Acme Ltd", city="Cork")


@pytest.mark.usefixtures("parties")
class TestFinalize:
    def test_gives_number_dates_and_parties(self, acme: Company) -> None:
        invoice = stored(finalized(acme))
        assert (invoice.status, invoice.invoice_number, invoice.series, invoice.series_number) == (
            "pending", "INV-000001", "INV", 1,
        )  # fmt: skip
        assert (invoice.issue_date, invoice.due_date) == (date(2026, 4, 1), date(2026, 4, 15))
        assert invoice.finalized_at == APRIL
        assert (invoice.seller["name"], invoice.seller["country"], invoice.seller["tax_id"]) == (
            "Northwind Ltd", "IE", "IE1234567FA",
        )  # fmt: skip
        assert (invoice.buyer["name"], invoice.buyer["city"], invoice.buyer["country"]) == ("Acme Ltd", "Cork", "IE")

    def test_taxes_what_credit_leaves(self, acme: Company) -> None:
        invoice = stored(finalized(acme))
        assert (invoice.subtotal, invoice.allowance, invoice.tax) == (75, 50, D("5.75"))
        assert (invoice.total_amount, invoice.amount_paid) == (D("30.75"), 0)
        assert invoice.tax_groups == [
            {
                "category": "S", "rate": "23", "reason": "", "amount": "75.00", "allowance": "50.00", "base": "25.00",
                "tax": "5.75",
            }
        ]  # fmt: skip
        assert [(line.allowance, line.tax_category, line.tax_rate, line.tax) for line in lines_of(invoice)] == [
            (50, "S", 23, D("5.75"))
        ]

    def test_a_draft_says_the_same_before(self, acme: Company) -> None:
        draft = drafted(acme)
        assert (draft.allowance, draft.tax, draft.total_amount) == (50, D("5.75"), D("30.75"))
        assert draft.tax_groups == finalize(draft).tax_groups

    def test_uses_up_the_credit_it_took(self, acme: Company) -> None:
        finalized(acme)
        with tenant_scope(acme.tenant.pk):
            burned = CreditEntry.objects.for_tenant(acme.tenant).filter(kind="burn").values_list("amount", flat=True)
            assert list(burned) == [-50]

    def test_prepaid_credit_pays(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            grant(
                tenant_id=acme.tenant.pk, source="prepaid", key="topup", amount=D(20), currency="USD", starts_at=NOW,
            )  # fmt: skip
        invoice = stored(finalized(acme))
        assert (invoice.status, invoice.allowance, invoice.total_amount, invoice.amount_paid) == (
            "pending", 50, D("30.75"), 20,
        )  # fmt: skip
        with tenant_scope(acme.tenant.pk):
            payment = Payment.objects.for_tenant(acme.tenant).get()
            assert (payment.method, payment.amount, payment.invoice_id) == ("credit", 20, invoice.pk)

    def test_what_credit_pays_whole_is_paid(self, acme: Company) -> None:
        invoice = stored(finalized(acme, messages=100))
        assert (invoice.status, invoice.total_amount, invoice.paid_at) == ("paid", 0, APRIL)
        assert announced(acme) == ["invoice.finalized", "invoice.paid"]

    def test_credit_never_covers_the_fee(self, acme: Company) -> None:
        move_to(acme, "professional")
        invoice = finalized(acme, messages=100)
        assert (invoice.subtotal, invoice.allowance, invoice.tax) == (D("99.70"), D("0.70"), D("22.77"))
        assert [line.allowance for line in lines_of(invoice)] == [0, D("0.70")]

    def test_tells_integrators_once(self, acme: Company) -> None:
        finalize(finalized(acme))
        assert announced(acme) == ["invoice.finalized"]
        with tenant_scope(acme.tenant.pk):
            body = orjson.loads(OutboxEvent.objects.for_tenant(acme.tenant).get(type="invoice.finalized").body)
        assert body["data"]["invoice_number"] == "INV-000001"
        assert body["data"]["total_amount"] == "30.75"

    def test_a_repeat_changes_nothing(self, acme: Company) -> None:
        first = finalized(acme)
        again = finalize(first, now=APRIL + timedelta(days=3))
        assert (again.invoice_number, again.issue_date) == ("INV-000001", date(2026, 4, 1))
        assert InvoiceSequence.objects.get().last == 1

    def test_numbers_follow_each_other(self, acme: Company, globex: Company) -> None:
        buy_from(globex, "IE")
        assert [finalized(one).invoice_number for one in (acme, globex)] == ["INV-000001", "INV-000002"]

    def test_makes_lines_anew_that_are_older_than_the_close(self, acme: Company) -> None:
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            draft = draft_invoice(tenant_id=acme.tenant.pk, period_id=march.pk, now=NOW)
        invoice = drafted(acme, now=APRIL)
        with tenant_scope(acme.tenant.pk):
            type(draft).objects.for_tenant(acme.tenant).update(
                drafted_at=NOW, subtotal=0, allowance=0, tax=0, total_amount=0
            )
        assert stored(finalize(invoice)).subtotal == 75

    def test_makes_lines_anew_that_are_older_than_the_check(self, acme: Company) -> None:
        """What a draft counted while its period was parked, wrong sums and all, is never billed."""
        record(acme, quantity=D(10_000))
        falsify(acme, "total_quantity = 99_000, billed_quantity = 99_000")
        draft = drafted(acme, messages=0)
        assert draft.subtotal == D("742.50")
        with tenant_scope(acme.tenant.pk):
            period = {"tenant_id": acme.tenant.pk, "period_id": draft.billing_period_id}
            assert not check_period(**period, now=APRIL)
            unpark_period(**period, how=How.REBUILD, actor=Actor("operator", "Olivia"), now=APRIL + timedelta(hours=1))
        invoice = finalize(draft, now=APRIL + timedelta(hours=2))
        assert (invoice.subtotal, stored(invoice).subtotal) == (75, 75)
        assert invoice.drafted_at == stored(invoice).drafted_at == APRIL + timedelta(hours=2)

    def test_refuses_a_period_whose_sums_are_not_its_records(self, acme: Company) -> None:
        record(acme, quantity=D(10_000))
        falsify(acme, "billed_quantity = 99_000")
        draft = drafted(acme, messages=0)
        with pytest.raises(PeriodNotClosed):
            finalize(draft)
        assert stored(draft).status == "draft"
        assert not InvoiceSequence.objects.exists()

    def test_refuses_an_open_period(self, acme: Company) -> None:
        record(acme)
        with tenant_scope(acme.tenant.pk):
            draft = draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=NOW)
        with pytest.raises(PeriodNotClosed):
            finalize(draft)
        assert stored(draft).status == "draft"

    def test_refuses_a_draft_without_lines(self, acme: Company) -> None:
        with pytest.raises(NothingToBill):
            finalized(acme, messages=0)
        assert not InvoiceSequence.objects.exists()

    def test_mallory_finds_none(self, acme: Company, globex: Company) -> None:
        draft = drafted(acme)
        with pytest.raises(NotFound), tenant_scope(globex.tenant.pk):
            finalize_invoice(tenant_id=globex.tenant.pk, invoice_id=draft.pk, now=APRIL)


class TestParked:
    @pytest.mark.parametrize(
        ("seller", "buyer", "reason"),
        [
            (None, {"country": "IE"}, "no-seller"),
            ({"country": ""}, {"country": "IE"}, "seller-country"),
            ({"tax_id": ""}, {"country": "IE"}, "seller-tax-id"),
            ({"due_days": None}, {"country": "IE"}, "no-due-date"),
            ({}, None, "buyer-country"),
            ({}, {"country": "IE", "treatment": "reverse_charge"}, "buyer-tax-id"),
            ({"country": "US"}, {"country": "US"}, "no-tax-rate"),
            ({"tax_currency": "EUR"}, {"country": "IE"}, "no-exchange-rate"),
        ],
    )
    def test_takes_no_number_and_says_what_is_missing(
        self, acme: Company, seller: dict[str, Any] | None, buyer: dict[str, Any] | None, reason: str
    ) -> None:
        if seller is not None:
            sell_from(**seller)
        if buyer is not None:
            buy_from(acme, **buyer)
        invoice = stored(finalized(acme))
        assert (invoice.status, invoice.invoice_number, invoice.seller) == ("parked", "", {})
        assert [one["code"] for one in invoice.parked_reasons] == [reason]
        assert not InvoiceSequence.objects.exists()
        assert announced(acme) == []
        with tenant_scope(acme.tenant.pk):
            assert not CreditEntry.objects.for_tenant(acme.tenant).filter(kind="burn").exists()

    def test_names_all_that_is_missing(self, acme: Company) -> None:
        sell_from("", "")
        codes = [one["code"] for one in finalized(acme).parked_reasons]
        assert codes == ["seller-country", "seller-tax-id", "buyer-country"]

    def test_is_finalized_once_nothing_is_missing(self, acme: Company) -> None:
        sell_from("IE")
        parked = finalized(acme)
        buy_from(acme, "IE")
        invoice = stored(finalize(parked))
        assert (invoice.status, invoice.invoice_number, invoice.parked_reasons) == ("pending", "INV-000001", [])

    def test_is_a_draft_again_when_drafted(self, acme: Company) -> None:
        parked = finalized(acme)
        again = drafted(acme, messages=0)
        assert (again.pk, again.status, again.parked_reasons) == (parked.pk, "draft", [])


class TestBelowZero:
    def test_is_parked_and_credit_is_left_alone(self, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        draft = drafted(acme, messages=1000)
        (line,) = lines_of(draft)
        with tenant_scope(acme.tenant.pk):
            line.pk, line.kind, line.position, line.amount = None, "fee", 2, D(-20)
            line.allowance = line.tax = D(0)
            line.save(force_insert=True)
        parked = stored(finalize(draft))
        assert (parked.status, [one["code"] for one in parked.parked_reasons]) == ("parked", ["below-zero"])

    def test_credit_covers_no_more_than_all_lines(self, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        draft = drafted(acme, messages=1000)
        (line,) = lines_of(draft)
        with tenant_scope(acme.tenant.pk):
            line.pk, line.kind, line.position, line.amount = None, "fee", 2, D("-2.50")
            line.allowance = line.tax = D(0)
            line.save(force_insert=True)
        invoice = stored(finalize(draft))
        assert (invoice.subtotal, invoice.allowance, invoice.total_amount) == (5, 5, 0)


class TestTaxOfTheParties:
    @pytest.mark.parametrize(
        ("buyer", "category", "rate", "tax"),
        [
            ({"country": "IE"}, "S", 23, D("5.75")),
            ({"country": "DE", "tax_id": "DE136695976"}, "AE", 0, 0),
            ({"country": "GR", "tax_id": "EL094259216"}, "AE", 0, 0),
            ({"country": "DE", "tax_id": "DE136695977"}, "S", 23, D("5.75")),
            ({"country": "DE"}, "S", 23, D("5.75")),
            ({"country": "US"}, "O", 0, 0),
            ({"country": "IE", "treatment": "exempt", "exemption_reason": "Embassy"}, "E", 0, 0),
            ({"country": "US", "tax_id": "12-345", "treatment": "reverse_charge"}, "AE", 0, 0),
        ],
    )
    def test_follows_from_countries_and_vat_id(
        self, acme: Company, buyer: dict[str, Any], category: str, rate: int, tax: Decimal
    ) -> None:
        sell_from("IE")
        buy_from(acme, **buyer)
        invoice = finalized(acme)
        (group,) = invoice.tax_groups
        assert (group["category"], group["rate"], invoice.tax) == (category, str(rate), tax)
        assert bool(group["reason"]) == (category != "S")

    def test_the_one_stop_shop_charges_the_consumer_s_rate(self, acme: Company) -> None:
        sell_from("IE", uses_oss=True)
        buy_from(acme, "HU")
        assert finalized(acme).tax_groups[0]["rate"] == "27"

    def test_takes_the_rate_of_the_period_s_end(self, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        for day, rate in ((date(2026, 3, 31), 10), (date(2026, 4, 1), 11)):
            TaxRate.objects.create(country="IE", category="S", rate=rate, effective_from=day)
        assert finalized(acme).tax_groups[0]["rate"] == "10"

    def test_states_it_in_the_seller_s_currency_too(self, acme: Company) -> None:
        sell_from("IE", tax_currency="EUR")
        buy_from(acme, "IE")
        for day, rate in ((date(2026, 3, 30), "0.9"), (date(2026, 3, 31), "0.8765"), (date(2026, 4, 2), "0.5")):
            ExchangeRate.objects.create(currency="USD", into_currency="EUR", rate_date=day, rate=D(rate))
        invoice = stored(finalized(acme))
        assert (invoice.tax, invoice.tax_currency, invoice.tax_exchange_rate) == (D("5.75"), "EUR", D("0.8765"))
        assert invoice.tax_in_tax_currency == D("5.04")

    def test_an_exchange_rate_of_long_ago_says_nothing(self, acme: Company) -> None:
        sell_from("IE", tax_currency="EUR")
        buy_from(acme, "IE")
        ExchangeRate.objects.create(currency="USD", into_currency="EUR", rate_date=date(2026, 2, 28), rate=D("0.9"))
        assert finalized(acme).parked_reasons[0]["code"] == "no-exchange-rate"

    def test_a_tenant_may_have_a_seller_of_its_own(self, acme: Company) -> None:
        sell_from("IE")
        german = LegalEntity.objects.create(
            name="Nordwind GmbH", country="DE", tax_id="DE136695976", invoice_prefix="RE", has_yearly_series=True
        )
        buy_from(acme, "DE", seller=german)
        invoice = finalized(acme)
        assert (invoice.invoice_number, invoice.seller["name"]) == ("RE-2026-000001", "Nordwind GmbH")
        assert invoice.tax_groups[0]["rate"] == "19"


class TestDates:
    def test_the_issue_date_is_the_seller_s_day(self, acme: Company) -> None:
        sell_from("NZ", "NZ123", timezone="Pacific/Auckland")
        buy_from(acme, "US")
        assert finalized(acme, now=APRIL.replace(hour=13)).issue_date == date(2026, 4, 2)

    def test_it_never_lies_before_the_series_last(self, acme: Company, globex: Company) -> None:
        sell_from("IE")
        for one in (acme, globex):
            buy_from(one, "IE")
        finalized(acme, now=APRIL + timedelta(days=5))
        second = finalized(globex, now=APRIL)
        assert (second.issue_date, second.due_date) == (date(2026, 4, 6), date(2026, 4, 20))
