"""Operators grant credit and make exceptions; every such act stands in the company's audit log."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.tenancy import tenant_scope
from tests.factories import NOW, PASSWORD, Company
from tests.usage.credit_helpers import balance, entries
from tests.usage.helpers import rows
from tests.usage.test_quotas import entitle, limits
from usage import services
from usage.models import CreditEntry, Entitlement, Feature

D = Decimal


@pytest.fixture
def operator(db: None, signed_in: Callable[[Any], Client]) -> Client:
    return signed_in(User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia"))


def audited(company: Company) -> list[tuple[str, str, dict[str, Any]]]:
    with tenant_scope(company.tenant.pk):
        found = AuditEntry.objects.for_tenant(company.tenant).order_by("created_at")
        return [(row.actor_name, row.action, row.changes) for row in found]


def grant_form(company: Company, **changes: str) -> dict[str, str]:
    return {
        "tenant": str(company.tenant.pk),
        "source": "promotional",
        "amount": "25.50",
        "starts_at_0": "2026-03-10",
        "starts_at_1": "12:00:00",
        "expires_at_0": "",
        "expires_at_1": "",
        "note": "Sorry for Tuesday",
        "key": "operator:1",
        **changes,
    }


class TestGrant:
    path = "/admin/usage/creditentry/add/"

    def test_is_made_once_and_audited(self, operator: Client, acme: Company) -> None:
        assert operator.get(self.path).status_code == 200
        answers = [operator.post(self.path, grant_form(acme)).status_code for _ in range(2)]
        assert answers == [302, 302]
        assert entries(acme) == [("grant", "trial", 50), ("grant", "promotional", D("25.50"))]
        assert balance(acme) == (0, 0, D("75.50"))
        changes = {"source": "promotional", "amount": "25.50", "currency": "USD"}
        assert audited(acme) == [("Olivia", "credit.granted", changes)]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount": "0"},
            {"amount": "-5"},
            {"source": "trial"},
            {"expires_at_0": "2026-03-10", "expires_at_1": "12:00:00"},
            {"tenant": ""},
        ],
    )
    def test_refuses_nonsense(self, operator: Client, acme: Company, wrong: dict[str, str]) -> None:
        assert operator.post(self.path, grant_form(acme, **wrong)).status_code == 200
        assert entries(acme) == [("grant", "trial", 50)]
        assert audited(acme) == []

    def test_a_line_is_shown_whole_and_not_changed(self, operator: Client, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            line = CreditEntry.objects.for_tenant(acme.tenant).get()
        page = operator.get(f"/admin/usage/creditentry/{line.pk}/change/")
        assert page.status_code == 200
        assert b"trial" in page.content
        assert b'name="_save"' not in page.content


class TestEntitlement:
    path = "/admin/usage/entitlement/add/"

    def form(self, company: Company, **changes: str) -> dict[str, str]:
        return {
            "tenant": str(company.tenant.pk),
            "feature": str(Feature.objects.get(slug="seats").pk),
            "value": "40",
            "cap": "",
            "starts_at_0": "2026-03-10",
            "starts_at_1": "12:00:00",
            "ends_at_0": "",
            "ends_at_1": "",
            "note": "",
            **changes,
        }

    def test_is_given_copied_and_audited(self, operator: Client, acme: Company) -> None:
        assert operator.post(self.path, self.form(acme)).status_code == 302
        assert limits(acme)["seats"] == 40
        assert audited(acme) == [("Olivia", "entitlement.given", {"feature": "seats", "value": 40})]

    @pytest.mark.parametrize("wrong", [{"value": "true"}, {"value": "-1"}, {"value": "{"}, {"ends_at_0": "2026-03-01"}])
    def test_refuses_nonsense(self, operator: Client, acme: Company, wrong: dict[str, str]) -> None:
        assert operator.post(self.path, self.form(acme, **wrong)).status_code == 200
        assert limits(acme)["seats"] == 2
        assert rows(acme, "SELECT 1 FROM entitlements") == []

    def test_is_ended_by_an_action(self, operator: Client, acme: Company) -> None:
        row = entitle(acme, "seats", 40)
        path, chosen = "/admin/usage/entitlement/", {"action": "end_now", "_selected_action": str(row.pk)}
        assert operator.post(path, chosen).status_code == 302
        assert limits(acme)["seats"] == 2
        assert [action for _, action, _ in audited(acme)] == ["entitlement.ended"]
        assert operator.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        with tenant_scope(acme.tenant.pk):
            assert Entitlement.objects.for_tenant(acme.tenant).get().ends_at is not None


def test_a_hold_is_released_by_an_action(operator: Client, acme: Company) -> None:
    with tenant_scope(acme.tenant.pk):
        services.hold(tenant_id=acme.tenant.pk, key="c", amount=D(9), expires_at=NOW + timedelta(days=999), now=NOW)
    held = rows(acme, "SELECT id FROM credit_holds")[0][0]
    chosen = {"action": "release", "_selected_action": str(held)}
    assert operator.post("/admin/usage/credithold/", chosen).status_code == 302
    assert balance(acme) == (50, 0, 0)
    assert [action for _, action, _ in audited(acme)] == ["credit.hold_released"]


def test_an_agent_opens_none_of_it(signed_in: Callable[[Any], Client], acme: Company) -> None:
    client = signed_in(acme.agent)
    for path in (TestGrant.path, TestEntitlement.path):
        assert client.get(path).status_code == 302
        assert client.post(path, grant_form(acme)).status_code == 302
    assert entries(acme) == [("grant", "trial", 50)]
