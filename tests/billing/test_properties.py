"""Whatever the order, the replays, the batches, the folding and the closing: the same invoice, right to the smallest coin."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice, TaxRate
from billing.services import bill_next, draft_invoice, finalize_invoice, issue_credit_note, open_runs, reconcile
from billing.services.crediting import Credited
from common.errors import DomainError
from common.money import EXPONENTS, round_money
from tests.billing.helpers import APRIL, buy_from, drafted, finalize, lines_of, move_to, sell_from, stored
from tests.factories import NOW, Company, make_company
from tests.usage.credit_helpers import balance, give
from tests.usage.helpers import at, call, periods, record, rows
from usage.ingest_reading import Window
from usage.models import BillingPeriod, CreditEntry, PricingPlan, PricingRate, Subscription
from usage.services import check_period, close_period, fold_deltas
from usage.services.ingesting import ingest

D = Decimal
ZERO = D(0)
WINDOW = Window.around(NOW, back_days=35, ahead_minutes=5)
in_a_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
# What only the period's sum has a price for, beside the plan's flat SMS and its calls by the minute.
BY_THE_SUM: dict[str, dict[str, Any]] = {
    "email/message": {
        "model": "graduated",
        "tiers": [{"up_to": "100", "unit_price": "0.333"}, {"up_to": None, "unit_price": "0.0157"}],
    },
    "whatsapp/message": {
        "model": "volume",
        "tiers": [{"up_to": "50", "unit_price": "0.05"}, {"up_to": None, "unit_price": "0.0101", "flat_amount": "1"}],
    },
    "social/message": {"model": "package", "unit_price": "1.995", "package_size": 30},
    "sms/mms": {"unit_price": "0.0155", "included_quantity": 20, "minimum_amount": "2.505"},
}
EVENTS = st.lists(
    st.builds(
        lambda meter, day, quantity: {
            **meter,
            "quantity": str(quantity),
            "occurred_at": f"2026-03-{day:02d}T09:30:00Z",
        },
        st.sampled_from(
            [
                {"channel": "sms", "resource_type": "message"},
                {"channel": "voice", "resource_type": "minute", "direction": "inbound"},
                {"channel": "voice", "resource_type": "minute", "direction": "outbound", "destination": "+12125550100"},
                *({"channel": key.split("/")[0], "resource_type": key.split("/")[1]} for key in BY_THE_SUM),
            ]
        ),
        st.integers(1, 9),
        st.one_of(st.integers(1, 400).map(D), st.decimals("0.001", "400", places=3)),
    ),
    min_size=1,
    max_size=14,
)


@contextmanager
def undone() -> Iterator[None]:
    """Let every example begin with the same books."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def price_by_the_sum(company: Company, currency: str = "USD") -> None:
    with system_access("test"):
        for meter, columns in BY_THE_SUM.items():
            channel, resource_type = meter.split("/")
            PricingRate.objects.create(
                tenant=company.tenant,
                channel=channel,
                resource_type=resource_type,
                currency=currency,
                effective_from=date(2026, 1, 1),
                **{"unit_price": 0, **columns},
            )


def send(company: Company, events: list[Any]) -> None:
    with tenant_scope(company.tenant.pk):
        outcomes = ingest(tenant_id=company.tenant.pk, raw_events=events, window=WINDOW)
    assert {str(outcome.status) for outcome in outcomes} <= {"created", "duplicate"}


def fold(limit: int = 5_000) -> None:
    with system_access("test"):
        fold_deltas(limit=limit)


