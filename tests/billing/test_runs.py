"""The run makes one invoice of each period, whoever works on it and whenever it dies."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from accounts.tenancy import system_access, tenant_scope
from billing import selectors, tasks
from billing.models import Invoice, InvoiceRun, InvoiceRunItem, InvoiceSequence
from billing.services import bill_next, count_runs, open_runs, running
from billing.services.drafting import Draft
from tests.billing.helpers import APRIL, buy_from, lines_of, move_to, sell_from
from tests.factories import Company, make_company
from tests.usage.helpers import at, periods, record
from usage.models import BillingPeriod
from usage.services import Actor, How, check_period, close_period, fold_deltas, unpark_period

D = Decimal
GRACE = timedelta(hours=24)
LATER = APRIL + GRACE


@pytest.fixture(autouse=True)
def seller(db: None) -> None:
    sell_from()


def close(company: Company, *, now: datetime = APRIL) -> None:
    """Close and check the company's March."""
    march = periods(company)[0]
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=now)
        check_period(tenant_id=company.tenant.pk, period_id=march.pk, now=now)


def used(company: Company, messages: int = 10_000) -> None:
    buy_from(company)
    record(company, quantity=D(messages))
    close(company)


def run(now: datetime = APRIL) -> list[str]:
    """Do all that is due at `now`; return what became of each item."""
    open_runs(now=now, grace=GRACE)
    states = []
    while done := bill_next(now=now):
        states.append(done.state)
    count_runs(now=now)
    return states


def invoices() -> list[Invoice]:
    with system_access("test"):
        return list(Invoice.unscoped.order_by("invoice_number", "created_at"))


def item() -> InvoiceRunItem:
    with system_access("test"):
        return InvoiceRunItem.unscoped.select_related("run").get()


class TestRun:
    def test_drafts_at_once_and_finalizes_after_the_grace(self, acme: Company) -> None:
        used(acme)
        assert run() == ["drafted"]
        assert [invoice.status for invoice in invoices()] == ["draft"]
        assert run(LATER - timedelta(seconds=1)) == []
        assert run(LATER) == ["finalized"]
        (invoice,) = invoices()
        assert (invoice.status, invoice.subtotal, invoice.allowance) == ("pending", D(75), D(50))
        assert run(LATER + timedelta(days=400)) == []

    def test_counts_its_items(self, acme: Company, globex: Company) -> None:
        used(acme)
        close(globex)
        run()
        with system_access("test"):
            found = InvoiceRun.objects.get()
        assert (found.period_end, found.periods, found.empty, found.finished_at) == (date(2026, 3, 31), 2, 1, None)
        run(LATER)
        found.refresh_from_db()
        assert (found.finalized, found.empty, found.parked, found.failed) == (1, 1, 0, 0)
        assert found.finished_at == LATER

    def test_a_period_with_nothing_to_bill_has_no_invoice(self, acme: Company) -> None:
        close(acme)
        assert run() == ["empty"]
        assert invoices() == []
        assert run(LATER) == []
        with system_access("test"):
            due = selectors.periods_to_draft(now=LATER)
        assert periods(acme)[0].pk not in {one.period_id for one in due}

    def test_leaves_a_period_alone_until_it_is_checked(self, acme: Company) -> None:
        buy_from(acme)
        record(acme)
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=APRIL)
        assert run() == []
        assert open_runs(now=APRIL, grace=GRACE) == 0

    def test_leaves_one_that_is_parked(self, acme: Company) -> None:
        buy_from(acme)
        record(acme)
        with system_access("test"), connection.cursor() as cursor:
            fold_deltas()
            cursor.execute("UPDATE usage_summaries SET total_quantity = 2, billed_quantity = 2")
        close(acme)
        assert run() == []
        with tenant_scope(acme.tenant.pk):
            unpark_period(
                tenant_id=acme.tenant.pk,
                period_id=periods(acme)[0].pk,
                how=How.REBUILD,
                actor=Actor(kind="operator", name="Olivia"),
                now=LATER,
            )
        assert run(LATER) == ["finalized"]
        assert [line.quantity for line in lines_of(invoices()[0])] == [1]

    def test_makes_a_draft_anew_that_is_older_than_the_check(self, acme: Company) -> None:
        used(acme)
        run()
        with system_access("test"):
            BillingPeriod.unscoped.filter(checked_at__isnull=False).update(checked_at=LATER)
        assert run(LATER) == ["finalized"]
        assert invoices()[0].drafted_at == LATER

    def test_a_repeat_takes_nothing_up_twice(self, acme: Company) -> None:
        used(acme)
        assert [open_runs(now=APRIL, grace=GRACE) for _ in range(3)] == [1, 0, 0]

    def test_bills_the_fee_of_the_next_period(self, acme: Company) -> None:
        move_to(acme, "professional")
        buy_from(acme)
        close(acme)
        run(LATER)
        run(LATER)
        (fee,) = lines_of(invoices()[0])
        assert (fee.amount, fee.service_start, fee.service_end) == (99, date(2026, 4, 1), date(2026, 4, 30))


