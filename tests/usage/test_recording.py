"""A fact is recorded once, priced at once, and never touches a row that others need."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import system_access, tenant_scope
from common.errors import Invalid
from tests.factories import NOW, Company
from tests.usage.helpers import at, call, counts, periods, record, rows
from usage.errors import NoRate, NoSubscription, UnknownMeter, UsageConflict
from usage.models import BillingPeriod, PricingRate, UsageRecord
from usage.selectors import period_usage
from usage.services import close_period, record_usage

D = Decimal


def only_record(company: Company) -> UsageRecord:
    with tenant_scope(company.tenant.pk):
        return UsageRecord.objects.for_tenant(company.tenant).select_related("billing_period", "rate").get()


class TestRecord:
    def test_keeps_what_was_used_when_and_at_which_price(self, acme: Company) -> None:
        receipt = call(acme, 80, resource_id="CA1", metadata={"leg": 1}, occurred_at=at(2026, 3, 10, 23, 59))
        stored = only_record(acme)
        assert (stored.pk, stored.dedup_key[:5], stored.resource_id) == (receipt.record_id, "test:", "CA1")
        assert (stored.quantity, stored.billed_quantity) == (80, 120)
        assert (stored.unit_cost, stored.total_cost, stored.currency) == (D("0.0150"), D("0.03"), "USD")
        assert (stored.usage_date, stored.metadata) == (date(2026, 3, 10), {"leg": 1})
        assert (stored.direction, stored.destination) == ("outbound", "+12125550100")
        assert stored.billing_period == periods(acme)[0]
        assert (stored.rate.destination_prefix, stored.rate.plan_id) == ("1", periods(acme)[0].subscription.plan_id)

    def test_returns_what_it_costs(self, acme: Company) -> None:
        receipt = call(acme, 61)
        assert (receipt.billed_quantity, receipt.total_cost, receipt.currency) == (120, D("0.03"), "USD")
        assert not receipt.is_duplicate

    def test_writes_one_record_one_key_and_one_delta(self, acme: Company) -> None:
        record(acme)
        assert counts(acme) == (1, 1, 1)

    def test_takes_four_statements(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk), CaptureQueriesContext(connection) as queries:
            record_usage(
                tenant_id=acme.tenant.pk,
                channel="sms",
                resource_type="message",
                quantity=D(1),
                occurred_at=NOW,
                dedup_key="k",
            )
        assert len(queries) == 4  # the lock, the open periods, the rates, the write

    def test_an_explicit_zero_price_is_a_price(self, acme: Company) -> None:
        assert record(acme, channel="chat", resource_type="message").total_cost == 0

    def test_the_tenant_s_own_rate_goes_first(self, acme: Company, globex: Company) -> None:
        with system_access("test"):
            PricingRate.objects.create(
                tenant=acme.tenant,
                channel="sms",
                resource_type="message",
                currency="USD",
                unit_price=D("0.001"),
                effective_from=date(2026, 3, 10),
            )
        assert record(acme).total_cost == D("0.001")
        assert record(acme, occurred_at=at(2026, 3, 9)).total_cost == D("0.0075")
        assert record(globex).total_cost == D("0.0075")

    def test_a_price_with_tiers_is_worked_out_for_the_period_not_for_the_event(self, acme: Company) -> None:
        with system_access("test"):
            PricingRate.objects.create(
                tenant=acme.tenant,
                channel="sms",
                resource_type="message",
                currency="USD",
                model="graduated",
                unit_price=0,
                tiers=[{"up_to": "2", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5", "flat_amount": "0.25"}],
                effective_from=date(2026, 3, 1),
            )
        assert [record(acme, quantity=D(1)).total_cost for _ in range(3)] == [None] * 3
        with tenant_scope(acme.tenant.pk):
            usage = period_usage(tenant_id=acme.tenant.pk, period=periods(acme)[0], now=NOW)
        assert usage.total_cost == D("2.75")


class TestOnce:
    def test_a_repeat_returns_the_first_receipt_and_writes_nothing(self, acme: Company) -> None:
        first = call(acme, 80, dedup_key="call:1")
        again = call(acme, 80, dedup_key="call:1")
        assert again.is_duplicate
        assert (again.record_id, again.total_cost) == (first.record_id, first.total_cost)
        assert counts(acme) == (1, 1, 1)

    def test_the_same_fact_written_differently_is_the_same(self, acme: Company) -> None:
        record(acme, dedup_key="k", quantity=D("1.50"), metadata={"a": 1, "b": 2})
        moment = datetime.fromisoformat("2026-03-10T13:00:00+01:00")
        again = record(acme, dedup_key="k", quantity=D("1.5"), metadata={"b": 2, "a": 1}, occurred_at=moment)
        assert again.is_duplicate

    @pytest.mark.parametrize(
        "change",
        [{"quantity": D(2)}, {"occurred_at": at(2026, 4, 10)}, {"metadata": {"a": 2}}, {"resource_type": "mms"}],
        ids=lambda change: next(iter(change)),
    )
    def test_the_same_key_for_another_fact_is_a_conflict(self, acme: Company, change: dict[str, Any]) -> None:
        record(acme, dedup_key="k")
        with pytest.raises(UsageConflict):
            record(acme, dedup_key="k", **change)
        assert counts(acme) == (1, 1, 1)

    def test_tenants_do_not_share_keys(self, acme: Company, globex: Company) -> None:
        record(acme, dedup_key="k")
        assert not record(globex, dedup_key="k", quantity=D(9)).is_duplicate


class TestRefusals:
    @pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "1000000000000", "0.0000001"])
    def test_refuses_a_quantity_nobody_used(self, acme: Company, quantity: str) -> None:
        with pytest.raises(Invalid) as refusal:
            record(acme, quantity=D(quantity))
        assert refusal.value.errors[0].pointer == "/quantity"
        assert counts(acme) == (0, 0, 0)

    def test_refuses_a_time_without_an_offset(self, acme: Company) -> None:
        with pytest.raises(Invalid) as refusal:
            record(acme, occurred_at=datetime(2026, 3, 10))
        assert refusal.value.errors[0].pointer == "/occurred_at"

    def test_refuses_a_time_years_ahead(self, acme: Company) -> None:
        with pytest.raises(Invalid) as refusal:
            record(acme, occurred_at=at(2099, 1, 1))
        assert refusal.value.code == "too-far-ahead"
        assert len(periods(acme)) == 1

    @pytest.mark.parametrize("key", ["", "k" * 201])
    def test_refuses_a_key_that_cannot_be_kept(self, acme: Company, key: str) -> None:
        with pytest.raises(Invalid) as refusal:
            record(acme, dedup_key=key)
        assert refusal.value.errors[0].pointer == "/dedup_key"

    @pytest.mark.parametrize(
        ("pointer", "change"),
        [("/resource_id", {"resource_id": "a\0"}), ("/metadata", {"metadata": {"a": ["\0"]}})],
        ids=["text", "metadata"],
    )
    def test_refuses_a_nul_character(self, acme: Company, pointer: str, change: dict[str, Any]) -> None:
        with pytest.raises(Invalid) as refusal:
            record(acme, **change)
        assert refusal.value.errors[0].pointer == pointer

    def test_refuses_an_unknown_meter(self, acme: Company) -> None:
        with pytest.raises(UnknownMeter):
            record(acme, channel="fax", resource_type="page")
        assert counts(acme) == (0, 0, 0)

    def test_refuses_a_destination_without_a_rate(self, acme: Company) -> None:
        with pytest.raises(NoRate) as refusal:
            call(acme, 10, destination="+4930555010")
        assert refusal.value.code == "no-rate"
        assert counts(acme) == (0, 0, 0)

    def test_refuses_a_tenant_without_a_subscription(self, acme: Company) -> None:
        with system_access("test"):
            BillingPeriod.unscoped.filter(tenant=acme.tenant).update(state="closed", closed_at=NOW)
        with pytest.raises(NoSubscription):
            record(acme)

    def test_another_tenant_s_ledger_cannot_be_written(self, acme: Company, globex: Company) -> None:
        with pytest.raises(NoSubscription), tenant_scope(globex.tenant.pk):
            record_usage(
                tenant_id=acme.tenant.pk,
                channel="sms",
                resource_type="message",
                quantity=D(1),
                occurred_at=NOW,
                dedup_key="k",
            )
        assert counts(acme) == counts(globex) == (0, 0, 0)


class TestPeriodOfARecord:
    def test_the_day_is_the_tenant_s(self, make_tokyo: Callable[[], Company]) -> None:
        tokyo = make_tokyo()
        record(tokyo, occurred_at=at(2026, 3, 10, 15, 0))
        assert only_record(tokyo).usage_date == date(2026, 3, 11)

    def test_a_moment_after_the_last_period_opens_the_next(self, acme: Company) -> None:
        record(acme, occurred_at=at(2026, 4, 1, 0))
        first, second = periods(acme)
        assert only_record(acme).billing_period == second
        assert (second.starts_at, second.period_start, second.period_end) == (
            first.ends_at,
            date(2026, 4, 1),
            date(2026, 4, 30),
        )

    def test_the_last_moment_of_a_period_is_still_its(self, acme: Company) -> None:
        record(acme, occurred_at=at(2026, 3, 31, 23, 59, 59))
        assert only_record(acme).billing_period == periods(acme)[0]
        assert len(periods(acme)) == 1

    def test_late_usage_keeps_its_day_and_is_billed_in_the_open_period(self, acme: Company) -> None:
        march = periods(acme)[0]
        with tenant_scope(acme.tenant.pk):
            close_period(tenant_id=acme.tenant.pk, period_id=march.pk, now=at(2026, 4, 1, 2))
        record(acme, occurred_at=at(2026, 3, 20))
        stored = only_record(acme)
        assert stored.usage_date == date(2026, 3, 20)
        assert stored.billing_period == periods(acme)[1]

    def test_usage_from_before_the_first_period_is_billed_in_it(self, acme: Company) -> None:
        record(acme, occurred_at=at(2026, 2, 1))
        assert only_record(acme).billing_period == periods(acme)[0]


class TestTogether:
    """Several transactions at once, each on its own connection."""

    def test_an_open_transaction_does_not_make_another_wait(self, committed_db: None, acme: Company) -> None:
        with transaction.atomic():
            record(acme)
            with ThreadPoolExecutor(1) as other:
                other.submit(_record_and_close, acme, "other").result(timeout=5)
            assert rows(acme, "SELECT count(*) FROM usage_records") == [(2,)]
        assert counts(acme) == (2, 2, 2)

    def test_one_of_many_with_the_same_key_writes(self, committed_db: None, acme: Company) -> None:
        with ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(lambda _: _record_and_close(acme, "same"), range(24)))
        assert sum(not receipt.is_duplicate for receipt in receipts) == 1
        assert len({receipt.record_id for receipt in receipts}) == 1
        assert counts(acme) == (1, 1, 1)

    def test_a_rolled_back_fact_leaves_its_key_free(self, committed_db: None, acme: Company) -> None:
        with transaction.atomic():
            record(acme, dedup_key="k")
            transaction.set_rollback(True)
        assert not record(acme, dedup_key="k").is_duplicate
        assert counts(acme) == (1, 1, 1)


def _record_and_close(company: Company, key: str) -> Any:
    try:
        return record(company, dedup_key=key)
    finally:
        connection.close()