def close_march(company: Company) -> BillingPeriod:
    march = periods(company)[0]
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
        assert check_period(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
    return march


def billed(company: Company) -> tuple[Any, ...]:
    """Close the company's March, finalize its invoice, and return all it says, without ids."""
    march = close_march(company)
    with tenant_scope(company.tenant.pk):
        draft = draft_invoice(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
    invoice = finalize(draft) if lines_of(draft) else draft
    check_totals(invoice)
    names = (
        "position",
        "description",
        "detail",
        "quantity",
        "amount",
        "allowance",
        "tax",
        "service_start",
        "service_end",
    )
    lines = [tuple(getattr(line, name) for name in names) for line in lines_of(invoice)]
    totals = [
        getattr(invoice, name) for name in ("subtotal", "allowance", "tax", "total_amount", "amount_paid", "status")
    ]
    days = sorted(
        (day["day"], day["channel"], day["resource_type"], day["billed_quantity"]) for day in invoice.usage_days
    )
    return lines, totals, invoice.tax_groups, days


def check_totals(invoice: Invoice) -> None:
    """Hold an invoice's sums to each other, and each amount to its currency's smallest coin."""
    lines = lines_of(invoice)
    sums = [sum((getattr(line, name) for line in lines), ZERO) for name in ("amount", "allowance", "tax")]
    assert sums == [invoice.subtotal, invoice.allowance, invoice.tax]
    assert invoice.total_amount == invoice.subtotal - invoice.allowance + invoice.tax
    amounts = [getattr(line, name) for line in lines for name in ("amount", "allowance", "tax")]
    for amount in [*amounts, invoice.total_amount, invoice.amount_paid]:
        assert amount == round_money(amount, invoice.currency)
    for line in lines:
        assert 0 <= line.allowance <= max(line.amount, ZERO)
    groups = [[D(group[name]) for group in invoice.tax_groups] for name in ("amount", "allowance", "base", "tax")]
    if invoice.tax_groups:
        assert [sum(column, ZERO) for column in groups] == [*sums[:2], sums[0] - sums[1], sums[2]]
        for base, tax, group in zip(groups[2], groups[3], invoice.tax_groups, strict=True):
            assert tax == round_money(base * D(group["rate"]) / 100, invoice.currency)


class TestTheSameInvoice:
    @in_a_fixture
    @given(
        EVENTS, st.randoms(use_true_random=False), st.lists(st.integers(1, 6), min_size=1, max_size=4), st.booleans()
    )
    def test_in_any_order_replayed_and_split_as_one_likes(
        self, acme: Company, events: list[dict[str, Any]], random: Random, sizes: list[int], on_a_plan: bool
    ) -> None:
        keyed = [{**event, "idempotency_key": f"e{number}"} for number, event in enumerate(events)]
        sell_from()
        if on_a_plan:
            move_to(acme, "professional")
        buy_from(acme)
        with undone():
            price_by_the_sum(acme)
            send(acme, keyed)
            expected = billed(acme)
        with undone():
            price_by_the_sum(acme)
            shuffled = keyed + random.choices(keyed, k=len(keyed))
            random.shuffle(shuffled)
            at_event = turn = 0
            while at_event < len(shuffled):
                size = sizes[turn % len(sizes)]
                send(acme, shuffled[at_event : at_event + size])
                at_event, turn = at_event + size, turn + 1
                if random.random() < 0.4:
                    fold(limit=random.randint(1, 5))
                if random.random() < 0.2:  # a draft that somebody looked at
                    with tenant_scope(acme.tenant.pk):
                        draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=NOW)
            lines, totals, groups, days = billed(acme)
            assert (lines, totals, groups, days) == expected
            send(acme, keyed)  # as one whose answer was lost does, after the invoice
            assert reconcile(now=APRIL).findings == []

    @in_a_fixture
    @given(
        events=EVENTS,
        currency=st.sampled_from(["JPY", "USD", "KWD"]),
        rate=st.sampled_from(["23", "19", "7.7", "0"]),
    )
    def test_adds_up_in_currencies_without_with_two_and_with_three_decimals(
        self, db: None, events: list[dict[str, Any]], currency: str, rate: str
    ) -> None:
        with undone():
            company = company_in(currency)
            price_by_the_sum(company, currency)
            tax_at(rate)
            send(company, [{**event, "idempotency_key": f"e{number}"} for number, event in enumerate(events)])
            give(company, "3.5", key="gift", source="promotional", currency=currency)
            give(company, "2", key="topup", currency=currency)
            billed(company)
            (invoice,) = invoices(company)
            assert invoice.currency == currency
            smallest = D(1).scaleb(-EXPONENTS[currency])
            assert invoice.subtotal % smallest == invoice.total_amount % smallest == 0
            assert invoice.allowance <= D("3.5") + smallest
            assert invoice.amount_paid <= 2
            assert reconcile(now=APRIL).findings == []


def company_in(currency: str) -> Company:
    """Make a company on a plan in this currency, from the start; its trial gave nothing."""
    sell_from()
    with system_access("test"):
        PricingPlan.objects.filter(slug="free_trial").update(included_credit=0)
        plan = PricingPlan.objects.create(
            slug=f"in-{currency.lower()}", name=f"In {currency}", currency=currency, monthly_fee=D("37")
        )
        for rate in PricingRate.objects.filter(plan__slug="starter").values():
            PricingRate.objects.create(**rate | {"id": uuid4(), "plan_id": plan.pk, "currency": currency})
    company = make_company("Any", owner="O", agent="A", finance="F")
    move_to(company, plan.slug)
    buy_from(company)
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(currency=currency)
        Subscription.unscoped.filter(tenant=company.tenant).update(currency=currency)
    return company


def tax_at(rate: str) -> None:
    TaxRate.objects.filter(country="IE").update(rate=D(rate), category="S" if D(rate) else "Z")


def invoices(company: Company) -> list[Invoice]:
    with tenant_scope(company.tenant.pk):
        return list(Invoice.objects.for_tenant(company.tenant).order_by("period_start"))


class TestRacingTheClose:
    def test_each_event_is_billed_on_exactly_one_invoice(self, committed_db: None, acme: Company) -> None:
        """Eight writers are at it when March closes; what comes too late is April's, a line for each day."""
        sell_from()
        buy_from(acme)
        march, writers, each = periods(acme)[0], 8, 30
        start = Barrier(writers + 2)

        def write(number: int) -> None:
            start.wait(10)
            for turn in range(each):
                moment = at(2026, 3, 20 + turn % 12, 10)
                if turn % 3:
                    record(acme, occurred_at=moment, dedup_key=f"{number}:{turn}", quantity=D(turn + 1))
                else:
                    call(acme, 61, occurred_at=moment, dedup_key=f"{number}:{turn}")
                if turn % 7 == 0:  # a lost answer
                    call(acme, 61, occurred_at=at(2026, 3, 20, 10), dedup_key=f"{number}:0")
            connection.close()

        def close(_: int) -> None:
            start.wait(10)
            with tenant_scope(acme.tenant.pk):
                close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=APRIL)
            connection.close()

        def fold_often(_: int) -> None:
            start.wait(10)
            for _ in range(20):
                fold(limit=7)
            connection.close()

        with ThreadPoolExecutor(writers + 2) as pool:
            jobs = [pool.submit(write, number) for number in range(writers)]
            jobs += [pool.submit(close, 0), pool.submit(fold_often, 0)]
            for job in jobs:
                job.result(timeout=90)
        april, may = periods(acme)[1], at(2026, 5, 1, 2)
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=april.pk, now=may)
            for period in (march, april):
                assert check_period(tenant_id=acme.tenant.pk, period_id=period.pk, now=may)
        open_runs(now=may, grace=timedelta(0))
        while bill_next(now=may):
            pass
        lines = [line for invoice in invoices(acme) for line in lines_of(invoice)]
        quantities = {
            channel: sum((one.quantity for one in lines if one.channel == channel), ZERO)
            for channel in ("sms", "voice")
        }
        assert quantities["voice"] == 2 * writers * each // 3
        assert quantities["sms"] == writers * sum(turn + 1 for turn in range(each) if turn % 3)
        assert rows(acme, "SELECT count(*) FROM usage_records") == [(writers * each,)]
        for invoice in invoices(acme):
            check_totals(invoice)
        assert reconcile(now=may).findings == []


