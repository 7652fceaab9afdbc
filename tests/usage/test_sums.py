"""Folded plus not folded equals the records, at every step, however many fold at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tenancy import system_access, tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import at, call, counts, periods, record, rows
from usage import sums, tasks
from usage.services import fold_deltas

D = Decimal

FROM_RECORDS = """
    SELECT usage_date, channel, resource_type, sum(quantity), sum(billed_quantity), sum(total_cost), count(*)
    FROM usage_records GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
FOLDED_AT_ALL = "SELECT coalesce(sum(record_count), 0)::int, count(*) FROM usage_summaries"


def summed(company: Company) -> list[sums.DaySum]:
    with tenant_scope(company.tenant.pk):
        return sums.by_day(tenant_id=company.tenant.pk, first=date(2026, 1, 1), last=date(2026, 12, 31))


def recorded(company: Company) -> list[sums.DaySum]:
    return [sums.DaySum(*row) for row in rows(company, FROM_RECORDS)]


def fold(limit: int = 5_000) -> int:
    with system_access("test"):
        return fold_deltas(limit=limit)


class TestFold:
    def test_moves_deltas_into_one_row_per_period_day_meter_and_rate(self, acme: Company) -> None:
        for day in (10, 10, 11):
            record(acme, occurred_at=at(2026, 3, day), quantity=D(2))
        call(acme, 61)
        assert fold() == 4
        assert counts(acme) == (4, 4, 0)
        assert rows(
            acme,
            "SELECT summary_date, channel, total_quantity, billed_quantity, total_cost, record_count "
            "FROM usage_summaries ORDER BY 1, 2",
        ) == [
            (date(2026, 3, 10), "sms", D(4), D(4), D("0.03"), 2),
            (date(2026, 3, 10), "voice", D(61), D(120), D("0.03"), 1),
            (date(2026, 3, 11), "sms", D(2), D(2), D("0.015"), 1),
        ]

    def test_equals_the_records_before_between_and_after(self, acme: Company) -> None:
        for number in range(7):
            record(acme, occurred_at=at(2026, 3, 10 + number % 2), quantity=D(number + 1))
            call(acme, 10 * number + 1)
        expected = recorded(acme)
        assert summed(acme) == expected
        while fold(limit=3):
            assert summed(acme) == expected
        record(acme)
        assert summed(acme) == recorded(acme) != expected

    def test_a_repeat_folds_nothing(self, acme: Company) -> None:
        record(acme)
        assert (fold(), fold()) == (1, 0)

    def test_adds_to_what_was_folded_before(self, acme: Company) -> None:
        for _ in range(3):
            record(acme)
            fold()
        assert rows(acme, FOLDED_AT_ALL) == [(3, 1)]

    def test_folds_every_tenant_apart(self, acme: Company, globex: Company) -> None:
        record(acme)
        record(globex, quantity=D(5))
        assert fold() == 2
        assert [row.quantity for row in summed(acme)] == [D(1)]
        assert [row.quantity for row in summed(globex)] == [D(5)]

    def test_the_task_folds_all_there_is(self, acme: Company) -> None:
        record(acme)
        record(acme)
        tasks.fold_deltas()
        assert counts(acme) == (2, 2, 0)

    def test_without_system_access_only_the_tenant_s_own_fold(self, acme: Company, globex: Company) -> None:
        record(acme)
        record(globex)
        with tenant_scope(acme.tenant.pk):
            assert fold_deltas() == 1
        assert (counts(acme)[2], counts(globex)[2]) == (0, 1)


class TestTogether:
    def test_many_write_and_fold_at_once_and_nothing_is_lost_or_doubled(
        self, committed_db: None, acme: Company, globex: Company
    ) -> None:
        def write(number: int) -> None:
            company = (acme, globex)[number % 2]
            record(company, occurred_at=NOW + timedelta(days=number % 5), quantity=D(number % 7 + 1))
            connection.close()

        def fold_and_look(number: int) -> None:
            fold(limit=7)
            company = (acme, globex)[number % 2]
            # Records and sums in one statement each, within one snapshot: they must agree whatever commits meanwhile.
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                assert summed(company) == recorded(company)
            connection.close()

        with ThreadPoolExecutor(6) as pool:
            work = [pool.submit(write if number % 3 else fold_and_look, number) for number in range(120)]
            for one in work:
                one.result(timeout=60)
        while fold():
            pass
        for company in (acme, globex):
            assert summed(company) == recorded(company)
            assert counts(company)[2] == 0
        assert counts(acme)[0] + counts(globex)[0] == 80


class TestAddingUp:
    ROWS = st.lists(
        st.builds(
            sums.DayRateSum,
            day=st.dates(date(2026, 3, 1), date(2026, 3, 3)),
            channel=st.sampled_from(["sms", "voice"]),
            resource_type=st.just("message"),
            rate_id=st.uuids(),
            quantity=st.decimals(0, 100, places=3),
            billed_quantity=st.decimals(0, 100, places=3),
            total_cost=st.decimals(0, 100, places=12),
            record_count=st.integers(1, 9),
        )
    )

    @given(ROWS)
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_by_rate_and_by_day_hold_the_same(self, rows: list[sums.DayRateSum]) -> None:
        by_rate, by_day = sums.by_rate(rows), sums.by_meter_and_day(rows)
        for name in ("quantity", "billed_quantity", "record_count"):
            total = sum(getattr(row, name) for row in rows)
            assert sum(getattr(row, name) for row in by_rate) == sum(getattr(row, name) for row in by_day) == total


def test_a_period_s_sums_take_one_query(acme: Company) -> None:
    record(acme)
    with tenant_scope(acme.tenant.pk):
        (row,) = sums.of_period(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk)
    assert (row.channel, row.quantity, row.record_count) == ("sms", 1, 1)
