"""Credit: a ledger nobody changes, one row that says what of it is free, and the holds on it."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import LedgerModel, TenantModel
from usage.models.catalog import price_field


class CreditEntry(LedgerModel):
    """One line of a tenant's credit: a grant (positive), or what was burned of it or lapsed (negative). Append-only.

    The sum of all lines is what the tenant has. A grant says until when and in which order it is used; `grant_id` of
    the other lines names it.
    """

    class Kind(models.TextChoices):
        GRANT = "grant"
        BURN = "burn", "Used for an invoice"
        EXPIRY = "expiry", "Lapsed"

    class Source(models.TextChoices):
        TRIAL = "trial"
        INCLUDED = "included"
        PROMOTIONAL = "promotional"
        PREPAID = "prepaid"

    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.GRANT)
    source = models.CharField(max_length=12, choices=Source.choices)
    key = models.CharField(
        max_length=120, help_text="What it is for, once: `trial`, `included:<period>`, `invoice:<id>`."
    )
    grant_id = models.UUIDField(null=True, blank=True, help_text="The grant it is taken from; empty on a grant.")
    amount = price_field()
    currency = models.CharField(max_length=3)
    priority = models.PositiveSmallIntegerField(default=0, help_text="Of a grant: the smallest is used first.")
    starts_at = models.DateTimeField(help_text="Of a grant: usable from; else when it was used or lapsed.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="The first moment it is no longer usable.")
    note = models.CharField(max_length=200, blank=True, help_text="Shown to the tenant.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(LedgerModel.Meta):
        db_table = "credit_entries"
        verbose_name_plural = "credit entries"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="credit_entries_once",
                condition=Q(kind="grant"),
                violation_error_message="This credit was granted already.",
            ),
            # Its head also finds what was taken of a grant.
            models.UniqueConstraint(
                fields=["tenant", "grant_id", "key"],
                name="credit_entries_taken_once",
                condition=~Q(kind="grant"),
                violation_error_message="This was taken from the grant already.",
            ),
            models.CheckConstraint(
                condition=Q(kind="grant", amount__gt=0, grant_id__isnull=True)
                | (~Q(kind="grant") & Q(amount__lt=0, grant_id__isnull=False)),
                name="credit_entries_sign",
                violation_error_message="A grant is more than 0; what is taken is less than 0 and names its grant.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("starts_at")),
                name="credit_entries_expiry",
                violation_error_message="Credit expires after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} ({self.source})"


class CreditBurn(LedgerModel):
    """That an invoice has taken its credit, and how much there was: one row per key, even when there was none."""

    key = models.CharField(max_length=120)
    period_id = models.UUIDField(null=True, help_text="The billing period whose usage it paid for, if any.")
    asked = price_field()
    burned = price_field()
    burned_at = models.DateTimeField()

    class Meta(LedgerModel.Meta):
        db_table = "credit_burns"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], name="credit_burns_once", violation_error_message="This was burned already."
            ),
            models.CheckConstraint(
                condition=Q(asked__gte=0, burned__gte=0, burned__lte=F("asked")),
                name="credit_burns_amounts",
                violation_error_message="No more is burned than was asked for.",
            ),
        ]
        # Which periods have had their credit.
        indexes = [models.Index(fields=["tenant", "period_id"], name="credit_burns_period")]

    def __str__(self) -> str:
        return self.key


class CreditBalance(TenantModel):
    """What of a tenant's credit is free: one row, changed by conditional UPDATEs only.

    available + held + reserved = the sum of the ledger, at every commit. `reserved` is what usage not yet invoiced takes,
    what is granted for later, and what has ended and waits for the last invoice it may pay.
    """

    currency = models.CharField(max_length=3)
    available = price_field(default=0)
    held = price_field(default=0)
    reserved = price_field(default=0)
    good_until = models.DateTimeField(
        null=True, help_text="Until when `available` may be relied on; empty: work it out first."
    )

    class Meta(TenantModel.Meta):
        db_table = "credit_balances"
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="credit_balances_one"),
            models.CheckConstraint(
                condition=Q(available__gte=0, held__gte=0, reserved__gte=0),
                name="credit_balances_not_negative",
                violation_error_message="Credit never falls below 0.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.available} {self.currency}"


class CreditHold(TenantModel):
    """Credit set aside for something under way, e.g. a call; it ends by itself at `expires_at`."""

    class Status(models.TextChoices):
        HELD = "held"
        SETTLED = "settled"
        RELEASED = "released"
        EXPIRED = "expired"

    key = models.CharField(max_length=120, help_text="What it is for, e.g. `call:<id>`.")
    amount = price_field()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.HELD)
    settled_amount = price_field(null=True, blank=True, help_text="What it came to cost.")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        db_table = "credit_holds"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], name="credit_holds_once", violation_error_message="This has a hold already."
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0) & (Q(settled_amount__isnull=True) | Q(settled_amount__gte=0)),
                name="credit_holds_amount",
                violation_error_message="A hold is more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(status="held", ended_at__isnull=True, settled_amount__isnull=True)
                | (~Q(status="held") & Q(ended_at__isnull=False)),
                name="credit_holds_ended",
                violation_error_message="A hold that ended has its moment, a live one has none.",
            ),
        ]
        # The live holds of a tenant, and those of all that are due to expire.
        indexes = [
            models.Index(fields=["tenant", "expires_at"], name="credit_holds_live", condition=Q(status="held")),
            models.Index(fields=["expires_at"], name="credit_holds_due", condition=Q(status="held")),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.amount}"

    def is_live(self, now: datetime) -> bool:
        """Say whether it holds at `now`: one that has expired holds nothing, whether or not that was noted."""
        return self.status == self.Status.HELD and self.expires_at > now
