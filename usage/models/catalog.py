"""What can be measured and what it costs: the same rows for every tenant, except a tenant's own rates."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from common.ids import uuid7
from usage.rating import PricingModel


def price_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for a price: ten decimals, never negative (each table's constraint says so)."""
    return models.DecimalField(max_digits=20, decimal_places=10, **options)


def quantity_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for a quantity in metered units: six decimals."""
    return models.DecimalField(max_digits=24, decimal_places=6, **options)


class Meter(models.Model):
    """Something that is counted. Quantities are kept in metered units; `price_per` of them are one priced unit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.CharField(max_length=20)
    resource_type = models.CharField(max_length=20)
    name = models.CharField(max_length=60, help_text="As an invoice says it, e.g. Voice.")
    unit = models.CharField(max_length=20, help_text="One priced unit, e.g. minute.")
    unit_plural = models.CharField(max_length=20)
    metered_unit = models.CharField(max_length=20, help_text="What quantities are kept in, e.g. second.")
    price_per = models.PositiveIntegerField(default=1, help_text="Metered units in one priced unit, e.g. 60.")
    position = models.PositiveSmallIntegerField(help_text="Order on invoices and pages.")

    class Meta:
        db_table = "usage_meters"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "resource_type"],
                name="usage_meters_once",
                violation_error_message="This meter exists already.",
            ),
            models.CheckConstraint(
                condition=Q(price_per__gte=1),
                name="usage_meters_price_per",
                violation_error_message="A priced unit has at least one metered unit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.resource_type}"


class PricingPlan(models.Model):
    """A plan tenants subscribe to. The fee is owed in advance; `included_credit` lowers what usage costs."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=40, unique=True, error_messages={"unique": "This plan exists already."})
    name = models.CharField(max_length=60)
    currency = models.CharField(max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$", "ISO 4217, in capitals.")])
    monthly_fee = price_field()
    included_credit = price_field(default=0)
    is_credit_once = models.BooleanField(default=False, help_text="Granted once, not every period.")
    trial_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_offered = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "pricing_plans"
        constraints = [
            models.CheckConstraint(
                condition=Q(monthly_fee__gte=0, included_credit__gte=0),
                name="pricing_plans_not_negative",
                violation_error_message="Fee and credit are 0 or more.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanFeature(models.Model):
    """What a plan allows: `{"value": 5}`, `{"value": true}`, or `{"value": null}` for without limit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.ForeignKey(PricingPlan, on_delete=models.CASCADE, related_name="features")
    slug = models.SlugField(max_length=40)
    value = models.JSONField(null=True, help_text="A number, true or false; null is without limit.")

    class Meta:
        db_table = "plan_features"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "slug"],
                name="plan_features_once",
                violation_error_message="The plan has this feature already.",
            )
        ]

    def __str__(self) -> str:
        return self.slug


PRICED_BY = ("channel", "resource_type", "destination_prefix", "direction", "currency", "effective_from")


class PricingRate(models.Model):
    """One version of one price, of a plan or of one tenant. PostgreSQL lets only `effective_until` change later."""

    class Model(models.TextChoices):
        FLAT = PricingModel.FLAT.value, "Flat"
        GRADUATED = PricingModel.GRADUATED.value, "Graduated"
        VOLUME = PricingModel.VOLUME.value, "Volume"
        PACKAGE = PricingModel.PACKAGE.value, "Package"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.ForeignKey(PricingPlan, null=True, blank=True, on_delete=models.PROTECT, related_name="rates")
    tenant = models.ForeignKey(
        "accounts.Tenant", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="An override."
    )
    channel = models.CharField(max_length=20)
    resource_type = models.CharField(max_length=20)
    direction = models.CharField(max_length=8, blank=True, help_text="inbound, outbound, or empty for any.")
    destination_prefix = models.CharField(
        max_length=15, blank=True, validators=[RegexValidator(r"^[0-9]*$", "Digits only.")], help_text="Empty for any."
    )
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1, where the prefix leads.")
    currency = models.CharField(max_length=3)
    model = models.CharField(max_length=10, choices=Model.choices, default=Model.FLAT)
    unit_price = price_field(help_text="Per priced unit, e.g. per minute; of a package, per package.")
    tiers = models.JSONField(default=list, blank=True, help_text='[{"up_to": "100", "unit_price": "0.1"}, …]')
    package_size = quantity_field(default=1)
    connect_fee = price_field(default=0)
    initial_seconds = models.PositiveIntegerField(default=0, help_text="0: no call increments.")
    step_seconds = models.PositiveIntegerField(default=0)
    included_quantity = quantity_field(default=0)
    minimum_amount = price_field(default=0)
    effective_from = models.DateField(help_text="First day, in the tenant's zone.")
    effective_until = models.DateField(null=True, blank=True, help_text="Last day; empty: until replaced.")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "pricing_rates"
        constraints = [
            # Also the index of `usage.ratebook.rates_for`: owner, meter, prefix.
            models.UniqueConstraint(
                fields=["plan", *PRICED_BY],
                name="pricing_rates_plan_once",
                condition=Q(plan__isnull=False),
                violation_error_message="The plan has a rate for this from that day.",
            ),
            models.UniqueConstraint(
                fields=["tenant", *PRICED_BY],
                name="pricing_rates_tenant_once",
                condition=Q(tenant__isnull=False),
                violation_error_message="The tenant has a rate for this from that day.",
            ),
            models.CheckConstraint(
                condition=Q(plan__isnull=False) ^ Q(tenant__isnull=False),
                name="pricing_rates_one_owner",
                violation_error_message="A rate belongs to a plan or to a tenant.",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, connect_fee__gte=0, included_quantity__gte=0, minimum_amount__gte=0),
                name="pricing_rates_not_negative",
                violation_error_message="Prices and quantities are 0 or more.",
            ),
            models.CheckConstraint(
                condition=Q(package_size__gt=0),
                name="pricing_rates_package",
                violation_error_message="A package holds more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(initial_seconds=0, step_seconds=0) | Q(initial_seconds__gt=0, step_seconds__gt=0),
                name="pricing_rates_increments",
                violation_error_message="Give both initial and step seconds, or neither.",
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=F("effective_from")),
                name="pricing_rates_days",
                violation_error_message="The last day is not before the first.",
            ),
            models.CheckConstraint(
                condition=Q(direction__in=["", "inbound", "outbound"]),
                name="pricing_rates_direction",
                violation_error_message="The direction is inbound, outbound or empty.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.resource_type} {self.direction} {self.destination_prefix}".strip()
