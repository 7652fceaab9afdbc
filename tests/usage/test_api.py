"""Usage over HTTP: what is answered, who may ask, and that Mallory sees only Globex."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import system_access, tenant_scope
from tests.factories import Company
from tests.usage.helpers import at, call, record
from usage import selectors
from usage.services import fold_deltas

Api = Callable[[str | None], Any]
PATHS = ["current-period", "history", "events"]


@pytest.fixture(autouse=True)
def clock_of_the_cast(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    """Let requests happen when the cast's companies were founded."""
    monkeypatch.setattr("accounts.api.base.timezone.now", lambda: now)


class TestCurrentPeriod:
    def test_of_a_new_tenant_is_empty(self, api: Api, acme: Company) -> None:
        assert api(acme.api_key).get("/v1/usage/current-period").json() == {
            "period_start": "2026-03-10",
            "period_end": "2026-03-31",
            "currency": "USD",
            "plan": "free_trial",
            "total_cost": "0.00",
            "credit_remaining": "50.00",
            "items": [],
        }

    def test_sums_by_meter_folded_or_not(self, api: Api, acme: Company, globex: Company) -> None:
        call(acme, 61)
        call(acme, 30, direction="inbound", destination="")
        for number in range(3):
            record(acme, channel="chat", resource_type="message", resource_id=f"cm_{number}")
        record(globex, quantity=Decimal(1000))
        client = api(acme.api_key)
        before = client.get("/v1/usage/current-period").json()
        with system_access("test"):
            fold_deltas()
        assert client.get("/v1/usage/current-period").json() == before
        assert before["total_cost"] == "0.05"
        assert before["credit_remaining"] == "49.95"
        assert before["items"] == [
            {"channel": "voice", "resource_type": "minute", "quantity": "3", "total_cost": "0.05", "record_count": 2},
            {"channel": "chat", "resource_type": "message", "quantity": "3", "total_cost": "0.00", "record_count": 3},
        ]

    def test_costs_as_many_queries_whatever_was_used(self, api: Api, acme: Company) -> None:
        client = api(acme.api_key)
        record(acme)
        client.get("/v1/usage/current-period")  # notes that the key was used
        with CaptureQueriesContext(connection) as one:
            client.get("/v1/usage/current-period")
        for seconds in range(1, 6):
            call(acme, seconds)
            record(acme, resource_type="mms")
        with CaptureQueriesContext(connection) as more:
            client.get("/v1/usage/current-period")
        assert len(one) == len(more)

    def test_is_read_by_five_queries(self, acme: Company, now: Any) -> None:
        call(acme, 61)
        tenant_id = acme.tenant.pk
        with tenant_scope(tenant_id), CaptureQueriesContext(connection) as queries:
            period = selectors.current_period(tenant_id=tenant_id, now=now)
            selectors.period_usage(tenant_id=tenant_id, period=period, now=now)
        assert len(queries) == 5  # periods, sums, rates, meters, grants


class TestHistory:
    def test_is_by_local_day_and_meter(self, api: Api, acme: Company) -> None:
        record(acme, occurred_at=at(2026, 3, 9), quantity=Decimal(2))
        record(acme)
        call(acme, 90, occurred_at=at(2026, 3, 10, 23))
        body = api(acme.api_key).get("/v1/usage/history?start_date=2026-03-09&end_date=2026-03-10").json()
        assert (body["start_date"], body["end_date"], body["currency"]) == ("2026-03-09", "2026-03-10", "USD")
        assert [(row["date"], row["channel"], row["quantity"], row["total_cost"]) for row in body["results"]] == [
            ("2026-03-09", "sms", "2", "0.015"),
            ("2026-03-10", "sms", "1", "0.0075"),
            ("2026-03-10", "voice", "2", "0.03"),
        ]

    def test_is_of_thirty_days_unless_asked_otherwise(self, api: Api, acme: Company) -> None:
        body = api(acme.api_key).get("/v1/usage/history").json()
        assert (body["start_date"], body["end_date"]) == ("2026-02-09", "2026-03-10")

    def test_leaves_out_days_before_and_after(self, api: Api, acme: Company) -> None:
        for day in (8, 9, 10):
            record(acme, occurred_at=at(2026, 3, day))
        body = api(acme.api_key).get("/v1/usage/history?start_date=2026-03-09&end_date=2026-03-09").json()
        assert [row["date"] for row in body["results"]] == ["2026-03-09"]

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("start_date=yesterday", "/start_date"),
            ("end_date=2026-02-30", "/end_date"),
            ("start_date=2026-03-10&end_date=2026-03-09", "/start_date"),
            ("start_date=2026-01-01&end_date=2026-04-01", "/start_date"),
        ],
    )
    def test_refuses_days_that_are_none_backwards_or_too_many(
        self, api: Api, acme: Company, query: str, pointer: str
    ) -> None:
        refused = api(acme.api_key).get(f"/v1/usage/history?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)

    def test_takes_ninety_days(self, api: Api, acme: Company) -> None:
        assert api(acme.api_key).get("/v1/usage/history?start_date=2026-01-01&end_date=2026-03-31").status_code == 200


class TestEvents:
    def test_shows_each_with_its_price(self, api: Api, acme: Company) -> None:
        call(acme, 61, dedup_key="call:1", resource_id="CA1", metadata={"leg": 1})
        (event,) = api(acme.api_key).get("/v1/usage/events").json()["results"]
        assert event.pop("id").startswith("ur_")
        assert event == {
            "kind": "usage",
            "idempotency_key": "call:1",
            "channel": "voice",
            "resource_type": "minute",
            "resource_id": "CA1",
            "direction": "outbound",
            "destination": "+12125550100",
            "quantity": "61",
            "billed_quantity": "120",
            "unit_price": "0.015",
            "total_cost": "0.03",
            "currency": "USD",
            "occurred_at": "2026-03-10T12:00:00.000000Z",
            "usage_date": "2026-03-10",
            "metadata": {"leg": 1},
            "reverses": None,
            "reversed_by": None,
        }

    def test_pages_newest_first_without_gap_or_repeat(self, api: Api, acme: Company) -> None:
        for number in range(5):
            record(acme, dedup_key=f"k{number}", occurred_at=at(2026, 3, 10, number // 2))
        client = api(acme.api_key)
        seen, address = [], "/v1/usage/events?limit=2"
        while address:
            page = client.get(address).json()
            seen += [row["idempotency_key"] for row in page["results"]]
            address = page["next"]
        assert sorted(seen) == ["k0", "k1", "k2", "k3", "k4"]
        assert seen[0] == "k4"


class TestWho:
    @pytest.mark.parametrize("path", PATHS)
    def test_mallory_sees_only_globex(self, api: Api, acme: Company, globex: Company, path: str) -> None:
        record(acme)
        body = api(globex.api_key).get(f"/v1/usage/{path}").json()
        assert body.get("items", body.get("results")) == []

    @pytest.mark.parametrize("path", PATHS)
    def test_an_agent_may_not_ask(self, signed_in: Callable[[Any], Any], acme: Company, path: str) -> None:
        assert signed_in(acme.agent).get(f"/v1/usage/{path}").status_code == 403

    @pytest.mark.parametrize("path", PATHS)
    def test_finance_may(self, signed_in: Callable[[Any], Any], acme: Company, path: str) -> None:
        assert signed_in(acme.finance).get(f"/v1/usage/{path}").status_code == 200

    @pytest.mark.parametrize("path", PATHS)
    def test_nobody_signed_in_may_not(self, api: Api, db: None, path: str) -> None:
        assert api(None).get(f"/v1/usage/{path}").status_code == 401
