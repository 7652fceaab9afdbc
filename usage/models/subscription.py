"""Who uses which plan, in which period, with which credit."""

from datetime import date, datetime

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from common.periods import local_day
from usage.models.catalog import PricingPlan, price_field


class Subscription(TenantModel):
    """A tenant's contract for a plan; one at a time."""

    class Status(models.TextChoices):
        TRIALING = "trialing"
        ACTIVE = "active"
        CANCELED = "canceled"

    plan = models.ForeignKey(PricingPlan, on_delete=models.PROTECT, related_name="+")
    next_plan = models.ForeignKey(
        PricingPlan,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="From the next period on; of a trial: once it ends.",
    )
    status = models.CharField(max_length=10, choices=Status.choices)
    currency = models.CharField(max_length=3)
    started_at = models.DateTimeField()
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="Canceled with the period that ends then; nothing is used after it."
    )
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
            models.CheckConstraint(
                condition=Q(next_plan__isnull=True) | Q(ends_at__isnull=True),
                name="subscriptions_one_future",
                violation_error_message="A subscription that ends has no next plan.",
            ),
        ]
        # What the task that moves subscriptions on looks for.
        indexes = [
            models.Index(fields=["ends_at"], name="subscriptions_ending", condition=~Q(status="canceled")),
            models.Index(fields=["trial_ends_at"], name="subscriptions_trials", condition=Q(status="trialing")),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} ({self.status})"


class BillingPeriod(TenantModel):
    """One cycle of a subscription: days in the zone that held when it began, and the same as moments, half-open.

    It keeps what was agreed when it was opened: the plan its usage is priced by, the fee, which the invoice of the period
    before it bills, and the credit it includes. A closed one is checked against its records before it is billed; where
    they differ it is parked until somebody has looked.

    Every usage transaction reads its state; that is why it lives here and not in billing (ADR 0004).
    """

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"
        PARKED = "parked"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    period_start = models.DateField()
    period_end = models.DateField(help_text="The last day, inclusive.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="The first moment after it.")
    timezone = models.CharField(max_length=64)
    plan = models.ForeignKey(PricingPlan, on_delete=models.PROTECT, related_name="+")
    fee = price_field(default=0, help_text="Of these days, in advance.")
    included_credit = price_field(default=0)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When its sums were found to equal its records.")
    parked_reason = models.CharField(max_length=200, blank=True)
    parked_figures = models.JSONField(default=list, blank=True, help_text="The first differences: records and sums.")
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
                condition=Q(state="open", closed_at__isnull=True, checked_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="billing_periods_closed_at",
                violation_error_message="A closed period has its moment, an open one has none.",
            ),
            models.CheckConstraint(
                condition=Q(state="parked", checked_at__isnull=True) & ~Q(parked_reason="")
                | (~Q(state="parked") & Q(parked_reason="")),
                name="billing_periods_parked",
                violation_error_message="A parked period says why, another has nothing to say.",
            ),
            models.CheckConstraint(
                condition=Q(fee__gte=0, included_credit__gte=0),
                name="billing_periods_terms",
                violation_error_message="Fee and credit are 0 or more.",
            ),
        ]
        indexes = [
            # Each usage record looks for its tenant's open periods.
            models.Index(fields=["tenant", "starts_at"], name="billing_periods_open", condition=Q(state="open")),
            # What is closed and not checked yet.
            models.Index(
                fields=["closed_at"],
                name="billing_periods_unchecked",
                condition=Q(state="closed", checked_at__isnull=True),
            ),
            # The invoice run takes the checked periods of a day.
            models.Index(fields=["period_end"], name="billing_periods_checked", condition=Q(checked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.period_start} to {self.period_end}"

    @property
    def first_day(self) -> date:
        """Return the first local day that usage of this period may be of; after a change of zone the day before its start."""
        return min(self.period_start, self.day_of(self.starts_at))

    def day_of(self, moment: datetime) -> date:
        """Return the local day of a moment, in the zone that holds for this period."""
        return local_day(moment, self.timezone)


class SubscriptionCharge(TenantModel):
    """What a change to a bigger plan costs for the rest of a period whose fee is billed already: one invoice line."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    billing_period = models.ForeignKey(
        BillingPeriod, on_delete=models.PROTECT, related_name="charges", help_text="Whose invoice bills it."
    )
    from_plan = models.ForeignKey(PricingPlan, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(PricingPlan, on_delete=models.PROTECT, related_name="+")
    service_start = models.DateField()
    service_end = models.DateField(help_text="The last day, inclusive.")
    cycle_days = models.PositiveSmallIntegerField(help_text="Days the monthly fee is for.")
    amount = price_field(help_text="Rounded.")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "subscription_charges"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "billing_period", "plan"],
                name="subscription_charges_once",
                violation_error_message="This change is charged already.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, service_end__gte=F("service_start")),
                name="subscription_charges_amount",
                violation_error_message="A change costs 0 or more, for one day or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.service_start} to {self.service_end}"
