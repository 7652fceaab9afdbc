"""A planted error is found, wherever it is; credit is never spent twice, whatever happens in whatever order."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tenancy import system_access, tenant_scope
from billing.models import Invoice
from billing.services import bill_next, draft_invoice, finalize_invoice, issue_credit_note, open_runs, reconcile
from billing.services.crediting import Credited
from common.errors import DomainError
from tests.billing.books import ZERO, check_totals, close_march, fold, invoices, price_by_the_sum, undone
from tests.billing.helpers import APRIL, buy_from, drafted, move_to, sell_from, stored
from tests.factories import Company
from tests.usage.credit_helpers import balance, give
from tests.usage.helpers import at, call, periods, record, rows
from usage.models import BillingPeriod, CreditEntry
from usage.services import check_period, close_period

D = Decimal
# Each example is a company with its invoice: seconds, on a busy machine.
pytestmark = pytest.mark.timeout(300)
in_a_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=6)


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
