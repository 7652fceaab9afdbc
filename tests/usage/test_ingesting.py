"""Many events at once: each with its own outcome, all in one transaction, and never twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import system_access, tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import at, counts, periods, record, rows
from usage.errors import NoSubscription
from usage.ingest_reading import Window
from usage.models import BillingPeriod, PricingRate
from usage.outcomes import Outcome
from usage.services import close_period
from usage.services.ingesting import ingest

D = Decimal
WINDOW = Window.around(NOW, back_days=35, ahead_minutes=5)


def sms(key: str, quantity: str = "1", **changes: Any) -> dict[str, Any]:
    fields = {"idempotency_key": key, "channel": "sms", "resource_type": "message", "quantity": quantity}
    return {**fields, "occurred_at": "2026-03-10T11:00:00Z", **changes}


def send(company: Company, *events: Any) -> list[Outcome]:
    with tenant_scope(company.tenant.pk):
        return ingest(tenant_id=company.tenant.pk, raw_events=events, window=WINDOW)


def statuses(company: Company, *events: Any) -> list[str]:
    return [str(outcome.status) for outcome in send(company, *events)]


def fault(company: Company, event: Any) -> tuple[str, str]:
    """Return pointer and code of an event's only fault."""
    (outcome,) = send(company, event)
    assert outcome.status == "invalid"
    (problem,) = outcome.problems
    return problem.pointer, problem.code


class TestWhatIsStored:
    def test_is_what_a_single_record_would_be(self, acme: Company) -> None:
        voice = {"channel": "voice", "resource_type": "minute", "direction": "outbound", "destination": "+12125550100"}
        send(acme, sms("a", "61", resource_id="CA1", metadata={"leg": [1, "ü"]}, **voice))
        record(acme, dedup_key="b", quantity=D(61), resource_id="CA1", metadata={"leg": [1, "ü"]},
               occurred_at=at(2026, 3, 10, 11), **voice)  # fmt: skip
        columns = (
            "channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination, quantity, "
            "billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, kind, reverses"
        )
        assert len(rows(acme, f"SELECT DISTINCT {columns} FROM usage_records")) == 1
        summed = "summary_date, channel, resource_type, rate_id, total_quantity, billed_quantity, total_cost"
        assert len(rows(acme, f"SELECT DISTINCT {summed}, record_count FROM usage_summary_deltas")) == 1
        assert rows(acme, "SELECT dedup_key FROM usage_records ORDER BY 1") == [("b",), ("ext:a",)]

    def test_is_one_delta_per_day_meter_and_rate(self, acme: Company) -> None:
        send(
            acme,
            *(sms(f"k{n}", "2") for n in range(5)),
            sms("yesterday", occurred_at="2026-03-09T11:00:00Z"),
            sms("mms", resource_type="mms"),
        )
        assert counts(acme) == (7, 7, 3)
        assert rows(
            acme,
            "SELECT summary_date, resource_type, total_quantity, total_cost, record_count FROM usage_summary_deltas "
            "ORDER BY 1, 2",
        ) == [
            (date(2026, 3, 9), "message", D(1), D("0.0075"), 1),
            (date(2026, 3, 10), "message", D(10), D("0.075"), 5),
            (date(2026, 3, 10), "mms", D(1), D("0.02"), 1),
        ]

    def test_an_event_of_a_closed_period_keeps_its_day_and_is_billed_in_the_open_one(self, acme: Company) -> None:
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=at(2026, 4, 1, 2))
            window = Window.around(at(2026, 4, 2), back_days=35, ahead_minutes=5)
            ingest(tenant_id=acme.tenant.pk, raw_events=[sms("late"), sms("new", occurred_at=None)], window=window)
        april = periods(acme)[1].pk
        assert rows(acme, "SELECT usage_date, billing_period_id FROM usage_records ORDER BY 1") == [
            (date(2026, 3, 10), april),
            (date(2026, 4, 2), april),
        ]

    def test_an_event_just_after_the_last_period_opens_the_next(self, acme: Company) -> None:
        window = Window.around(at(2026, 3, 31, 23, 58), back_days=35, ahead_minutes=5)
        with tenant_scope(acme.tenant.pk):
            ingest(
                tenant_id=acme.tenant.pk,
                raw_events=[sms("k", occurred_at="2026-04-01T00:01:00Z"), sms("l")],
                window=window,
            )
        assert [period.period_start for period in periods(acme)] == [date(2026, 3, 10), date(2026, 4, 1)]
        assert rows(acme, "SELECT count(DISTINCT billing_period_id) FROM usage_records") == [(2,)]

    def test_a_price_of_the_period_s_sum_has_no_cost_of_its_own(self, acme: Company) -> None:
        with system_access("test"):
            PricingRate.objects.create(
                tenant=acme.tenant, channel="sms", resource_type="message", currency="USD", model="package",
                unit_price=5, package_size=100, effective_from=date(2026, 3, 1),
            )  # fmt: skip
        send(acme, sms("k"))
        assert rows(acme, "SELECT total_cost FROM usage_records") == [(None,)]
        assert rows(acme, "SELECT total_cost FROM usage_summary_deltas") == [(D(0),)]

    def test_takes_four_statements_whatever_the_number(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk), CaptureQueriesContext(connection) as queries:
            ingest(tenant_id=acme.tenant.pk, raw_events=[sms(f"k{n}") for n in range(50)], window=WINDOW)
        taken = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        assert len(taken) == 4  # the lock, the open periods, the rates, the write


