"""From the record to the invoice everything agrees, and one cent anywhere is found and named."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.tenancy import system_access, tenant_scope
from billing import tasks
from billing.models import Invoice, Reconciliation
from billing.services import bill_next, open_runs, rebuild, reconcile
from tests.billing.helpers import APRIL, buy_from, move_to, sell_from
from tests.factories import Company
from tests.usage.helpers import at, call, periods, record
from usage.models import PricingRate
from usage.services import Actor, How, check_period, close_period, fold_deltas, unpark_period

D = Decimal
LATER = APRIL + timedelta(days=2)


@pytest.fixture
def billed(acme: Company, globex: Company) -> Company:
    """Acme's and Globex's March is billed: a fee, calls, messages, tiers, credit, tax; and a late call in April."""
    sell_from()
    with system_access("test"):
        PricingRate.objects.create(
            tenant=acme.tenant,
            channel="email",
            resource_type="message",
            currency="USD",
            model="graduated",
            unit_price=0,
            tiers=[{"up_to": "10", "unit_price": "0.333"}, {"up_to": None, "unit_price": "0.1"}],
            effective_from=datetime(2026, 3, 1, tzinfo=UTC).date(),
        )
    move_to(acme, "professional")
    for company in (acme, globex):
        buy_from(company)
        for day in range(10, 20):
            call(company, 7 * day, occurred_at=at(2026, 3, day))
            record(company, channel="email", resource_type="message", quantity=D(day), occurred_at=at(2026, 3, day))
        record(company, quantity=D(9_999))
    with system_access("test"):
        fold_deltas()
    for company in (acme, globex):
        march = periods(company)[0]
        with tenant_scope(company.tenant.pk):
            close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
            assert check_period(tenant_id=company.tenant.pk, period_id=march.pk, now=APRIL)
    open_runs(now=APRIL, grace=timedelta(0))
    while bill_next(now=APRIL):
        pass
    call(acme, 61, occurred_at=at(2026, 3, 20))  # a delta that is not folded
    return acme


def report(**options: object) -> Reconciliation:
    return reconcile(now=LATER, **options)  # type: ignore[arg-type] # tenant or since


def checks(found: Reconciliation) -> list[str]:
    return [one["check"] for one in found.findings]


def sql(statement: str) -> None:
    """Change what nobody may change: triggers are off, as for somebody with the keys to the database."""
    with system_access("test"), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0, statement


class TestAgrees:
    def test_finds_nothing(self, billed: Company) -> None:
        found = report()
        assert found.findings == []
        assert (found.invoices, found.lines, found.is_clean) == (2, 6, True)

    def test_finds_nothing_folded_or_not(self, billed: Company) -> None:
        with system_access("test"):
            fold_deltas()
        assert report().findings == []

    def test_of_one_tenant_rates_its_own(self, billed: Company) -> None:
        assert report(tenant_id=billed.tenant.pk).invoices == 1

    def test_rates_no_invoice_of_an_older_period(self, billed: Company) -> None:
        assert report(since=APRIL + timedelta(days=1)).invoices == 0


class TestFinds:
    @pytest.mark.parametrize(
        ("statement", "check"),
        [
            ("UPDATE usage_summaries SET total_cost = total_cost + 0.01 WHERE channel = 'sms'", "records = sums"),
            ("UPDATE usage_summary_deltas SET record_count = 2", "records = sums"),
            ("DELETE FROM usage_summaries WHERE channel = 'email'", "records = sums"),
            (
                "UPDATE credit_balances SET reserved = reserved + 0.01 WHERE reserved + available + held > 0",
                "credit ledger = balance",
            ),
            ("UPDATE invoice_sequences SET last = last + 1", "numbers without a gap"),
        ],
    )
    def test_what_was_planted(self, billed: Company, statement: str, check: str) -> None:
        sql(statement)
        assert check in checks(report())

    def test_a_cent_on_a_line_of_a_draft(self, acme: Company) -> None:
        record(acme, quantity=D(500))
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=APRIL)
            check_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=APRIL)
        open_runs(now=APRIL, grace=timedelta(days=9))
        bill_next(now=APRIL)
        assert report().findings == []
        sql("UPDATE invoice_line_items SET amount = amount + 0.01")
        found = report()
        assert checks(found) == ["sums = lines", "lines = invoice (amount / allowance / tax)"]
        first = found.findings[0]
        assert (first["expected"], first["found"]) == ("500 for 3.75", "500 for 3.76")
        assert "sms/message of 2026-03-10 to 2026-03-31" in first["where"]
        assert first["tenant"] == str(acme.tenant.pk)

    def test_names_the_first_in_order(self, billed: Company) -> None:
        sql("UPDATE usage_summaries SET total_quantity = total_quantity + 1 WHERE channel = 'voice'")
        first = report().findings[0]
        assert first["check"] == "records = sums"
        assert "voice/minute on 2026-03-10" in first["where"]
        assert "quantity 70," in first["expected"]
        assert "quantity 71," in first["found"]

    def test_not_what_an_operator_accepted(self, acme: Company) -> None:
        record(acme)
        march = periods(acme)[0]
        with system_access("test"):
            fold_deltas()
        sql("UPDATE usage_summaries SET total_quantity = 2, billed_quantity = 2")
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=APRIL)
            check_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=APRIL)
            unpark_period(
                tenant_id=acme.tenant.pk,
                period_id=march.pk,
                how=How.ACCEPT,
                actor=Actor(kind="operator", name="Olivia"),
                now=APRIL,
            )
        assert report().findings == []
        assert rebuild() == 0
        sql("UPDATE usage_summaries SET total_quantity = 3")
        assert checks(report()) == ["records = sums"]


class TestRebuild:
    def test_makes_the_sums_those_of_the_records(self, billed: Company, globex: Company) -> None:
        sql("UPDATE usage_summaries SET total_cost = total_cost + 0.01, record_count = record_count + 1")
        assert rebuild(tenant_id=globex.tenant.pk) == 21
        assert {one["tenant"] for one in report().findings} == {str(billed.tenant.pk)}
        rebuild()
        assert report().findings == []
        assert rebuild() == 0


class TestCommand:
    def test_tells_what_it_did(self, billed: Company) -> None:
        out = StringIO()
        call_command("reconcile", stdout=out)
        assert out.getvalue().startswith("2 invoices with 6 usage lines rated anew, 0 sums rebuilt, 0 findings")

    def test_exits_with_the_first_difference(self, billed: Company) -> None:
        sql("UPDATE usage_summaries SET total_cost = total_cost + 0.01 WHERE channel = 'sms'")
        with pytest.raises(CommandError, match="records = sums: sms/message on 2026-03-10"):
            call_command("reconcile", "--tenant", billed.tenant.slug, stdout=StringIO())
        call_command("reconcile", "--rebuild", stdout=StringIO())

    def test_writes_json(self, billed: Company) -> None:
        out = StringIO()
        call_command("reconcile", "--json", "--since", "2026-04-01", stdout=out)
        assert json.loads(out.getvalue()) == []

    def test_refuses_a_tenant_there_is_not(self, db: None) -> None:
        with pytest.raises(CommandError, match="no tenant 'nobody'"):
            call_command("reconcile", "--tenant", "nobody")


class TestTask:
    def test_keeps_what_it_found_and_raises_the_alarm(self, billed: Company, caplog: pytest.LogCaptureFixture) -> None:
        tasks.reconcile()
        sql("UPDATE usage_summaries SET total_cost = total_cost + 0.01 WHERE channel = 'sms'")
        tasks.reconcile()
        with system_access("test"):
            clean, alarmed = Reconciliation.objects.order_by("id")
            assert Invoice.unscoped.count() == 2
        assert (clean.is_clean, len(alarmed.findings)) == (True, 2)
        assert "found 2 differences" in caplog.text
