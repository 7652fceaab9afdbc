"""Limits and credit over HTTP: what is answered, what is refused, and that Mallory sees only Globex."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.tenancy import tenant_scope
from tests.factories import NOW, Company
from tests.usage.credit_helpers import burn, give
from tests.usage.helpers import at, record, rows
from tests.usage.test_quotas import consume, entitle
from usage import services

Api = Callable[[str | None], Any]
D = Decimal


@pytest.fixture(autouse=True)
def clock_of_the_cast(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    """Let requests happen when the cast's companies were founded."""
    monkeypatch.setattr("accounts.api.base.timezone.now", lambda: now)


class TestLimits:
    def test_shows_what_is_allowed_and_used(self, api: Api, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        record(acme, quantity=D(3))
        consume(acme, "2")
        body = api(acme.api_key).get("/v1/usage/limits").json()
        assert (body["period_start"], body["period_end"]) == ("2026-03-10", "2026-03-31")
        found = {row["feature"]: row for row in body["results"]}
        assert found["sms_messages"] == {
            "feature": "sms_messages",
            "name": "SMS",
            "kind": "metered",
            "unit": "messages",
            "is_allowed": True,
            "limit": "10",
            "used": "5",
            "remaining": "5",
            "resets_at": "2026-04-01T00:00:00.000000Z",
            "mode": "block",
            "thresholds": [
                {"percent": 50, "amount": None, "reached_at": "2026-03-10T12:00:00.000000Z"},
                {"percent": 80, "amount": None, "reached_at": None},
                {"percent": 90, "amount": None, "reached_at": None},
                {"percent": 100, "amount": None, "reached_at": None},
            ],
        }
        assert (found["seats"]["limit"], found["seats"]["used"], found["seats"]["thresholds"]) == ("2", None, [])
        assert (found["call_recording"]["is_allowed"], found["call_recording"]["limit"]) == (False, None)
        assert (found["emails"]["limit"], found["emails"]["remaining"]) == (None, None)

    def test_mallory_sees_only_globex(self, api: Api, acme: Company, globex: Company) -> None:
        entitle(acme, "sms_messages", 10)
        consume(acme, "2")
        found = {row["feature"]: row for row in api(globex.api_key).get("/v1/usage/limits").json()["results"]}
        assert (found["sms_messages"]["limit"], found["sms_messages"]["used"]) == (None, "0")


class TestThresholds:
    def put(self, api: Api, company: Company, body: dict[str, Any]) -> Any:
        return api(company.api_key).put("/v1/usage/thresholds", body, content_type="application/json")

    def test_are_the_usual_ones_until_one_says_otherwise(self, api: Api, acme: Company) -> None:
        usual = {"feature": "", "amounts": [], "is_default": True}
        assert api(acme.api_key).get("/v1/usage/thresholds").json()["results"] == [
            {"subject": "cost", "percents": [], **usual},
            {"subject": "credit", "percents": [50, 80, 90, 100], **usual},
            {"subject": "quota", "percents": [50, 80, 90, 100], **usual},
        ]

    def test_are_set_replaced_and_given_up(self, api: Api, acme: Company) -> None:
        for body in ({"percents": [75, 25, 75]}, {"percents": [75, 25, 75], "amounts": ["12.50"]}):
            answer = self.put(api, acme, {"subject": "credit", **body})
        assert answer.json()["results"][1] == {
            "subject": "credit",
            "feature": "",
            "percents": [25, 75],
            "amounts": ["12.5"],
            "is_default": False,
        }
        assert self.put(api, acme, {"subject": "credit", "percents": []}).json()["results"][1]["percents"] == []
        assert self.put(api, acme, {"subject": "credit"}).json()["results"][1]["is_default"] is True

    def test_of_one_feature_stand_beside_those_of_all(self, api: Api, acme: Company) -> None:
        answer = self.put(api, acme, {"subject": "quota", "feature": "sms_messages", "amounts": ["100"]})
        assert [row["feature"] for row in answer.json()["results"]] == ["", "", "", "sms_messages"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"subject": "weather"}, "/subject"),
            ({}, "/subject"),
            ({"subject": "credit", "percents": [0]}, "/percents/0"),
            ({"subject": "credit", "percents": "all"}, "/percents"),
            ({"subject": "credit", "amounts": ["0"]}, "/amounts"),
            ({"subject": "credit", "amounts": ["lots"]}, "/amounts/0"),
            ({"subject": "cost", "percents": [50]}, "/percents"),
            ({"subject": "quota", "feature": "teleports", "percents": [50]}, "/feature"),
            ({"subject": "cost", "feature": "sms_messages", "amounts": ["5"]}, "/feature"),
        ],
    )
    def test_refuses_nonsense(self, api: Api, acme: Company, body: dict[str, Any], pointer: str) -> None:
        refused = self.put(api, acme, body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
        assert rows(acme, "SELECT 1 FROM threshold_settings") == []

    def test_finance_reads_and_does_not_set(self, signed_in: Callable[[Any], Any], acme: Company) -> None:
        client = signed_in(acme.finance)
        assert client.get("/v1/usage/thresholds").status_code == 200
        body = {"subject": "credit", "percents": []}
        assert client.put("/v1/usage/thresholds", body, content_type="application/json").status_code == 403
        assert rows(acme, "SELECT 1 FROM threshold_settings") == []


class TestCredits:
    def test_of_a_new_tenant_are_the_trial_s(self, api: Api, acme: Company) -> None:
        body = api(acme.api_key).get("/v1/billing/credits").json()
        (entry,) = body.pop("results")
        (grant,) = body.pop("grants")
        assert body == {
            "currency": "USD",
            "balance": {"available": "50.00", "held": "0.00", "unbilled": "0.00"},
            "holds": [],
            "next": None,
            "previous": None,
        }
        assert (grant["source"], grant["left"], grant["remaining"], grant["priority"]) == (
            "trial",
            "50.00",
            "50.00",
            20,
        )
        assert (entry["kind"], entry["amount"], entry["key"], entry["grant"]) == ("grant", "50.00", "trial", None)

    def test_agree_with_the_current_period(self, api: Api, acme: Company) -> None:
        give(acme, "20")
        record(acme, quantity=D(1000))
        with tenant_scope(acme.tenant.pk):
            services.hold(
                tenant_id=acme.tenant.pk, key="call:1", amount=D("1.25"), expires_at=NOW + timedelta(hours=1), now=NOW
            )
        client = api(acme.api_key)
        body = client.get("/v1/billing/credits").json()
        assert body["balance"] == {"available": "61.25", "held": "1.25", "unbilled": "7.50"}
        assert [hold["key"] for hold in body["holds"]] == ["call:1"]
        assert [(grant["left"], grant["remaining"]) for grant in body["grants"]] == [
            ("50.00", "42.50"),
            ("20.00", "20.00"),
        ]
        assert client.get("/v1/usage/current-period").json()["credit_remaining"] == "61.25"

    def test_page_through_the_ledger(self, api: Api, acme: Company) -> None:
        for number in range(3):
            burn(acme, "1", key=f"invoice:{number}", at=at(2026, 3, 11))
        client = api(acme.api_key)
        page = client.get("/v1/billing/credits?limit=3").json()
        rest = client.get(page["next"]).json()
        kinds = [row["kind"] for row in [*page["results"], *rest["results"]]]
        assert kinds == ["burn", "burn", "burn", "grant"]
        assert page["results"][0]["grant"] == rest["results"][0]["id"]
        assert page["results"][0]["amount"] == "-1.00"

    def test_mallory_sees_only_globex(self, api: Api, acme: Company, globex: Company) -> None:
        give(acme, "20")
        body = api(globex.api_key).get("/v1/billing/credits").json()
        assert [row["source"] for row in body["results"]] == ["trial"]
