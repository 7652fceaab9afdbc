"""A top-up: a request to pay in advance, which becomes prepaid credit once it is paid."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from billing.models.amounts import amount_field
from billing.models.parties import LegalEntity


class TopUp(TenantModel):
    """What a tenant asked to pay in advance. It is no invoice: no tax is charged and nothing is earned by it.

    `amount_paid` is the sum of its payments; each granted as much prepaid credit.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        CANCELED = "canceled"

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=20)
    series_number = models.BigIntegerField()
    number = models.CharField(max_length=40)
    reference = models.CharField(
        max_length=25, help_text="For the transfer: a creditor reference (ISO 11649) with check digits."
    )
    amount = amount_field()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    amount_paid = amount_field(default=0, help_text="Sum of the payments.")
    seller = models.JSONField(default=dict, help_text="The seller as it was when it was asked for.")
    buyer = models.JSONField(default=dict, help_text="The buyer as it was when it was asked for.")
    issue_date = models.DateField()
    created_at = models.DateTimeField(help_text="When it was asked for.")
    paid_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        db_table = "top_ups"
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "series", "series_number"], name="top_ups_series"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount_paid__gte=0),
                name="top_ups_amount",
                violation_error_message="A top-up is more than 0.",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(paid_at__isnull=False),
                name="top_ups_paid",
                violation_error_message="What is paid says since when.",
            ),
        ]
        # The tenant's list of top-ups, newest first.
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="top_ups_newest")]

    def __str__(self) -> str:
        return self.number

    @property
    def amount_due(self) -> Decimal:
        """Return what is still to be paid of it."""
        due: Decimal = self.amount - self.amount_paid
        return max(Decimal(0), due)
