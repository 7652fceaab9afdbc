"""The subscription over HTTP, and what today would be billed."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditEntry
from accounts.tenancy import tenant_scope
from billing.services import draft_invoice
from tests.billing.helpers import buy_from, move_to, sell_from
from tests.factories import NOW, Company
from tests.usage.helpers import call, periods, record
from usage.changes import When
from usage.services import change_plan

Api = Callable[[str | None], Any]
PATH = "/v1/billing/subscription"


@pytest.fixture(autouse=True)
def clock_of_the_cast(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Let requests happen when the cast's companies were founded."""
    monkeypatch.setattr("accounts.api.base.timezone.now", lambda: now)


class TestShow:
    def test_tells_plan_and_period(self, api: Api, acme: Company) -> None:
        assert api(acme.api_key).get(PATH).json() == {
            "plan": "free_trial",
            "next_plan": None,
            "status": "trialing",
            "currency": "USD",
            "started_at": "2026-03-10T12:00:00.000000Z",
            "trial_ends_at": "2026-03-24T12:00:00.000000Z",
            "ends_at": None,
            "canceled_at": None,
            "period_start": "2026-03-10",
            "period_end": "2026-03-31",
        }


class TestChange:
    def test_in_the_trial_waits_for_its_end(self, api: Api, acme: Company) -> None:
        answer = api(acme.api_key).post(PATH, {"plan": "starter"})
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "plan": "starter",
                "takes_effect": "next_period",
                "effective_date": "2026-03-25",
                "currency": "USD",
                "charge": "0.00",
                "charged_days": 0,
                "cycle_days": 31,
                "included_credit": "0.00",
                "next_fee": "6.55",
                "next_fee_start": "2026-03-25",
                "next_fee_end": "2026-03-31",
            },
        )
        assert api(acme.api_key).get(PATH).json()["next_plan"] == "starter"

    def test_a_preview_tells_the_same_and_changes_nothing(self, api: Api, acme: Company) -> None:
        client, body = api(acme.api_key), {"plan": "starter", "when": "now"}
        before = client.get(PATH).json()
        preview = client.post(f"{PATH}/preview", body).json()
        assert client.get(PATH).json() == before
        assert client.post(PATH, body).json() == preview
        assert client.get(PATH).json()["plan"] == "starter"

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/plan"),
            ({"plan": "platinum"}, "/plan"),
            ({"plan": "starter", "when": "yesterday"}, "/when"),
            ({"plan": ["starter"]}, "/plan"),
        ],
    )
    @pytest.mark.parametrize("path", [PATH, f"{PATH}/preview"])
    def test_refuses_with_a_pointer(
        self, api: Api, acme: Company, path: str, body: dict[str, Any], pointer: str
    ) -> None:
        refused = api(acme.api_key).post(path, body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
        assert api(acme.api_key).get(PATH).json()["next_plan"] is None

    def test_is_done_once_under_an_idempotency_key(self, api: Api, acme: Company) -> None:
        """A repeat that comes late takes no later choice back."""
        client, once = api(acme.api_key), {"headers": {"Idempotency-Key": "c1"}}
        first = client.post(PATH, {"plan": "starter"}, **once)
        client.post(PATH, {"plan": "professional"})
        again = client.post(PATH, {"plan": "starter"}, **once)
        assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
        assert client.get(PATH).json()["next_plan"] == "professional"
        ends = {"headers": {"Idempotency-Key": "c2"}}
        client.post(f"{PATH}/cancel", **ends)
        client.post(PATH, {"plan": "starter"})
        assert client.post(f"{PATH}/cancel", **ends)["Idempotency-Replayed"] == "true"
        assert client.get(PATH).json()["next_plan"] == "starter"

    def test_is_audited(self, api: Api, acme: Company) -> None:
        api(acme.api_key).post(PATH, {"plan": "starter"})
        api(acme.api_key).post(f"{PATH}/cancel")
        with tenant_scope(acme.tenant.pk):
            entries = AuditEntry.objects.for_tenant(acme.tenant).filter(action__startswith="subscription.")
            found = {entry.action: entry.changes for entry in entries}
        assert found == {
            "subscription.change": {"plan": "starter", "from": "2026-03-25", "charge": "0"},
            "subscription.cancel": {"when": "period_end"},
        }

    def test_finance_may_look_and_not_change(self, signed_in: Callable[[Any], Any], acme: Company) -> None:
        client = signed_in(acme.finance)
        assert client.get(PATH).status_code == 200
        for path in (PATH, f"{PATH}/preview", f"{PATH}/cancel"):
            assert client.post(path, {"plan": "starter"}, content_type="application/json").status_code == 403


class TestCancel:
    def test_now_ends_with_today(self, api: Api, acme: Company) -> None:
        body = api(acme.api_key).post(f"{PATH}/cancel", {"when": "now"}).json()
        assert (body["ends_at"], body["period_end"]) == ("2026-03-11T00:00:00.000000Z", "2026-03-10")

    def test_with_the_period_is_what_happens_unless_said_otherwise(self, api: Api, acme: Company) -> None:
        move_to(acme, "starter")
        body = api(acme.api_key).post(f"{PATH}/cancel").json()
        assert (body["ends_at"], body["status"]) == ("2026-04-01T00:00:00.000000Z", "active")

    def test_choosing_the_plan_takes_it_back(self, api: Api, acme: Company) -> None:
        move_to(acme, "starter")
        client = api(acme.api_key)
        client.post(f"{PATH}/cancel")
        assert client.post(PATH, {"plan": "starter"}).json()["takes_effect"] == "nothing"
        assert client.get(PATH).json()["ends_at"] is None


class TestEstimate:
    def test_is_the_draft_that_would_be_made_now(self, api: Api, acme: Company) -> None:
        sell_from()
        buy_from(acme)
        move_to(acme, "professional")
        call(acme, 61)
        record(acme, quantity=Decimal(10_000))
        body = api(acme.api_key).get("/v1/billing/estimate").json()
        with tenant_scope(acme.tenant.pk):
            draft = draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=NOW)
        assert body["missing"] == []
        assert [Decimal(body[name]) for name in ("subtotal", "allowance", "tax", "total_amount")] == [
            draft.subtotal, draft.allowance, draft.tax, draft.total_amount,
        ]  # fmt: skip
        assert [line["kind"] for line in body["lines"]] == ["fee", "usage", "usage"]
        assert body["lines"][0]["amount"] == "99.00"

    def test_says_what_is_missing(self, api: Api, acme: Company) -> None:
        record(acme)
        body = api(acme.api_key).get("/v1/billing/estimate").json()
        assert body["tax"] == "0.00"
        assert {reason["code"] for reason in body["missing"]} == {"no-seller", "buyer-country"}

    def test_shows_a_change_of_plan(self, api: Api, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            change_plan(tenant_id=acme.tenant.pk, plan_slug="starter", when=When.NOW, now=NOW)
        (fee,) = api(acme.api_key).get("/v1/billing/estimate").json()["lines"]
        assert (fee["description"], fee["detail"]) == ("Starter plan, monthly fee", "21 of 31 days of 29 a month")
        assert (fee["amount"], fee["unit"]) == ("19.65", "part of a month")
