"""The ledger of usage. Records and deltas are only ever added; what readers sum is summaries plus deltas."""

from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from accounts.tenancy.models import LedgerModel
from usage.models.catalog import PricingRate, price_field, quantity_field
from usage.models.subscription import BillingPeriod


def cost_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for an unrounded cost: twelve decimals."""
    return models.DecimalField(max_digits=32, decimal_places=12, **options)


class Measured(LedgerModel):
    """What a record, a delta and a summary have in common: what was used, in which period, at which price."""

    # Every key of these tables begins with the tenant: an index of its own would only cost.
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    channel = models.CharField(max_length=20)
    resource_type = models.CharField(max_length=20)
    billing_period = models.ForeignKey(
        BillingPeriod, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    rate = models.ForeignKey(
        PricingRate, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        abstract = True
        default_manager_name = "unscoped"
        base_manager_name = "unscoped"


class UsageRecord(Measured):
    """One metered fact, never changed. Partitioned by month of `occurred_at`; its key is (tenant_id, id, occurred_at).

    A reversal has the negative quantities and cost of the record it `reverses`, on the same day at the same rate, and counts
    -1; an amendment is what should have been recorded instead.
    """

    class Kind(models.TextChoices):
        USAGE = "usage"
        REVERSAL = "reversal"
        AMENDMENT = "amendment"

    resource_id = models.CharField(max_length=80, blank=True, help_text="Public id of what was used, e.g. CA….")
    direction = models.CharField(max_length=8, blank=True)
    destination = models.CharField(max_length=40, blank=True)
    quantity = quantity_field(help_text="As measured, e.g. seconds.")
    billed_quantity = quantity_field(help_text="After call increments.")
    unit_cost = price_field(help_text="Per priced unit, e.g. per minute.")
    total_cost = cost_field(null=True, help_text="Unrounded; empty where only the period's sum has a price.")
    currency = models.CharField(max_length=3)
    metadata = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    usage_date = models.DateField(help_text="The tenant's local day.")
    dedup_key = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.USAGE)
    reverses = models.UUIDField(null=True, blank=True, help_text="The record it takes back, or stands in for.")
    created_at = models.DateTimeField()

    class Meta(Measured.Meta):
        abstract = False
        db_table = "usage_records"
        # The tenant's list of events, newest first.
        indexes = [models.Index(fields=["tenant", "-occurred_at", "-id"], name="usage_records_newest")]

    def __str__(self) -> str:
        return self.dedup_key


class UsageDedup(models.Model):
    """Which idempotency keys were used, whatever their time, and for what (SHA-256 of the canonical event)."""

    pk = models.CompositePrimaryKey("tenant", "key")
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.CharField(max_length=200)
    content_hash = models.BinaryField(max_length=32)
    record_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "usage_dedup"
        # The nightly sweep deletes by age; rows are appended in its order.
        indexes = [BrinIndex(fields=["created_at"], name="usage_dedup_age")]


class UsageReversal(models.Model):
    """Which records were taken back, each once, by what, and what stands in for it (`content_hash`: for which content)."""

    pk = models.CompositePrimaryKey("tenant", "record_id")
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    record_id = models.UUIDField()
    reversal_id = models.UUIDField()
    amendment_id = models.UUIDField(null=True)
    content_hash = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "usage_reversals"


class Summed(Measured):
    """Sums of one day, meter and rate version."""

    summary_date = models.DateField(help_text="The tenant's local day.")
    total_quantity = quantity_field()
    billed_quantity = quantity_field()
    total_cost = cost_field(help_text="Sum of the records' costs; 0 where records have none.")
    record_count = models.BigIntegerField(help_text="A reversal counts -1.")

    class Meta(Measured.Meta):
        abstract = True


class UsageSummary(Summed):
    """Folded sums: one row per period, day, meter and rate version."""

    class Meta(Measured.Meta):
        abstract = False
        db_table = "usage_summaries"
        verbose_name_plural = "usage summaries"
        constraints = [
            # The head (tenant, period) serves `current_period`; tests prove the fold's upsert uses the whole.
            models.UniqueConstraint(
                fields=["tenant", "billing_period", "summary_date", "channel", "resource_type", "rate"],
                name="usage_summaries_once",
            )
        ]
        # History reads by day, whatever the period.
        indexes = [models.Index(fields=["tenant", "summary_date"], name="usage_summaries_day")]


class UsageSummaryDelta(Summed):
    """Sums not folded yet: one row per record or batch, appended; a worker moves them into the summaries."""

    class Meta(Measured.Meta):
        abstract = False
        db_table = "usage_summary_deltas"
