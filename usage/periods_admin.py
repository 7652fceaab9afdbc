"""Operators' pages: subscriptions and their billing periods, and what is to become of those that are parked."""

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.tenancy import tenant_scope
from common.admin import LedgerAdmin
from common.clients import address_of
from common.errors import DomainError
from usage.models import BillingPeriod, Subscription, SubscriptionCharge
from usage.services import Actor, How, unpark_period


@admin.register(Subscription)
class SubscriptionAdmin(LedgerAdmin):
    list_display = ("tenant", "plan", "next_plan", "status", "currency", "started_at", "trial_ends_at", "ends_at")
    list_filter = ("status", "plan")
    list_select_related = ("tenant", "plan", "next_plan")
    search_fields = ("tenant__name",)


@admin.register(SubscriptionCharge)
class SubscriptionChargeAdmin(LedgerAdmin):
    list_display = ("tenant", "from_plan", "plan", "service_start", "service_end", "amount", "created_at")
    list_select_related = ("tenant", "from_plan", "plan")
    search_fields = ("tenant__name",)


@admin.register(BillingPeriod)
class BillingPeriodAdmin(LedgerAdmin):
    """A parked period shows where its sums differ from its records; an operator rebuilds the sums or accepts them."""

    list_display = ("tenant", "period_start", "period_end", "plan", "state", "closed_at", "checked_at", "parked_reason")
    list_filter = ("state", "plan")
    list_select_related = ("tenant", "plan")
    search_fields = ("tenant__name",)
    actions = ("rebuild", "accept")

    def has_unpark_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("usage.change_billingperiod"))

    @admin.action(description="Unpark: rebuild the sums from the records", permissions=["unpark"])
    def rebuild(self, request: HttpRequest, chosen: QuerySet[BillingPeriod]) -> None:
        self._unpark(request, chosen, How.REBUILD)

    @admin.action(description="Unpark: accept the sums as they are", permissions=["unpark"])
    def accept(self, request: HttpRequest, chosen: QuerySet[BillingPeriod]) -> None:
        self._unpark(request, chosen, How.ACCEPT)

    def _unpark(self, request: HttpRequest, chosen: QuerySet[BillingPeriod], how: How) -> None:
        """Unpark each on its own; say which were refused, and why."""
        who = cast("User", request.user)
        actor = Actor(kind="operator", name=who.name, id=who.pk, address=address_of(request) or None)
        for period in chosen.select_related("tenant").order_by("tenant_id", "starts_at"):
            try:
                with tenant_scope(period.tenant_id):
                    unpark_period(
                        tenant_id=period.tenant_id, period_id=period.pk, how=how, actor=actor, now=timezone.now()
                    )
            except DomainError as error:
                self.message_user(request, f"{period.tenant}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{period.tenant}: the period {period} is no longer parked.")