class TestOnce:
    def test_a_repeat_is_a_duplicate_and_names_the_first_record(self, acme: Company) -> None:
        (first,) = send(acme, sms("k"))
        again, other = send(acme, sms("k"), sms("l"))
        assert (first.status, again.status, other.status) == ("created", "duplicate", "created")
        assert again.record_id == first.record_id
        assert counts(acme) == (2, 2, 2)

    def test_another_content_is_a_conflict(self, acme: Company) -> None:
        send(acme, sms("k"))
        (outcome,) = send(acme, sms("k", "2"))
        assert outcome.status == "conflict"
        assert [(problem.pointer, problem.code) for problem in outcome.problems] == [
            ("/idempotency_key", "idempotency-conflict")
        ]
        assert counts(acme) == (1, 1, 1)

    def test_the_first_of_a_batch_wins(self, acme: Company) -> None:
        assert statuses(acme, sms("k", "1"), sms("k", "1.0"), sms("k", "2")) == ["created", "duplicate", "conflict"]
        assert rows(acme, "SELECT quantity FROM usage_records") == [(D(1),)]

    def test_an_invalid_event_takes_no_key(self, acme: Company) -> None:
        assert statuses(acme, sms("k", "-1"), sms("k", channel="fax"), sms("k")) == ["invalid", "invalid", "created"]

    def test_all_of_a_batch_compare_with_what_was_stored_before(self, acme: Company) -> None:
        send(acme, sms("k", "2"))
        assert statuses(acme, sms("k", "1"), sms("k", "2")) == ["conflict", "duplicate"]

    def test_the_same_content_written_differently_is_the_same(self, acme: Company) -> None:
        one = sms("k", "1.50", occurred_at="2026-03-10T12:00:00+01:00", metadata={"a": 1, "b": 2})
        same = sms("k", "1.5", occurred_at="2026-03-10T11:00:00.000Z", metadata={"b": 2, "a": 1})
        assert statuses(acme, one, same) == ["created", "duplicate"]

    def test_a_repeat_without_a_time_is_the_same_though_time_has_passed(self, acme: Company) -> None:
        later = Window.around(NOW + timedelta(hours=3), back_days=35, ahead_minutes=5)
        event = sms("k")
        del event["occurred_at"]
        send(acme, event)
        with tenant_scope(acme.tenant.pk):
            (again,) = ingest(tenant_id=acme.tenant.pk, raw_events=[event], window=later)
        assert again.status == "duplicate"
        assert rows(acme, "SELECT occurred_at FROM usage_records") == [(NOW,)]

    def test_a_key_of_the_platform_s_own_is_not_taken(self, acme: Company) -> None:
        record(acme, dedup_key="call:1", quantity=D(5))
        assert statuses(acme, sms("call:1")) == ["created"]

    def test_tenants_do_not_share_keys(self, acme: Company, globex: Company) -> None:
        assert statuses(acme, sms("k")) == statuses(globex, sms("k", "9")) == ["created"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "pointer", "code"),
        [
            ({"quantity": "0"}, "/quantity", "quantity"),
            ({"quantity": "-1"}, "/quantity", "quantity"),
            ({"quantity": "1000000000000"}, "/quantity", "quantity"),
            ({"quantity": "0.0000001"}, "/quantity", "quantity"),
            ({"quantity": "NaN"}, "/quantity", "not-a-decimal"),
            ({"quantity": "1e5"}, "/quantity", "not-a-decimal"),
            ({"quantity": "1_000"}, "/quantity", "not-a-decimal"),
            ({"quantity": "١"}, "/quantity", "not-a-decimal"),
            ({"quantity": 1.5}, "/quantity", "not-a-decimal"),
            ({"quantity": True}, "/quantity", "not-a-decimal"),
            ({"quantity": None}, "/quantity", "required"),
            ({"idempotency_key": ""}, "/idempotency_key", "required"),
            ({"idempotency_key": 7}, "/idempotency_key", "not-a-string"),
            ({"idempotency_key": "k" * 197}, "/idempotency_key", "too-long"),
            ({"idempotency_key": "a\0"}, "/idempotency_key", "nul"),
            ({"resource_type": "page"}, "/resource_type", "unknown-meter"),
            ({"channel": "voice", "resource_type": "minute"}, "/destination", "no-rate"),
            ({"occurred_at": "yesterday"}, "/occurred_at", "not-a-time"),
            ({"occurred_at": 1773140400}, "/occurred_at", "not-a-time"),
            ({"occurred_at": "2026-03-10T11:00:00"}, "/occurred_at", "naive-time"),
            ({"occurred_at": "2026-02-03T11:59:59Z"}, "/occurred_at", "too-old"),
            ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "/occurred_at", "too-old"),
            ({"occurred_at": "2026-03-10T12:05:01Z"}, "/occurred_at", "too-far-ahead"),
            ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "/occurred_at", "too-far-ahead"),
            ({"resource_id": "r" * 81}, "/resource_id", "too-long"),
            ({"direction": "upward"}, "/direction", "direction"),
            ({"metadata": []}, "/metadata", "not-an-object"),
            ({"metadata": {"a": "\0"}}, "/metadata", "nul"),
            ({"metadata": {"a": "x" * 8_192}}, "/metadata", "too-long"),
            ({"occured_at": "2026-03-10T11:00:00Z"}, "/occured_at", "unknown-field"),
        ],
        ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
    )
    def test_point_at_what_is_wrong(self, acme: Company, changes: dict[str, Any], pointer: str, code: str) -> None:
        assert fault(acme, sms("k") | changes) == (pointer, code)
        assert counts(acme) == (0, 0, 0)

    def test_metadata_nested_too_deeply(self, acme: Company) -> None:
        deep: dict[str, Any] = {}
        for _ in range(300):
            deep = {"a": deep}
        assert fault(acme, sms("k", metadata=deep)) == ("/metadata", "too-deep")

    @pytest.mark.parametrize("event", [None, [], "sms", 3])
    def test_what_is_no_object(self, acme: Company, event: Any) -> None:
        assert fault(acme, event) == ("", "not-an-object")

    def test_name_everything_at_once(self, acme: Company) -> None:
        (outcome,) = send(acme, {"quantity": "-1", "occurred_at": "x"})
        assert {problem.pointer for problem in outcome.problems} == {
            "/idempotency_key", "/channel", "/resource_type", "/quantity", "/occurred_at",
        }  # fmt: skip

    @pytest.mark.parametrize("moment", ["2026-02-03T12:00:00Z", "2026-03-10T12:05:00Z"])
    def test_the_window_s_edges_are_inside(self, acme: Company, moment: str) -> None:
        assert statuses(acme, sms("k", occurred_at=moment)) == ["created"]

    def test_valid_ones_are_stored_though_others_fail(self, acme: Company) -> None:
        assert statuses(acme, sms("a"), sms("b", "-1"), sms("c")) == ["created", "invalid", "created"]
        assert counts(acme) == (2, 2, 1)

    def test_a_tenant_without_an_open_period_is_refused_whole(self, acme: Company) -> None:
        with system_access("test"):
            BillingPeriod.unscoped.filter(tenant=acme.tenant).update(state="closed", closed_at=NOW)
        with pytest.raises(NoSubscription):
            send(acme, sms("k"))


