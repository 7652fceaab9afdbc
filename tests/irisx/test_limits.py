"""Quotas of programs: counted per company and key, told in headers, refused with 429."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis

from accounts.models import Tenant
from accounts.permissions import SCOPES
from accounts.services import issue_api_key
from accounts.tenancy import system_access, tenant_scope
from common import ratelimit
from common.ratelimit import Quota, spend
from tests import factories
from tests.factories import NOW


@pytest.fixture(autouse=True)
def counted(settings: Any) -> Iterator[None]:
    settings.IRISX_API_QUOTAS = True
    ratelimit._pause._until = 0.0
    yield
    ratelimit._pause._until = 0.0


def allow(company: factories.Company, per_minute: int | None) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(limits={"api_requests_per_minute": per_minute})


def allowed(quotas: list[Quota], times: int, now: datetime = NOW) -> int:
    return sum(spend(quotas, now=now).wait_seconds == 0 for _ in range(times))


class TestAQuota:
    def test_allows_so_many_in_a_window_that_begins_with_the_first(self) -> None:
        quota = [Quota("company", uuid4().hex, 3)]
        assert allowed(quota, 5) == 3
        assert allowed(quota, 1, NOW + timedelta(seconds=59)) == 0
        assert allowed(quota, 9, NOW + timedelta(seconds=60)) == 3

    def test_says_what_is_left_and_when_it_begins_anew(self) -> None:
        quota = [Quota("company", uuid4().hex, 2)]
        [first] = spend(quota, now=NOW).standings
        assert (first.remaining, first.reset_seconds) == (1, 60)
        spend(quota, now=NOW)
        refused = spend(quota, now=NOW + timedelta(seconds=20))
        assert (refused.standings[0].remaining, refused.wait_seconds) == (0, 40)

    def test_a_clock_that_goes_back_gives_nothing(self) -> None:
        quota = [Quota("company", uuid4().hex, 1)]
        assert allowed(quota, 1) == 1
        behind = spend(quota, now=NOW - timedelta(hours=1))
        assert behind.wait_seconds == 60

    def test_is_spent_with_the_others_or_not_at_all(self) -> None:
        company, key = Quota("company", uuid4().hex, 10), Quota("key", uuid4().hex, 1)
        assert allowed([company, key], 5) == 1
        assert spend([company], now=NOW).standings[0].remaining == 8

    def test_counts_parallel_requests_one_by_one(self) -> None:
        quota = [Quota("company", uuid4().hex, 7)]
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: allowed(quota, 1), range(40))) == 7

    def test_is_forgotten_after_its_window(self, valkey_client: redis.Redis) -> None:
        owner = uuid4().hex
        spend([Quota("company", owner, 1)], now=NOW)
        left: Any = valkey_client.ttl(f"{ratelimit.PREFIX}quota:company:{owner}")
        assert 0 < left <= 61

    def test_of_nothing_allows_nothing(self) -> None:
        assert allowed([Quota("company", uuid4().hex, 0)], 3) == 0

    def test_holds_nobody_up_while_valkey_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def away() -> redis.Redis:
            asked.append(1)
            return redis.Redis(port=9, socket_connect_timeout=0.2)

        monkeypatch.setattr(ratelimit, "client", away)
        assert allowed([Quota("company", uuid4().hex, 1)], 5) == 5
        assert len(asked) == 1


class TestAProgram:
    def test_is_told_how_its_companys_quota_stands(self, acme: factories.Company, api: Any) -> None:
        allow(acme, 5)
        answer = api(acme.api_key).get("/v1/me")
        assert answer["RateLimit-Policy"] == '"company";q=5;w=60'
        assert answer["RateLimit"].startswith('"company";r=4;t=')

    def test_is_refused_beyond_it_and_told_when_to_come_back(self, acme: factories.Company, api: Any) -> None:
        allow(acme, 2)
        answers = [api(acme.api_key).get("/v1/me") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 1 <= int(answers[2]["Retry-After"]) <= 60
        assert answers[2]["RateLimit"].startswith('"company";r=0;t=')
        assert answers[2].json()["code"] == "too-many"

    def test_shares_it_with_every_key_of_its_company_and_no_other(
        self, acme: factories.Company, globex: factories.Company, api: Any
    ) -> None:
        allow(acme, 1)
        with tenant_scope(acme.tenant.pk):
            _, second = issue_api_key(tenant_id=acme.tenant.pk, name="second", scopes=SCOPES)
        assert api(acme.api_key).get("/v1/me").status_code == 200
        assert api(second).get("/v1/me").status_code == 429
        assert api(globex.api_key).get("/v1/me").status_code == 200

    def test_pays_for_refused_requests_too(self, acme: factories.Company, api: Any) -> None:
        allow(acme, 1)
        assert api(acme.api_key).get("/v1/calls/nothing").status_code == 404
        assert api(acme.api_key).get("/v1/me").status_code == 429

    def test_is_not_counted_where_the_plan_sets_no_limit(self, acme: factories.Company, api: Any) -> None:
        allow(acme, None)
        answer = api(acme.api_key).get("/v1/me")
        assert (answer.status_code, "RateLimit" in answer) == (200, False)

    def test_a_person_in_a_browser_is_not_counted(self, acme: factories.Company, signed_in: Any) -> None:
        allow(acme, 0)
        assert signed_in(acme.agent).get("/v1/me").status_code == 200