class TestRefusals:
    def test_parks_what_lacks_a_party_and_goes_on_when_it_is_there(self, acme: Company, globex: Company) -> None:
        record(acme)
        close(acme)
        used(globex)
        run()
        assert sorted(run(LATER)) == ["finalized", "parked"]
        with system_access("test"):
            parked = InvoiceRunItem.unscoped.get(state="parked")
        assert "country" in parked.reason
        buy_from(acme)
        assert run(LATER + timedelta(minutes=59)) == []
        assert run(LATER + timedelta(hours=1)) == ["finalized"]
        assert [invoice.series_number for invoice in invoices()] == [1, 2]

    def test_one_that_fails_does_not_stop_the_others(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        used(acme)
        used(globex)
        draft = running.make_draft

        def broken_for_acme(period: BillingPeriod, *, now: datetime) -> Draft:
            if period.tenant_id == acme.tenant.pk:
                raise RuntimeError("Nobody thought of this.")
            return draft(period, now=now)

        monkeypatch.setattr(running, "make_draft", broken_for_acme)
        assert sorted(run()) == ["drafted", "failed"]
        with system_access("test"):
            failed = InvoiceRunItem.unscoped.get(state="failed")
        assert (failed.reason, failed.attempts) == ("RuntimeError: Nobody thought of this.", 1)
        assert failed.next_at == APRIL + timedelta(minutes=5)
        monkeypatch.undo()
        assert run(LATER) == ["finalized", "finalized"]


class TestTogether:
    def test_many_workers_bill_each_period_once_and_number_without_a_gap(self, committed_db: None) -> None:
        sell_from()
        companies = [make_company(f"C{number}", owner="O", agent="A", finance="F") for number in range(8)]
        for company in companies:
            used(company, messages=100)

        def work(_: int) -> list[str]:
            try:
                return run(LATER)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            states = sorted(state for states in pool.map(work, range(4)) for state in states)
        run(LATER)
        assert states.count("finalized") == 8
        assert [invoice.series_number for invoice in invoices()] == list(range(1, 9))
        assert len({invoice.tenant_id for invoice in invoices()}) == 8

    def test_what_dies_after_finalizing_leaves_nothing_and_is_done_anew(
        self, committed_db: None, acme: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sell_from()
        used(acme)
        run()

        class Killed(BaseException):
            pass

        def finalize_and_die(**keywords: object) -> None:
            finalize(**keywords)  # type: ignore[arg-type] # passed on
            raise Killed

        finalize = running.finalize_invoice
        monkeypatch.setattr(running, "finalize_invoice", finalize_and_die)
        with pytest.raises(Killed):
            run(LATER)
        assert [invoice.status for invoice in invoices()] == ["draft"]
        with system_access("test"):
            assert not InvoiceSequence.objects.exists()
        monkeypatch.undo()
        assert run(LATER) == ["finalized"]
        assert [invoice.series_number for invoice in invoices()] == [1]

    def test_survives_kill_9(self, committed_db: None) -> None:
        sell_from()
        companies = [make_company(f"K{number}", owner="O", agent="A", finance="F") for number in range(6)]
        for company in companies:
            used(company, messages=100)
        run()
        worker = subprocess.Popen([sys.executable, "-c", WORKER, LATER.isoformat()], env=os.environ)
        give_up_at = time.monotonic() + 60
        while not any(invoice.status != "draft" for invoice in invoices()) and time.monotonic() < give_up_at:
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        done = sum(invoice.status != "draft" for invoice in invoices())
        assert done >= 1
        give_up_at = time.monotonic() + 30
        while len([i for i in invoices() if i.status != "draft"]) < 6 and time.monotonic() < give_up_at:
            run(LATER)  # the killed one's locks go when the server notices
        assert [invoice.series_number for invoice in invoices()] == list(range(1, 7))


WORKER = """
import sys, django; django.setup()
from datetime import datetime
from billing.services import bill_next
while bill_next(now=datetime.fromisoformat(sys.argv[1])):
    pass
"""


class TestTask:
    def test_runs_with_the_grace_of_the_settings(
        self, acme: Company, monkeypatch: pytest.MonkeyPatch, settings: object
    ) -> None:
        settings.IRISX_INVOICE_GRACE_HOURS = 0  # type: ignore[attr-defined] # pytest-django's
        used(acme)
        monkeypatch.setattr(tasks.timezone, "now", lambda: APRIL)
        tasks.run_invoices()
        assert [invoice.status for invoice in invoices()] == ["pending"]
        assert item().run.finished_at == APRIL

    def test_calls_for_help_where_much_is_due(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[int] = []
        used(acme)
        monkeypatch.setattr(tasks.timezone, "now", lambda: at(2026, 4, 1, 3))
        monkeypatch.setattr(tasks, "ENOUGH_FOR_HELP", 1)
        monkeypatch.setattr(tasks.run_invoices, "delay", lambda helpers: calls.append(helpers))
        tasks.run_invoices()
        assert calls == [0, 0, 0]
