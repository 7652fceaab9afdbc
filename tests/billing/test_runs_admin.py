"""Operators see how far runs are and what does not agree; they unpark a period, and that is audited."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from accounts.models import AuditEntry, User
from accounts.tenancy import system_access, tenant_scope
from billing.models import Reconciliation
from tests.factories import NOW, PASSWORD, Company
from tests.usage.helpers import at, periods, record
from usage.services import check_period, close_period, fold_deltas

SignedIn = Callable[[Any], Any]
PAGES = ["billing/invoicerun", "billing/invoicerunitem", "billing/reconciliation", "usage/subscriptioncharge"]


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia")


@pytest.fixture
def parked(acme: Company) -> Company:
    record(acme)
    with system_access("test"), connection.cursor() as cursor:
        fold_deltas()
        cursor.execute("UPDATE usage_summaries SET total_quantity = 2")
    with tenant_scope(acme.tenant.pk):
        for step in (close_period, check_period):
            step(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=at(2026, 4, 1, 2))
    return acme


@pytest.mark.parametrize("page", PAGES)
def test_lists_and_takes_no_additions(page: str, signed_in: SignedIn, operator: User) -> None:
    Reconciliation.objects.create(started_at=NOW, finished_at=NOW, invoices=1, lines=2, findings=[{"check": "x"}])
    client = signed_in(operator)
    assert client.get(f"/admin/{page}/").status_code == 200
    assert client.get(f"/admin/{page}/add/").status_code == 403


@pytest.mark.parametrize("way", ["rebuild", "accept"])
def test_unparks_in_the_operator_s_name(way: str, signed_in: SignedIn, operator: User, parked: Company) -> None:
    period = periods(parked)[0]
    client = signed_in(operator)
    assert b"Sums differ from records" in client.get("/admin/usage/billingperiod/?state__exact=parked").content
    body = {"action": way, "_selected_action": [str(period.pk)]}
    for words in (b"no longer parked", b"is closed, not parked"):
        assert words in client.post("/admin/usage/billingperiod/", body, follow=True).content
    assert periods(parked)[0].state == "closed"
    with tenant_scope(parked.tenant.pk):
        entry = AuditEntry.objects.for_tenant(parked.tenant).get(action="billing_period.unpark")
    assert (entry.actor_name, entry.changes["how"]) == ("Olivia", way)


def test_an_operator_who_may_only_look_does_not(signed_in: SignedIn, parked: Company) -> None:
    viewer = User.objects.create_user("vera@example.com", PASSWORD, name="Vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_billingperiod"))
    body = {"action": "accept", "_selected_action": [str(periods(parked)[0].pk)]}
    signed_in(viewer).post("/admin/usage/billingperiod/", body)
    assert periods(parked)[0].state == "parked"
