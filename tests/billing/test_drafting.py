"""A draft says what the period would be billed at, as often as it is asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.tenancy import system_access, tenant_scope
from billing import selectors, tasks
from billing.errors import NotADraft
from billing.models import Invoice, InvoiceLineItem
from billing.services import draft_invoice
from common.errors import NotFound
from tests.billing.helpers import buy_from, finalized, move_to, sell_from
from tests.factories import NOW, Company
from tests.usage.helpers import at, call, periods, record
from usage.selectors import period_usage
from usage.services import close_period, fold_deltas

D = Decimal


def draft(company: Company, period_id: UUID | None = None) -> Invoice:
    with tenant_scope(company.tenant.pk):
        return draft_invoice(tenant_id=company.tenant.pk, period_id=period_id or periods(company)[0].pk, now=NOW)


def lines_of(invoice: Invoice) -> list[InvoiceLineItem]:
    with tenant_scope(invoice.tenant_id):
        return list(InvoiceLineItem.objects.for_tenant(invoice.tenant_id).order_by("position"))


class TestDraft:
    def test_lists_each_meter_and_rate_with_quantity_price_and_amount(self, acme: Company) -> None:
        call(acme, 80)
        call(acme, 30, direction="inbound", destination="")
        record(acme, quantity=D(3))
        record(acme, channel="chat", resource_type="conversation")
        lines = [
            (line.description, line.detail, line.quantity, line.unit, line.unit_price, line.amount)
            for line in lines_of(draft(acme))
        ]
        assert lines == [
            ("Voice, inbound", "1 call, billed 60/60 s", D(1), "minute", D("0.015"), D("0.02")),
            ("Voice, outbound to +1", "1 call, billed 60/60 s", D(2), "minutes", D("0.015"), D("0.03")),
            ("SMS", "", D(3), "messages", D("0.0075"), D("0.02")),
            ("Chat conversations", "", D(1), "conversation", D(0), D(0)),
        ]

    def test_takes_included_credit_off(self, acme: Company) -> None:
        record(acme, quantity=D(1000))
        invoice = draft(acme)
        assert (invoice.subtotal, invoice.allowance, invoice.tax) == (D("7.50"), D("7.50"), 0)
        assert (invoice.total_amount, invoice.currency, invoice.status) == (0, "USD", "draft")

    def test_owes_what_credit_does_not_cover(self, acme: Company) -> None:
        record(acme, quantity=D(10_000))
        invoice = draft(acme)
        assert (invoice.subtotal, invoice.allowance, invoice.total_amount) == (D(75), D(50), D(25))

    def test_bills_the_plan_s_fee_for_the_next_period(self, acme: Company) -> None:
        move_to(acme, "professional")
        invoice = draft(acme)
        (fee,) = lines_of(invoice)
        assert (fee.kind, fee.description, fee.amount) == ("fee", "Professional plan, monthly fee", D(99))
        assert (fee.service_start, fee.service_end) == (date(2026, 4, 1), date(2026, 4, 30))
        assert invoice.total_amount == 99

    def test_credit_never_pays_the_fee(self, acme: Company) -> None:
        move_to(acme, "professional")
        record(acme, quantity=D(100))
        invoice = draft(acme)
        assert (invoice.subtotal, invoice.allowance, invoice.total_amount) == (D("99.70"), D("0.70"), D(99))

    def test_is_the_same_as_the_current_period(self, acme: Company) -> None:
        call(acme, 61)
        record(acme, quantity=D(7))
        period = periods(acme)[0]
        for _ in range(2):
            with tenant_scope(acme.tenant.pk):
                usage = period_usage(tenant_id=acme.tenant.pk, period=period, now=NOW)
            invoice = draft(acme)
            assert [line.amount for line in lines_of(invoice)] == [line.amount for line in usage.lines]
            assert (invoice.subtotal, invoice.allowance) == (usage.total_cost, usage.covered)
            with system_access("test"):
                fold_deltas()

    def test_keeps_the_usage_by_day_for_the_appendix(self, acme: Company) -> None:
        call(acme, 61)
        call(acme, 61, occurred_at=at(2026, 3, 11))
        rows = [(row["day"], row["billed_quantity"], row["events"]) for row in draft(acme).usage_days]
        assert rows == [("2026-03-10", "120", 1), ("2026-03-11", "120", 1)]


class TestAgain:
    def test_makes_the_lines_anew_and_stays_one_invoice(self, acme: Company) -> None:
        record(acme)
        first = draft(acme)
        record(acme, quantity=D(4))
        again = draft(acme)
        assert again.pk == first.pk
        assert [(line.quantity, line.amount) for line in lines_of(again)] == [(D(5), D("0.04"))]

    def test_many_at_once_make_one(self, committed_db: None, acme: Company) -> None:
        record(acme, quantity=D(4))
        with ThreadPoolExecutor(6) as pool:
            drafted = set(pool.map(lambda _: _draft_and_close(acme), range(12)))
        assert len(drafted) == 1
        with tenant_scope(acme.tenant.pk):
            assert Invoice.objects.for_tenant(acme.tenant).count() == 1
            assert InvoiceLineItem.objects.for_tenant(acme.tenant).count() == 1

    def test_refuses_an_invoice_that_is_finalized(self, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        invoice = finalized(acme)
        with pytest.raises(NotADraft):
            draft(acme)
        assert [line.amount for line in lines_of(invoice)] == [75]

    def test_refuses_a_foreign_period(self, acme: Company, globex: Company) -> None:
        with pytest.raises(NotFound):
            draft(globex, periods(acme)[0].pk)
        with system_access("test"):
            assert not Invoice.unscoped.exists()


class TestInvariants:
    @pytest.mark.parametrize(
        "change",
        [
            {"total_amount": D("0.01")},
            {"allowance": D(1), "total_amount": D(-1)},
            {"invoice_number": "2026-1"},
            {"status": "pending"},
            {"amount_paid": D(-1)},
        ],
        ids=lambda change: "-".join(change),
    )
    def test_the_database_refuses_what_cannot_be(self, acme: Company, change: dict[str, Any]) -> None:
        invoice = draft(acme)
        with pytest.raises(IntegrityError), system_access("test"), transaction.atomic():
            Invoice.unscoped.filter(pk=invoice.pk).update(**change)


class TestTask:
    def test_drafts_every_open_period_and_a_closed_one_once_more(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = at(2026, 4, 2)
        monkeypatch.setattr(tasks.timezone, "now", lambda: later)
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=at(2026, 4, 1, 2))
        tasks.draft_open_periods()
        with system_access("test"):
            drafted = sorted(Invoice.unscoped.values_list("tenant__name", "period_start"))
            assert drafted == [("Acme", date(2026, 3, 10)), ("Acme", date(2026, 4, 1)), ("Globex", date(2026, 3, 10))]
            left = selectors.periods_to_draft(now=later)
        assert march.pk not in {one.period_id for one in left}

    @pytest.mark.parametrize("failure", [NotADraft("It was finalized meanwhile."), IntegrityError("a bug")])
    def test_one_failure_does_not_stop_the_others(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        refused = periods(acme)[0].pk

        def draft_or_refuse(*, tenant_id: UUID, period_id: UUID, now: datetime) -> Invoice:
            if period_id == refused:
                raise failure
            return draft_invoice(tenant_id=tenant_id, period_id=period_id, now=now)

        monkeypatch.setattr(tasks.services, "draft_invoice", draft_or_refuse)
        monkeypatch.setattr(tasks.timezone, "now", lambda: NOW)
        tasks.draft_open_periods()
        with system_access("test"):
            assert Invoice.unscoped.get().tenant_id == globex.tenant.pk


def _draft_and_close(company: Company) -> UUID:
    try:
        return draft(company).pk
    finally:
        connection.close()
