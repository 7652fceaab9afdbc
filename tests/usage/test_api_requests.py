"""API requests are counted by minute and recorded once each, whatever dies in between."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone
from redis import ConnectionError as ValkeyIsAway

from accounts.tenancy import system_access
from common.valkey import client
from tests.factories import Company, make_company
from tests.usage.helpers import rows
from usage import api_requests, tasks
from usage.middleware import ApiRequestCounter
from usage.models import BillingPeriod

RECORDED = "SELECT quantity::int, occurred_at, dedup_key FROM usage_records WHERE channel = 'api' ORDER BY occurred_at"


@pytest.fixture(autouse=True)
def not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_requests, "_quiet_until", 0.0)


@pytest.fixture
def fresh(db: None) -> Company:
    """Return a company founded now: requests are counted by Valkey's clock."""
    return make_company("Fresh", owner="Olga", agent="Otto", finance="Ola", now=timezone.now())


def minute_before(minutes: int) -> int:
    return int(timezone.now().timestamp()) // 60 - minutes


def counted() -> dict[str, int]:
    stored: Any = client().hgetall(api_requests.KEY)
    return {field.partition(":")[2]: int(number) for field, number in stored.items()}


def put(company: Company, minute: int, requests: int) -> None:
    client().hset(api_requests.KEY, f"{minute}:{company.tenant.pk.hex}", requests)


class TestCounting:
    def test_counts_the_requests_of_a_key_whatever_their_answer(self, api: Callable[..., Any], fresh: Company) -> None:
        key = api(fresh.api_key)
        assert [key.get(path).status_code for path in ("/v1/me", "/v1/usage/events/ur_none")] == [200, 404]
        assert counted() == {fresh.tenant.pk.hex: 2}

    def test_counts_no_page_no_person_and_no_stranger(
        self, api: Callable[..., Any], signed_in: Callable[..., Any], fresh: Company
    ) -> None:
        signed_in(fresh.owner).get("/v1/me")
        signed_in(fresh.owner).get("/portal/")
        api(None).get("/v1/me")
        api("irisx_live_" + "0" * 40).get("/v1/me")
        assert counted() == {}

    def test_does_not_count_our_own_failures(
        self, api: Callable[..., Any], fresh: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.views.present_me", lambda principal: 1 / 0)
        assert api(fresh.api_key).get("/v1/me").status_code == 500
        assert counted() == {}

    def test_no_request_fails_without_valkey_and_the_next_do_not_wait(
        self, api: Callable[..., Any], fresh: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        class Away:
            def register_script(self, script: str) -> Any:
                asked.append(script)
                raise ValkeyIsAway

        monkeypatch.setattr(api_requests, "client", Away)
        assert [api(fresh.api_key).get("/v1/me").status_code for _ in range(3)] == [200, 200, 200]
        assert len(asked) == 1

    def test_looks_at_no_user_of_a_page(self, db: None) -> None:
        class Loud:
            @property
            def __class__(self) -> type:  # type: ignore[override] # as Django's lazy user answers
                raise AssertionError("the user was looked up")

        request = RequestFactory().get("/")
        request.user = Loud()  # type: ignore[assignment] # a lazy user
        answer = type("Answer", (), {"status_code": 200})()
        assert ApiRequestCounter(lambda _: answer)(request) is answer


class TestRecording:
    def test_records_each_minute_that_is_over_once(self, fresh: Company) -> None:
        minute = minute_before(2)
        put(fresh, minute, 7)
        put(fresh, minute + 1, 5)
        put(fresh, minute_before(-5), 3)
        tasks.record_api_requests()
        tasks.record_api_requests()
        tenant = fresh.tenant.pk.hex
        assert rows(fresh, RECORDED) == [
            (7, datetime.fromtimestamp(minute * 60, UTC), f"api:{tenant}:{minute}"),
            (5, datetime.fromtimestamp((minute + 1) * 60, UTC), f"api:{tenant}:{minute + 1}"),
        ]
        assert list(counted().values()) == [3]

    def test_a_worker_that_dies_before_it_lets_go_records_nothing_twice(
        self, fresh: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(fresh, minute_before(2), 7)

        def die(minute: api_requests.Minute) -> None:
            raise SystemExit

        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(api_requests, "forget", die)
            tasks.record_api_requests()
        assert len(rows(fresh, RECORDED)) == 1
        tasks.record_api_requests()
        assert len(rows(fresh, RECORDED)) == 1
        assert counted() == {}

    def test_one_tenant_s_refusal_keeps_its_count_and_nobody_else_s(self, fresh: Company, acme: Company) -> None:
        with system_access("test"):
            BillingPeriod.unscoped.filter(tenant=fresh.tenant).update(state="closed", closed_at=timezone.now())
        put(fresh, minute_before(2), 7)
        put(acme, minute_before(2), 4)
        tasks.record_api_requests()
        assert counted() == {fresh.tenant.pk.hex: 7}
        assert [row[0] for row in rows(acme, RECORDED)] == [4]

    def test_a_refused_count_is_let_go_of_when_it_is_older_than_the_window(self, fresh: Company) -> None:
        with system_access("test"):
            BillingPeriod.unscoped.filter(tenant=fresh.tenant).update(state="closed", closed_at=timezone.now())
        put(fresh, minute_before(36 * 24 * 60), 7)
        tasks.record_api_requests()
        assert counted() == {}

    def test_a_count_that_changed_after_it_was_recorded_is_not_recorded_again(self, fresh: Company) -> None:
        minute = minute_before(2)
        for requests in (7, 9):
            put(fresh, minute, requests)
            tasks.record_api_requests()
        assert [row[0] for row in rows(fresh, RECORDED)] == [7]
        assert counted() == {}
