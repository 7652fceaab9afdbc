"""What was closed is held against its records; what differs is parked and goes on only when somebody has looked."""

from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AuditEntry
from accounts.tenancy import system_access, tenant_scope
from common.errors import WrongState
from tests.factories import Company
from tests.usage.helpers import at, call, periods, record, rows
from usage import sums, tasks
from usage.models import BillingPeriod
from usage.selectors.agreement import differences
from usage.services import Actor, How, check_period, close_period, fold_deltas, rebuild_sums, unpark_period

D = Decimal
OLIVIA = Actor(kind="operator", name="Olivia")
AFTER = at(2026, 4, 1, 2)


def closed(company: Company) -> BillingPeriod:
    march = periods(company)[0]
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=march.pk, now=AFTER)
    return periods(company)[0]


def check(company: Company) -> bool:
    with tenant_scope(company.tenant.pk):
        return check_period(tenant_id=company.tenant.pk, period_id=periods(company)[0].pk, now=AFTER)


def unpark(company: Company, how: How) -> BillingPeriod:
    with tenant_scope(company.tenant.pk):
        return unpark_period(
            tenant_id=company.tenant.pk, period_id=periods(company)[0].pk, how=how, actor=OLIVIA, now=AFTER
        )


def falsify(company: Company, change: str = "total_cost = total_cost + 0.01") -> None:
    """Change what was summed, as only somebody with SQL can."""
    with system_access("test"), connection.cursor() as cursor:
        fold_deltas()
        cursor.execute(f"UPDATE usage_summaries SET {change} WHERE tenant_id = %s", [company.tenant.pk])
        assert cursor.rowcount


@pytest.fixture
def used(acme: Company) -> Company:
    call(acme, 61)
    record(acme, quantity=D(3))
    return acme


