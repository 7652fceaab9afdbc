"""A new tenant is on trial, in one transaction with its sign-up, at prices that are all there."""

import pytest
from django.db import transaction

from accounts.models import Tenant
from accounts.services import create_tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import Conflict, Invalid
from tests.factories import NOW, Company, make_user
from tests.usage.helpers import at
from usage.models import BillingPeriod, CreditEntry, PricingPlan, PricingRate, Subscription
from usage.services import start_subscription


class TestSignUp:
    def test_begins_the_trial(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            subscription = Subscription.objects.for_tenant(acme.tenant).select_related("plan").get()
        assert (subscription.plan.slug, subscription.status, subscription.currency) == ("free_trial", "trialing", "USD")
        assert (subscription.started_at, subscription.trial_ends_at) == (NOW, at(2026, 3, 24))

    def test_grants_fifty_once_until_the_trial_ends(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            (grant,) = CreditEntry.objects.for_tenant(acme.tenant)
        assert (grant.amount, grant.currency, grant.source) == (50, "USD", "trial")
        assert (grant.starts_at, grant.expires_at) == (at(2026, 3, 10, 0), at(2026, 3, 24))

    def test_copies_the_plan_s_features_to_the_tenant(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            tenant = Tenant.objects.get(pk=acme.tenant.pk)
        assert tenant.plan == "free_trial"
        assert tenant.limits == {
            "widgets": 1,
            "seats": 2,
            "concurrent_calls": 2,
            "call_recording": False,
            "api_requests_per_minute": 60,
            "retention_days": 30,
        }

    def test_fails_whole_when_no_plan_is_in_the_tenant_s_currency(self, db: None) -> None:
        owner = make_user("Erik")
        with pytest.raises(Invalid) as refusal, transaction.atomic():
            create_tenant(name="Euro", slug="euro", owner=owner, currency="EUR", now=NOW)
        assert refusal.value.code == "other-currency"
        with system_access("test"):
            assert not Tenant.objects.filter(slug="euro").exists()


class TestStart:
    def test_refuses_a_second_subscription(self, acme: Company) -> None:
        with pytest.raises(Conflict), tenant_scope(acme.tenant.pk):
            start_subscription(tenant=acme.tenant, plan_slug="starter", now=NOW)
        with tenant_scope(acme.tenant.pk):
            assert Subscription.objects.for_tenant(acme.tenant).get().plan.slug == "free_trial"
            assert BillingPeriod.objects.for_tenant(acme.tenant).count() == 1

    @pytest.mark.parametrize("slug", ["platinum", "", "retired"])
    def test_refuses_a_plan_not_on_offer(self, acme: Company, slug: str) -> None:
        PricingPlan.objects.create(slug="retired", name="Retired", currency="USD", monthly_fee=1, is_offered=False)
        with pytest.raises(Invalid) as refusal, tenant_scope(acme.tenant.pk):
            start_subscription(tenant=acme.tenant, plan_slug=slug, now=NOW)
        assert refusal.value.code == "unknown-plan"

    def test_refuses_a_plan_that_leaves_a_meter_without_a_price(self, acme: Company) -> None:
        plan = PricingPlan.objects.create(slug="gaps", name="Gaps", currency="USD", monthly_fee=1)
        with system_access("test"):
            PricingRate.objects.create(
                plan=plan,
                channel="sms",
                resource_type="message",
                currency="USD",
                unit_price=0,
                effective_from=NOW.date(),
            )
        with pytest.raises(Invalid) as refusal, tenant_scope(acme.tenant.pk):
            start_subscription(tenant=acme.tenant, plan_slug="gaps", now=NOW)
        assert refusal.value.code == "no-rate"
        assert "voice/minute" in refusal.value.message
        assert "sms/message" not in refusal.value.message