class TestOneCent:
    """A planted error is found wherever it is: one smallest step in one column of one row."""

    @pytest.fixture
    def billed_month(self, acme: Company, globex: Company) -> Company:
        sell_from()
        for company in (acme, globex):
            move_to(company, "professional")
            buy_from(company)
            price_by_the_sum(company)
            give(company, "20", key="topup")
            for day in range(10, 16):
                call(company, 11 * day, occurred_at=at(2026, 3, day))
                record(company, occurred_at=at(2026, 3, day), quantity=D(700 + day))
                record(company, occurred_at=at(2026, 3, day), channel="email", quantity=D(40 + day))
            fold(limit=20)
            record(company, occurred_at=at(2026, 3, 20))
            close_march(company)
        open_runs(now=APRIL, grace=timedelta(days=9))
        bill_next(now=APRIL)
        open_runs(now=APRIL, grace=timedelta(0))
        bill_next(now=APRIL)
        assert reconcile(now=APRIL).findings == []
        return acme

    COLUMNS = (
        ("usage_summaries", "total_quantity", "0.000001"),
        ("usage_summaries", "billed_quantity", "0.000001"),
        ("usage_summaries", "total_cost", "0.000000000001"),
        ("usage_summaries", "record_count", "1"),
        ("usage_summary_deltas", "total_quantity", "0.000001"),
        ("usage_summary_deltas", "total_cost", "-0.01"),
        ("invoice_line_items", "amount", "0.01"),
        ("invoice_line_items", "allowance", "0.01"),
        ("invoice_line_items", "tax", "-0.01"),
        ("invoice_line_items", "quantity", "0.000001"),
        ("credit_balances", "reserved", "0.01"),
    )

    @in_a_fixture
    @given(place=st.sampled_from(COLUMNS), chance=st.integers(0, 10**6))
    def test_is_found(self, billed_month: Company, place: tuple[str, str, str], chance: int) -> None:
        table, column, step = place
        with undone():
            with system_access("test"), connection.cursor() as cursor:
                cursor.execute(f"SELECT id, tenant_id FROM {table} {OF_USAGE.get(table, '')} ORDER BY id")
                found = cursor.fetchall()
                row_id, tenant_id = found[chance % len(found)]
                cursor.execute(f"UPDATE {table} SET {column} = {column} + {step} WHERE id = %s", [row_id])
                assert cursor.rowcount == 1
            findings = reconcile(now=APRIL).findings
            assert findings
            assert {one["tenant"] for one in findings} == {str(tenant_id)}


