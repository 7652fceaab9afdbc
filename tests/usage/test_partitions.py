"""Months of the ledger are healed when one was not there in time; keys are forgotten when nobody may ask any more."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.tenancy import system_access, tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import at, counts, record, rows
from usage import tasks
from usage.services import forget_keys, make_partitions
from usage.services.partitions import Healed, heal_partitions, partition_names, strays
from usage.windows import keys_kept_since

HOMES = "SELECT tableoid::regclass::text, occurred_at FROM usage_records ORDER BY occurred_at"


def run(action: str) -> str:
    said = StringIO()
    call_command("partitions", action, stdout=said)
    return said.getvalue()


class TestHeal:
    def test_moves_strays_into_months_of_their_own(self, acme: Company, globex: Company) -> None:
        record(acme, occurred_at=at(2026, 3, 31, 23, 59, 59))
        record(globex, occurred_at=at(2026, 4, 1, 0))
        record(acme, occurred_at=at(2026, 4, 2))
        before = rows(acme, "SELECT to_jsonb(r) FROM usage_records r ORDER BY id")
        with system_access("test"):
            assert strays() == [("2026_03", 1), ("2026_04", 2)]
            assert heal_partitions() == [Healed("usage_records_2026_03", 1), Healed("usage_records_2026_04", 2)]
            assert strays() == []
            assert heal_partitions() == []
        assert rows(acme, "SELECT to_jsonb(r) FROM usage_records r ORDER BY id") == before
        assert [home for home, _ in rows(acme, HOMES)] == ["usage_records_2026_03", "usage_records_2026_04"]

    def test_what_comes_later_goes_into_the_month(self, acme: Company) -> None:
        record(acme)
        with system_access("test"):
            heal_partitions()
        record(acme)
        assert {home for home, _ in rows(acme, HOMES)} == {"usage_records_2026_03"}

    def test_lets_the_month_be_made_that_could_not(self, acme: Company) -> None:
        record(acme)
        with system_access("test"):
            with pytest.raises(DatabaseError, match="default partition"), transaction.atomic():
                make_partitions(today=date(2026, 3, 1))
            heal_partitions()
            assert make_partitions(today=date(2026, 3, 1))[0] == "usage_records_2026_03"

    def test_leaves_walls_and_ledger_as_they_were(self, acme: Company) -> None:
        record(acme)
        with system_access("test"):
            heal_partitions()
        record(acme, occurred_at=at(2026, 4, 2))
        for name in ("usage_records_2026_03", "usage_records_default"):
            for access in (tenant_scope(acme.tenant.pk), system_access("test")):
                with access, connection.cursor() as cursor:
                    cursor.execute(f"SELECT * FROM {name}")
                    assert cursor.fetchall() == []
        refused = pytest.raises(DatabaseError, match="add a reversal")
        with tenant_scope(acme.tenant.pk), refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM usage_records")

    def test_only_the_system_may(self, acme: Company) -> None:
        with (
            tenant_scope(acme.tenant.pk),
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
        ):
            heal_partitions()


class TestCommand:
    def test_tells_what_strays_and_heals_it(self, acme: Company) -> None:
        record(acme)
        assert "2026_03: 1 records in DEFAULT" in run("status")
        assert run("heal") == "usage_records_2026_03: 1 records moved.\n"
        assert run("heal") == "DEFAULT is empty.\n"
        assert "usage_records_2026_03" in run("status")

    def test_makes_months_ahead(self, db: None) -> None:
        made = run("make").split()
        with system_access("test"):
            assert len(made) == 4
            assert set(made) <= set(partition_names())


class TestForgottenKeys:
    def test_are_those_beyond_the_window_and_ninety_days(self, acme: Company, globex: Company) -> None:
        record(acme, dedup_key="old")
        record(globex, dedup_key="young")
        kept_since = keys_kept_since(NOW)
        assert NOW - kept_since == timedelta(days=125)
        age(acme, kept_since - timedelta(seconds=1))
        age(globex, kept_since)
        with system_access("test"):
            assert forget_keys(before=kept_since) == 1
        assert counts(acme) == (1, 0, 1)
        assert counts(globex) == (1, 1, 1)

    def test_the_task_goes_on_until_none_is_left(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(5):
            record(acme)
        age(acme, at(2020, 1, 1))
        monkeypatch.setattr("usage.services.FORGET_BATCH", 2)
        monkeypatch.setattr("usage.services.forget_keys", lambda *, before: forget_keys(before=before, limit=2))
        tasks.forget_keys()
        assert counts(acme) == (5, 0, 5)


def age(company: Company, moment: object) -> None:
    with tenant_scope(company.tenant.pk), connection.cursor() as cursor:
        cursor.execute("UPDATE usage_dedup SET created_at = %s", [moment])
