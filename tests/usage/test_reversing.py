"""A record is taken back once, by its negative; what should have stood there is added in the same transaction."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.tenancy import system_access, tenant_scope
from common.errors import Forbidden, Invalid, NotFound, WrongState
from tests.factories import NOW, Company
from tests.usage.helpers import at, call, counts, periods, record, rows
from usage.ingest_reading import Window
from usage.models import PricingRate, UsageRecord
from usage.selectors import period_usage
from usage.services import close_period, fold_deltas
from usage.services.auditing import Actor
from usage.services.ingesting import ingest
from usage.services.reversing import Correction, PricedByThePeriod, amend_record, void_record

D = Decimal
ACTOR = Actor("api_key", "tests")
WINDOW = Window.around(NOW, back_days=35, ahead_minutes=5)


def sent(company: Company, quantity: str = "3", **changes: Any) -> UUID:
    event = {"idempotency_key": "k", "channel": "sms", "resource_type": "message", "quantity": quantity, **changes}
    with tenant_scope(company.tenant.pk):
        (outcome,) = ingest(tenant_id=company.tenant.pk, raw_events=[event], window=WINDOW)
    assert outcome.record_id is not None
    return outcome.record_id


def void(company: Company, record_id: UUID, **options: Any) -> Correction:
    with tenant_scope(company.tenant.pk):
        return void_record(tenant_id=company.tenant.pk, record_id=record_id, now=NOW, actor=ACTOR, **options)


def amend(company: Company, record_id: UUID, **changes: Any) -> Correction:
    with tenant_scope(company.tenant.pk):
        return amend_record(
            tenant_id=company.tenant.pk, record_id=record_id, changes=changes, window=WINDOW, actor=ACTOR
        )


def close(company: Company) -> None:
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=periods(company)[0].pk, now=at(2026, 4, 1, 2))


def costs(company: Company) -> list[Decimal]:
    """Return what usage costs in each period."""
    with tenant_scope(company.tenant.pk):
        return [
            period_usage(tenant_id=company.tenant.pk, period=period, now=NOW).total_cost for period in periods(company)
        ]


def package_price(company: Company) -> None:
    with system_access("test"):
        PricingRate.objects.create(
            tenant=company.tenant, channel="sms", resource_type="message", currency="USD", model="package", unit_price=5,
            package_size=2, effective_from=date(2026, 3, 1),
        )  # fmt: skip


class TestVoid:
    def test_adds_the_negative_of_the_record_on_its_day_at_its_rate(self, acme: Company) -> None:
        id = sent(acme, resource_id="r1", occurred_at="2026-03-09T11:00:00Z")
        correction = void(acme, id, reason="twice")
        columns = "channel, resource_type, billing_period_id, rate_id, resource_id, unit_cost, currency, occurred_at, usage_date"
        assert len(rows(acme, f"SELECT DISTINCT {columns} FROM usage_records")) == 1
        taken = (
            "SELECT id, kind, reverses, quantity, billed_quantity, total_cost, metadata->>'reason' FROM usage_records"
        )
        assert rows(acme, f"{taken} WHERE kind = 'reversal'") == [
            (correction.reversal_id, "reversal", id, D(-3), D(-3), D("-0.0225"), "twice")
        ]
        sums = "sum(total_quantity), sum(billed_quantity), sum(total_cost), sum(record_count)::int"
        assert rows(acme, f"SELECT {sums} FROM usage_summary_deltas") == [(0, 0, 0, 0)]

    def test_is_written_in_the_audit_log_once(self, acme: Company) -> None:
        id = sent(acme)
        void(acme, id, reason="twice")
        void(acme, id)
        audited = "SELECT actor_kind, actor_name, action, object_id, changes->>'reason' FROM audit_entries"
        assert rows(acme, f"{audited} WHERE action LIKE 'usage.event%'") == [
            ("api_key", "tests", "usage.event.voided", str(id), "twice")
        ]

    def test_leaves_the_first_record_as_it_was(self, acme: Company) -> None:
        before = rows(acme, f"SELECT to_jsonb(r) FROM usage_records r WHERE id = '{(id := sent(acme))}'")
        void(acme, id)
        assert rows(acme, f"SELECT to_jsonb(r) FROM usage_records r WHERE id = '{id}'") == before

    def test_the_period_costs_what_it_would_without_the_event(self, acme: Company) -> None:
        record(acme)
        before = costs(acme)
        void(acme, sent(acme))
        assert costs(acme) == before

    def test_of_a_price_with_packages_is_exact_while_the_period_is_open(self, acme: Company) -> None:
        package_price(acme)
        record(acme, quantity=D(2))
        id = sent(acme)
        assert costs(acme) == [D(15)]
        void(acme, id)
        assert costs(acme) == [D(5)]

    def test_a_repeat_returns_the_first_and_writes_nothing(self, acme: Company) -> None:
        id = sent(acme)
        first, again = void(acme, id), void(acme, id)
        assert (first.is_repeat, again.is_repeat) == (False, True)
        assert first.reversal_id == again.reversal_id
        assert counts(acme)[0] == 2

    def test_once_the_period_is_closed_lands_in_the_open_one(self, acme: Company) -> None:
        id = sent(acme, "300")
        close(acme)
        void(acme, id)
        assert rows(acme, "SELECT usage_date, billing_period_id FROM usage_records WHERE kind = 'reversal'") == [
            (date(2026, 3, 10), periods(acme)[1].pk)
        ]
        assert costs(acme) == [D("2.25"), D("-2.25")]

    def test_of_a_closed_period_s_sum_is_left_to_a_credit_note(self, acme: Company) -> None:
        package_price(acme)
        id = sent(acme)
        close(acme)
        with pytest.raises(PricedByThePeriod):
            void(acme, id)
        assert counts(acme)[0] == 1
        assert rows(acme, "SELECT count(*) FROM usage_reversals") == [(0,)]

    def test_refuses_what_is_none_of_the_tenant_s(self, acme: Company, globex: Company) -> None:
        id = sent(acme)
        for company, record_id in ((globex, id), (acme, uuid4())):
            with pytest.raises(NotFound):
                void(company, record_id)
        assert counts(acme)[0] == 1

    def test_refuses_a_reversal(self, acme: Company) -> None:
        correction = void(acme, sent(acme))
        with pytest.raises(WrongState) as refusal:
            void(acme, correction.reversal_id)
        assert refusal.value.code == "reversal"

    def test_what_the_platform_measured_is_its_operator_s(self, acme: Company) -> None:
        id = call(acme, 61).record_id
        with pytest.raises(Forbidden):
            void(acme, id)
        void(acme, id, only_ingested=False)
        assert costs(acme) == [D(0)]


class TestAmend:
    def test_takes_back_and_adds_what_it_should_have_been(self, acme: Company) -> None:
        id = sent(acme, resource_id="r1", metadata={"a": 1})
        correction = amend(acme, id, quantity="2", occurred_at="2026-03-08T11:00:00Z")
        added = "kind, reverses, quantity, total_cost, usage_date, resource_id, metadata->>'a', dedup_key"
        assert rows(acme, f"SELECT {added} FROM usage_records WHERE id = '{correction.amendment_id}'") == [
            ("amendment", id, D(2), D("0.015"), date(2026, 3, 8), "r1", "1", f"ext:amend:{id.hex}")
        ]
        assert rows(
            acme,
            "SELECT summary_date, sum(total_quantity), sum(record_count)::int FROM usage_summary_deltas "
            "GROUP BY 1 ORDER BY 1",
        ) == [(date(2026, 3, 8), D(2), 1), (date(2026, 3, 10), D(0), 0)]

    def test_may_move_it_to_another_meter(self, acme: Company) -> None:
        amend(acme, sent(acme, "100"), resource_type="mms")
        assert costs(acme) == [D("2.00")]

    def test_the_same_again_returns_the_first(self, acme: Company) -> None:
        id = sent(acme)
        first, again = amend(acme, id, quantity="2"), amend(acme, id, quantity="2.0")
        assert (again.is_repeat, again.amendment_id, again.reversal_id) == (
            True, first.amendment_id, first.reversal_id,
        )  # fmt: skip
        assert counts(acme)[0] == 3

    def test_another_is_refused_but_the_amendment_may_be_amended(self, acme: Company) -> None:
        id = sent(acme)
        first = amend(acme, id, quantity="2")
        with pytest.raises(WrongState) as refusal:
            amend(acme, id, quantity="5")
        assert refusal.value.code == "amended"
        assert first.amendment_id is not None
        amend(acme, first.amendment_id, quantity="500")
        assert costs(acme) == [D("3.75")]

    def test_a_voided_event_cannot_be_amended_nor_an_amended_one_voided(self, acme: Company) -> None:
        voided = sent(acme)
        void(acme, voided)
        with pytest.raises(WrongState) as refusal:
            amend(acme, voided, quantity="2")
        assert refusal.value.code == "voided"
        amended = sent(acme, idempotency_key="l")
        amend(acme, amended, quantity="2")
        with pytest.raises(WrongState) as refusal:
            void(acme, amended)
        assert refusal.value.code == "amended"
        assert counts(acme)[0] == 5

    def test_what_cannot_be_recorded_takes_nothing_back(self, acme: Company) -> None:
        id = sent(acme)
        with pytest.raises(Invalid):
            amend(acme, id, channel="voice", resource_type="minute")
        assert counts(acme)[0] == 1
        assert rows(acme, "SELECT count(*) FROM usage_reversals") == [(0,)]

    def test_an_event_older_than_the_window_keeps_its_moment(self, acme: Company) -> None:
        id = sent(acme, occurred_at="2026-02-10T12:00:00Z")
        later = Window.around(at(2026, 3, 30), back_days=35, ahead_minutes=5)
        with tenant_scope(acme.tenant.pk):
            amend_record(tenant_id=acme.tenant.pk, record_id=id, changes={"quantity": "2"}, window=later, actor=ACTOR)
        assert rows(acme, "SELECT DISTINCT usage_date FROM usage_records") == [(date(2026, 2, 10),)]


class TestTogether:
    def test_of_many_who_void_one_does(self, committed_db: None, acme: Company) -> None:
        id = sent(acme)

        def one(_: int) -> Correction:
            try:
                return void(acme, id)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            corrections = list(pool.map(one, range(12)))
        assert sum(not correction.is_repeat for correction in corrections) == 1
        assert len({correction.reversal_id for correction in corrections}) == 1
        assert counts(acme)[0] == 2

    def test_void_and_amend_at_once_leave_one_of_both(self, committed_db: None, acme: Company) -> None:
        id = sent(acme)

        def one(number: int) -> str:
            correct: Callable[[], Any] = (
                (lambda: void(acme, id)) if number % 2 else (lambda: amend(acme, id, quantity="2"))
            )
            try:
                return "repeat" if correct().is_repeat else "done"
            except WrongState as refusal:
                return refusal.code
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(one, range(12)))
        assert found.count("done") == 1
        assert counts(acme)[0] in {2, 3}
        with system_access("test"):
            while fold_deltas():
                pass
        quantity = rows(acme, "SELECT sum(total_quantity) FROM usage_summaries")[0][0]
        assert quantity == (D(0) if counts(acme)[0] == 2 else D(2))


class TestAppendOnly:
    @pytest.mark.parametrize("statement", ["UPDATE usage_records SET quantity = 9", "DELETE FROM usage_records"])
    def test_a_record_never_changes(self, acme: Company, statement: str) -> None:
        record(acme)
        for access in (tenant_scope(acme.tenant.pk), system_access("test")):
            refused = pytest.raises(DatabaseError, match="add a reversal")
            with access, refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        with tenant_scope(acme.tenant.pk):
            assert UsageRecord.objects.for_tenant(acme.tenant).get().quantity == 1