OF_USAGE = {"invoice_line_items": "WHERE kind = 'usage'"}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["use", "grant", "promote", "bill", "credit"]),
        st.integers(1, 9_000),
    ),
    min_size=3,
    max_size=10,
)


class TestCreditIsNeverOverspent:
    @in_a_fixture
    @given(steps=STEPS)
    def test_by_months_of_invoices_and_credit_notes(self, acme: Company, steps: list[tuple[str, int]]) -> None:
        sell_from()
        buy_from(acme)
        with undone():
            for number, (step, size) in enumerate(steps):
                self._play(acme, number, step, size)
                self._check(acme)
            assert reconcile(now=at(2027, 3, 1)).findings == []

    def _play(self, company: Company, number: int, step: str, size: int) -> None:
        running = next(period for period in periods(company) if period.state == "open")
        match step:
            case "use":
                record(company, quantity=D(size), occurred_at=running.starts_at + timedelta(hours=5))
            case "grant":
                give(company, f"{size}.01", key=f"topup:{number}", starts_at=running.starts_at)
            case "promote":
                ends_at = running.ends_at + timedelta(days=size % 40 - 10)
                give(company, f"{size % 90}.5", key=f"gift:{number}", source="promotional", starts_at=running.starts_at,
                     expires_at=ends_at)  # fmt: skip
            case "bill":
                self._bill(company, running)
            case "credit":
                self._credit(company, number, size)

    def _bill(self, company: Company, period: BillingPeriod) -> None:
        now = period.ends_at + timedelta(hours=2)
        with tenant_scope(company.tenant.pk):
            close_period(tenant_id=company.tenant.pk, period_id=period.pk, now=now)
            assert check_period(tenant_id=company.tenant.pk, period_id=period.pk, now=now)
        open_runs(now=now, grace=timedelta(0))
        while bill_next(now=now):
            pass
        for invoice in invoices(company):
            check_totals(invoice)

    def _credit(self, company: Company, number: int, size: int) -> None:
        """Take back a part of a line, or all of an invoice; a refusal is an answer too."""
        final = [invoice for invoice in invoices(company) if not invoice.is_draft]
        if not final:
            return
        lines = None if size % 3 == 0 else [Credited(position=1, amount=D(size) / 100)]
        with tenant_scope(company.tenant.pk), suppress(DomainError):
            issue_credit_note(
                tenant_id=company.tenant.pk,
                invoice_id=final[size % len(final)].pk,
                key=f"note:{number}",
                lines=lines,
                reason="Agreed",
                now=at(2027, 1, 1),
            )

    def _check(self, company: Company) -> None:
        assert min(balance(company)) >= 0
        query = """
            SELECT count(*) FROM credit_entries g WHERE kind = 'grant' AND amount + (
                SELECT coalesce(sum(amount), 0) FROM credit_entries t WHERE t.grant_id = g.id
            ) < 0
        """
        assert rows(company, query) == [(0,)]
        spent = sum((invoice.allowance for invoice in invoices(company) if not invoice.is_draft), ZERO)
        with tenant_scope(company.tenant.pk):
            grants = CreditEntry.objects.for_tenant(company.tenant).filter(kind="grant")
            given_away = sum((one.amount for one in grants.exclude(source="prepaid")), ZERO)
        assert spent <= given_away

    def test_by_invoices_finalized_at_once(self, committed_db: None, acme: Company) -> None:
        """One balance, five invoices, twenty workers: what there is is used once, to the cent."""
        sell_from()
        buy_from(acme)
        give(acme, "500")
        drafts = [drafted(acme, messages=40_000)]
        for month in range(4, 8):
            record(acme, quantity=D(40_000), occurred_at=at(2026, month, 10))
            period, now = periods(acme)[-1], at(2026, month + 1, 1, 2)
            with tenant_scope(acme.tenant.pk):
                close_period(tenant_id=acme.tenant.pk, period_id=period.pk, now=now)
                drafts.append(draft_invoice(tenant_id=acme.tenant.pk, period_id=period.pk, now=now))

        def run(draft: Invoice) -> None:
            try:
                with tenant_scope(acme.tenant.pk):
                    finalize_invoice(tenant_id=acme.tenant.pk, invoice_id=draft.pk, now=at(2026, 8, 1, 3))
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(run, drafts * 4))
        done = [stored(draft) for draft in drafts]
        assert sorted(invoice.series_number for invoice in done if invoice.series_number) == [1, 2, 3, 4, 5]
        assert sum((invoice.amount_paid for invoice in done), ZERO) == 500
        assert sum((invoice.allowance for invoice in done), ZERO) == 50
        assert balance(acme) == (0, 0, 0)
