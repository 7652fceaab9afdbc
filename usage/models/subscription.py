"""Who uses which plan, in which period, with which credit."""

from datetime import date, datetime

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from common.periods import local_day
from usage.models.catalog import PricingPlan


class Subscription(TenantModel):
    """A tenant's contract for a plan; one at a time."""

    class Status(models.TextChoices):
        TRIALING = "trialing"
        ACTIVE = "active"
        CANCELED = "canceled"

    plan = models.ForeignKey(PricingPlan, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices)
    currency = models.CharField(max_length=3)
    started_at = models.DateTimeField()
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "subscriptions"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                name="subscriptions_one_live",
                condition=~Q(status="canceled"),
                violation_error_message="The tenant has a subscription already.",
            ),
            models.CheckConstraint(
                condition=Q(status="canceled", canceled_at__isnull=False)
                | (~Q(status="canceled") & Q(canceled_at__isnull=True)),
                name="subscriptions_canceled_at",
                violation_error_message="A canceled subscription has its moment, a live one has none.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} ({self.status})"


class BillingPeriod(TenantModel):
    """One cycle of a subscription: days in the zone that held when it began, and the same as moments, half-open.

    Every usage transaction reads its state; that is why it lives here and not in billing (ADR 0004).
    """

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    period_start = models.DateField()
    period_end = models.DateField(help_text="The last day, inclusive.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="The first moment after it.")
    timezone = models.CharField(max_length=64)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "billing_periods"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "starts_at"],
                name="billing_periods_start",
                violation_error_message="A period of this tenant starts then already.",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start"), ends_at__gt=F("starts_at")),
                name="billing_periods_order",
                violation_error_message="A period ends after it starts.",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | Q(state="closed", closed_at__isnull=False),
                name="billing_periods_closed_at",
                violation_error_message="A closed period has its moment, an open one has none.",
            ),
        ]
        # Each usage record looks for its tenant's open periods.
        indexes = [
            models.Index(fields=["tenant", "starts_at"], name="billing_periods_open", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.period_start} to {self.period_end}"

    def day_of(self, moment: datetime) -> date:
        """Return the local day of a moment, in the zone that holds for this period."""
        return local_day(moment, self.timezone)