class TestCheck:
    @pytest.mark.parametrize("is_folded", [True, False])
    def test_marks_what_agrees(self, used: Company, is_folded: bool) -> None:
        if is_folded:
            with system_access("test"):
                fold_deltas()
        closed(used)
        assert check(used)
        assert (periods(used)[0].state, periods(used)[0].checked_at) == ("closed", AFTER)

    def test_an_open_period_is_not_checked(self, used: Company) -> None:
        assert not check(used)
        assert periods(used)[0].checked_at is None

    def test_an_empty_one_agrees(self, acme: Company) -> None:
        closed(acme)
        assert check(acme)

    @pytest.mark.parametrize(
        "change",
        [
            "total_cost = total_cost + 0.000000000001",
            "total_quantity = total_quantity + 1",
            "record_count = record_count - 1",
            "summary_date = summary_date + 1",
        ],
    )
    def test_parks_what_differs_with_the_figures(self, used: Company, change: str) -> None:
        falsify(used, change)
        closed(used)
        assert not check(used)
        parked = periods(used)[0]
        assert (parked.state, parked.checked_at) == ("parked", None)
        assert parked.parked_reason.startswith("Sums differ from records in ")
        assert parked.parked_figures[0]["records"] != parked.parked_figures[0]["sums"]

    def test_names_day_meter_and_both_figures(self, acme: Company) -> None:
        record(acme, quantity=D(3))
        falsify(acme, "total_quantity = 4")
        closed(acme)
        check(acme)
        (figures,) = periods(acme)[0].parked_figures
        assert figures.pop("rate")
        assert figures == {
            "day": "2026-03-10",
            "channel": "sms",
            "resource_type": "message",
            "records": {"quantity": "3", "billed_quantity": "3", "cost": "0.0225", "events": "1"},
            "sums": {"quantity": "4", "billed_quantity": "3", "cost": "0.0225", "events": "1"},
        }

    def test_late_usage_goes_to_the_next_period_whatever_the_state(self, used: Company) -> None:
        falsify(used)
        closed(used)
        check(used)
        record(used, occurred_at=at(2026, 3, 20))
        of_each = "SELECT count(*) FROM usage_records GROUP BY billing_period_id ORDER BY min(created_at)"
        assert rows(used, of_each) == [(2,), (1,)]

    def test_another_tenant_s_sums_are_its_own(self, used: Company, globex: Company) -> None:
        record(globex)
        falsify(globex)
        closed(used)
        assert check(used)

    def test_the_task_closes_and_checks(
        self, used: Company, globex: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        record(globex)
        falsify(globex)
        # A day into April: the trial, which ended meanwhile, had its last grace.
        monkeypatch.setattr(tasks.timezone, "now", lambda: at(2026, 4, 3))
        tasks.roll_periods()
        assert periods(used)[0].state == "closed"
        assert periods(used)[0].checked_at is not None
        assert periods(globex)[0].state == "parked"
        assert "is parked" in caplog.text


class TestUnpark:
    def test_rebuilds_the_sums_from_the_records(self, used: Company) -> None:
        falsify(used)
        closed(used)
        check(used)
        assert unpark(used, How.REBUILD).state == "closed"
        with tenant_scope(used.tenant.pk):
            assert differences(tenant_id=used.tenant.pk) == []
        period = periods(used)[0]
        assert (period.checked_at, period.parked_reason, period.parked_figures) == (AFTER, "", [])

    def test_accepts_the_sums_as_they_are(self, used: Company) -> None:
        falsify(used)
        closed(used)
        check(used)
        assert unpark(used, How.ACCEPT).checked_at == AFTER
        with tenant_scope(used.tenant.pk):
            assert len(differences(tenant_id=used.tenant.pk)) == 2

    @pytest.mark.parametrize("how", How)
    def test_is_audited(self, used: Company, how: How) -> None:
        falsify(used)
        closed(used)
        check(used)
        unpark(used, how)
        with tenant_scope(used.tenant.pk):
            entry = AuditEntry.objects.for_tenant(used.tenant).get(action="billing_period.unpark")
        assert (entry.actor_kind, entry.actor_name, entry.changes["how"]) == ("operator", "Olivia", how)
        assert entry.changes["corrected"] == (2 if how is How.REBUILD else 0)
        assert len(entry.changes["figures"]) == 2

    def test_refuses_what_is_not_parked(self, used: Company) -> None:
        closed(used)
        with pytest.raises(WrongState):
            unpark(used, How.ACCEPT)

    @pytest.mark.parametrize("way", ["rebuild", "accept"])
    def test_the_command_does_it(self, used: Company, way: str) -> None:
        falsify(used)
        closed(used)
        check(used)
        out = StringIO()
        call_command("unpark", used.tenant.slug, "2026-03-10", f"--{way}", stdout=out)
        assert "no longer parked" in out.getvalue()
        assert periods(used)[0].state == "closed"

    @pytest.mark.parametrize("words", [("nobody", "2026-03-10"), ("{slug}", "2026-03-11"), ("{slug}", "2026-03-10")])
    def test_the_command_says_what_was_wrong(self, used: Company, words: tuple[str, str]) -> None:
        with pytest.raises(CommandError):
            call_command("unpark", words[0].format(slug=used.tenant.slug), words[1], "--accept")


class TestRebuild:
    def test_makes_an_open_period_s_sums_those_of_its_records(self, used: Company) -> None:
        falsify(used)
        with tenant_scope(used.tenant.pk):
            assert rebuild_sums(tenant_id=used.tenant.pk) == 2
            assert rebuild_sums(tenant_id=used.tenant.pk) == 0
            assert differences(tenant_id=used.tenant.pk) == []

    def test_leaves_another_tenant_s_alone(self, used: Company, globex: Company) -> None:
        record(globex)
        falsify(globex)
        with tenant_scope(used.tenant.pk):
            assert rebuild_sums(tenant_id=used.tenant.pk) == 0
        with system_access("test"):
            assert [found.tenant_id for found in differences()] == [globex.tenant.pk]

    def test_a_sum_of_nothing_goes_away(self, acme: Company) -> None:
        record(acme)
        falsify(acme, "summary_date = date '2026-03-12'")
        with tenant_scope(acme.tenant.pk):
            rebuild_sums(tenant_id=acme.tenant.pk)
            assert [row.day for row in _days(acme)] == [date(2026, 3, 10)]


def _days(company: Company) -> list[Any]:
    return sums.by_day(tenant_id=company.tenant.pk, first=date(2026, 3, 1), last=date(2026, 3, 31))
