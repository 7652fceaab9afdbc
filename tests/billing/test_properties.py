"""Whatever the order, the replays, the batches, the folding and the closing: the same invoice, right to the smallest coin."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from random import Random
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from billing.models import TaxRate
from billing.services import bill_next, draft_invoice, open_runs, reconcile
from common.money import EXPONENTS
from tests.billing.books import BY_THE_SUM, ZERO, check_totals, close_march, fold, invoices, price_by_the_sum, undone
from tests.billing.helpers import APRIL, buy_from, finalize, lines_of, move_to, sell_from
from tests.factories import NOW, Company, make_company
from tests.usage.credit_helpers import give
from tests.usage.helpers import at, call, periods, record, rows
from usage.ingest_reading import Window
from usage.models import PricingPlan, PricingRate, Subscription
from usage.services import check_period, close_period
from usage.services.ingesting import ingest

D = Decimal
WINDOW = Window.around(NOW, back_days=35, ahead_minutes=5)
# Each example is a company with its invoice: seconds, on a busy machine.
pytestmark = pytest.mark.timeout(300)
in_a_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=6)
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


def send(company: Company, events: list[Any]) -> None:
    with tenant_scope(company.tenant.pk):
        outcomes = ingest(tenant_id=company.tenant.pk, raw_events=events, window=WINDOW)
    assert {str(outcome.status) for outcome in outcomes} <= {"created", "duplicate"}


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
            give(company, "3", key="gift", source="promotional", currency=currency)
            give(company, "2", key="topup", currency=currency)
            billed(company)
            (invoice,) = invoices(company)
            assert invoice.currency == currency
            smallest = D(1).scaleb(-EXPONENTS[currency])
            assert invoice.subtotal % smallest == invoice.total_amount % smallest == 0
            assert invoice.allowance <= 3
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
