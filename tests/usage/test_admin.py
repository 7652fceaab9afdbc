"""Operators see meters, prices and ledgers; ledgers are not counted and not changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model

from accounts.models import User
from accounts.tenancy import tenant_scope
from billing.services import draft_invoice
from common.admin import EstimatedPaginator
from tests.factories import NOW, PASSWORD, Company
from tests.usage.helpers import call, periods, record
from usage.models import PricingRate, UsageRecord, UsageSummary

PAGES = [
    "usage/pricingplan",
    "usage/pricingrate",
    "usage/meter",
    "usage/subscription",
    "usage/billingperiod",
    "usage/creditentry",
    "usage/creditburn",
    "usage/creditbalance",
    "usage/credithold",
    "usage/feature",
    "usage/entitlement",
    "usage/quotacounter",
    "usage/thresholdsetting",
    "usage/thresholdcrossing",
    "usage/usagerecord",
    "usage/usagesummary",
    "billing/invoice",
    "billing/legalentity",
]
LEDGERS = ["usage/usagerecord", "usage/usagesummary", "usage/creditburn", "usage/creditbalance", "billing/invoice"]
SignedIn = Callable[[Any], Any]


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia")


@pytest.fixture(autouse=True)
def some_usage(acme: Company) -> None:
    call(acme, 61)
    with tenant_scope(acme.tenant.pk):
        draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=NOW)


@pytest.mark.parametrize("page", PAGES)
def test_lists_every_tenant_s(page: str, signed_in: SignedIn, operator: User) -> None:
    assert signed_in(operator).get(f"/admin/{page}/").status_code == 200


@pytest.mark.parametrize("page", LEDGERS)
def test_a_ledger_takes_no_additions(page: str, signed_in: SignedIn, operator: User) -> None:
    assert signed_in(operator).get(f"/admin/{page}/add/").status_code == 403


def test_a_record_is_shown_and_not_changed(signed_in: SignedIn, operator: User, acme: Company) -> None:
    record_id = record(acme).record_id
    client = signed_in(operator)
    page = client.get(f"/admin/usage/usagerecord/{record_id}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.post(f"/admin/usage/usagerecord/{record_id}/change/", {"quantity": "9"}).status_code == 403
    assert client.post(f"/admin/usage/usagerecord/{record_id}/delete/", {"post": "yes"}).status_code == 403


def test_an_invoice_shows_its_lines(signed_in: SignedIn, operator: User, acme: Company) -> None:
    with tenant_scope(acme.tenant.pk):
        invoice = draft_invoice(tenant_id=acme.tenant.pk, period_id=periods(acme)[0].pk, now=NOW)
    page = signed_in(operator).get(f"/admin/billing/invoice/{invoice.pk}/change/")
    assert b"Voice, outbound to +1" in page.content
    assert b'name="_save"' not in page.content


@pytest.mark.parametrize("model", [UsageRecord, UsageSummary])
def test_a_large_ledger_is_never_counted(model: type[Model]) -> None:
    page = admin.site._registry[model]
    assert page.paginator is EstimatedPaginator
    assert page.show_full_result_count is False
    assert page.show_facets is admin.ShowFacets.NEVER


def test_a_rate_can_only_be_ended(signed_in: SignedIn, operator: User) -> None:
    rate = PricingRate.objects.filter(plan__slug="starter", channel="sms").first()
    assert rate is not None
    page = signed_in(operator).get(f"/admin/usage/pricingrate/{rate.pk}/change/").content
    assert b'name="effective_until"' in page
    assert b'name="unit_price"' not in page
