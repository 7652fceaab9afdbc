"""What a tenant may do: features, a tenant's own exceptions, how much of a quota is used, and which marks were passed."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import LedgerModel, TenantModel
from common.ids import uuid7
from common.money import plain
from usage.models.catalog import quantity_field


class Feature(models.Model):
    """Something a plan may allow. Plans say how much in `plan_features`; one a plan does not name is without limit.

    A boolean one is allowed or not (not named: not). A static one is a number others hold to, e.g. seats. A metered one
    is a quota that begins anew with each billing period, counted by `consume` and, where it has a meter, by its usage.
    """

    class Kind(models.TextChoices):
        BOOLEAN = "boolean", "Yes or no"
        STATIC = "static", "A number"
        METERED = "metered", "A quota per period"

    class Cap(models.TextChoices):
        BLOCK = "block", "Refuse what is over it"
        ALERT = "alert", "Only tell"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=40, unique=True, error_messages={"unique": "This feature exists already."})
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    cap = models.CharField(max_length=5, choices=Cap.choices, default=Cap.BLOCK, help_text="Of a quota.")
    unit = models.CharField(max_length=20, blank=True, help_text="What is counted, e.g. minutes.")
    channel = models.CharField(max_length=20, blank=True, help_text="Of a quota: the meter that counts it, if any.")
    resource_type = models.CharField(max_length=20, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on pages.")

    class Meta:
        db_table = "features"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="", resource_type="") | (Q(kind="metered") & ~Q(channel="") & ~Q(resource_type="")),
                name="features_meter",
                violation_error_message="Only a quota has a meter, and both of its names.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def meter_key(self) -> tuple[str, str] | None:
        """Return the meter that counts it, as (channel, resource type)."""
        return (self.channel, self.resource_type) if self.channel else None


class Entitlement(TenantModel):
    """A tenant's own value of a feature instead of its plan's, for some time. Of several the one begun last holds."""

    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="+")
    value = models.JSONField(null=True, blank=True, help_text="A number, true or false; null is without limit.")
    cap = models.CharField(max_length=5, choices=Feature.Cap.choices, blank=True, help_text="Empty: the feature's.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="The first moment it no longer holds.")
    note = models.CharField(max_length=200, blank=True, help_text="Why.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "entitlements"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "feature", "starts_at"],
                name="entitlements_start",
                violation_error_message="Another one of this feature starts then.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="entitlements_order",
                violation_error_message="It ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feature_id}: {self.value}"

    def holds(self, now: datetime) -> bool:
        """Say whether it is the time for it."""
        return self.starts_at <= now and (self.ends_at is None or self.ends_at > now)


class QuotaCounter(TenantModel):
    """How much of a quota is used in a billing period: changed by conditional UPDATEs only."""

    # No foreign key: to check it would lock the period's row for each use.
    period_id = models.UUIDField()
    feature = models.CharField(max_length=40, help_text="The feature's slug.")
    used = quantity_field(default=0)

    class Meta(TenantModel.Meta):
        db_table = "quota_counters"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period_id", "feature"], name="quota_counters_once"),
            models.CheckConstraint(
                condition=Q(used__gte=0),
                name="quota_counters_not_negative",
                violation_error_message="No less than 0 is used.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feature}: {self.used}"


class Subject(models.TextChoices):
    """What a threshold watches."""

    QUOTA = "quota", "A quota"
    CREDIT = "credit", "Credit"
    COST = "cost", "What the period costs"


class ThresholdSetting(TenantModel):
    """At which marks a tenant wants to be told, instead of 50, 80, 90 and 100 %. Both lists empty: at none."""

    subject = models.CharField(max_length=6, choices=Subject.choices)
    feature = models.CharField(
        max_length=40, blank=True, help_text="Of a quota: the feature's slug; empty: all others."
    )
    percents = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(1000)]),
        default=list,
        blank=True,
        help_text="Of the quota, or of the credit there was.",
    )
    amounts = ArrayField(
        quantity_field(),
        default=list,
        blank=True,
        help_text="Used of a quota, in its unit; left of the credit; or what the period costs, in money.",
    )

    class Meta(TenantModel.Meta):
        db_table = "threshold_settings"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "subject", "feature"],
                name="threshold_settings_once",
                violation_error_message="There are thresholds for this already.",
            ),
            models.CheckConstraint(
                condition=Q(subject="quota") | Q(feature=""),
                name="threshold_settings_feature",
                violation_error_message="Only a quota's thresholds name a feature.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.feature}".strip()


class ThresholdCrossing(LedgerModel):
    """That a mark was reached in a billing period, and was told: once."""

    class Basis(models.TextChoices):
        PERCENT = "percent"
        AMOUNT = "amount"

    period_id = models.UUIDField()
    subject = models.CharField(max_length=6, choices=Subject.choices)
    feature = models.CharField(max_length=40, blank=True)
    basis = models.CharField(max_length=7, choices=Basis.choices)
    value = quantity_field()
    used = quantity_field(help_text="Of a quota in its unit, else in money.")
    limit = quantity_field(null=True, help_text="The quota, or the credit there was; empty for a mere amount.")
    crossed_at = models.DateTimeField()

    class Meta(LedgerModel.Meta):
        db_table = "threshold_crossings"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "period_id", "subject", "feature", "basis", "value"],
                name="threshold_crossings_once",
            )
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.subject, self.feature, plain(self.value), self.basis) if part)


class UsageWatch(TenantModel):
    """What of a tenant's usage was last compared with its thresholds: nothing is worked out again until it changes."""

    period_id = models.UUIDField()
    record_count = models.BigIntegerField()
    quantity = quantity_field()
    watched_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "usage_watches"
        constraints = [models.UniqueConstraint(fields=["tenant"], name="usage_watches_one")]
