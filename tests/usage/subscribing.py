"""What tests of subscriptions say often."""

from datetime import datetime
from decimal import Decimal

from accounts.models import Tenant
from accounts.tenancy import tenant_scope
from tests.factories import NOW, Company
from tests.usage.helpers import at, periods
from usage.changes import Change, When
from usage.models import CreditBalance, CreditEntry, Subscription
from usage.selectors import Fee, fees_of
from usage.selectors.credit import credit_left
from usage.services import (
    advance_subscription,
    cancel_subscription,
    change_plan,
    roll_periods,
)

D = Decimal


def choose(company: Company, plan: str, when: When | None = None, now: datetime = NOW) -> Change:
    with tenant_scope(company.tenant.pk):
        return change_plan(tenant_id=company.tenant.pk, plan_slug=plan, when=when, now=now)


def cancel(company: Company, when: When = When.PERIOD_END, now: datetime = NOW) -> None:
    with tenant_scope(company.tenant.pk):
        cancel_subscription(tenant_id=company.tenant.pk, when=when, now=now)


def go_on(company: Company, now: datetime) -> None:
    """Let what the task does every five minutes happen at `now`."""
    with tenant_scope(company.tenant.pk):
        advance_subscription(tenant_id=company.tenant.pk, now=now)
        roll_periods(tenant_id=company.tenant.pk, now=now)


def subscription(company: Company) -> Subscription:
    with tenant_scope(company.tenant.pk):
        found = Subscription.objects.for_tenant(company.tenant).select_related("plan", "next_plan")
        latest = found.order_by("-started_at", "-id").first()
    assert latest is not None
    return latest


def tenant(company: Company) -> Tenant:
    with tenant_scope(company.tenant.pk):
        return Tenant.objects.get(pk=company.tenant.pk)


def fees(company: Company, index: int) -> list[Fee]:
    with tenant_scope(company.tenant.pk):
        return fees_of(tenant_id=company.tenant.pk, period=periods(company)[index])


def spans(company: Company) -> list[tuple[str, str, str]]:
    return [(str(p.period_start), str(p.period_end), p.plan.slug) for p in periods(company)]


def included(company: Company) -> list[Decimal]:
    with tenant_scope(company.tenant.pk):
        grants = CreditEntry.objects.for_tenant(company.tenant).filter(source="included", kind="grant")
        return [grant.amount for grant in grants.order_by("starts_at", "id")]


def live(company: Company, now: datetime) -> Decimal:
    """Return the credit that may be used at `now`."""
    with tenant_scope(company.tenant.pk):
        grants = credit_left(tenant_id=company.tenant.pk, now=now).grants
        return sum((grant.amount for grant in grants if grant.is_live(now)), D(0))


def balance(company: Company) -> Decimal:
    """Return all that is left in the ledger, of what has begun or is still to begin, as the balance says it too."""
    with tenant_scope(company.tenant.pk):
        entries = CreditEntry.objects.for_tenant(company.tenant)
        total = sum(entries.values_list("amount", flat=True), D(0))
        row = CreditBalance.objects.for_tenant(company.tenant).get()
        assert total == row.available + row.held + row.reserved
        gone = [grant.amount for grant in credit_left(tenant_id=company.tenant.pk, now=NOW).grants
                if grant.expires_at and grant.expires_at <= at(2026, 4, 30, 12)]  # fmt: skip
        return total - sum(gone, D(0))


MID_APRIL = at(2026, 4, 16)