class TestTogether:
    """Several batches at once, each on its own connection."""

    def test_the_same_keys_in_any_order_are_stored_once_without_a_deadlock(
        self, committed_db: None, acme: Company
    ) -> None:
        def batch(number: int) -> list[str]:
            events = [sms(f"k{n}", str(n + 1)) for n in range(60)]
            try:
                return statuses(acme, *(events if number % 2 else reversed(events)))
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            found = [status for batch_of in pool.map(batch, range(18)) for status in batch_of]
        assert (found.count("created"), found.count("duplicate")) == (60, 17 * 60)
        assert counts(acme)[:2] == (60, 60)
        assert rows(acme, "SELECT sum(total_quantity), sum(record_count)::int FROM usage_summary_deltas") == [
            (D(60 * 61 // 2), 60)
        ]

    def test_a_rolled_back_batch_leaves_nothing(self, committed_db: None, acme: Company) -> None:
        with transaction.atomic():
            send(acme, sms("k"))
            transaction.set_rollback(True)
        assert counts(acme) == (0, 0, 0)
        assert statuses(acme, sms("k")) == ["created"]

    def test_a_batch_waits_for_no_message_of_the_tenant(self, committed_db: None, acme: Company) -> None:
        with transaction.atomic():
            record(acme)
            with ThreadPoolExecutor(1) as other:
                found = other.submit(lambda: (statuses(acme, sms("k")), connection.close())).result(timeout=10)
        assert found[0] == ["created"]
