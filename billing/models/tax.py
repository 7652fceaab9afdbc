"""What tax is charged where, and what one currency was worth in another."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from billing.models.parties import COUNTRY, CURRENCY
from common.ids import uuid7


class TaxRate(models.Model):
    """What a country charges on our services from a day on: a category of EN 16931 (UNTDID 5305) and its percentage."""

    class Category(models.TextChoices):
        STANDARD = "S", "S: standard rate"
        ZERO = "Z", "Z: zero rate"
        EXEMPT = "E", "E: exempt"
        REVERSE_CHARGE = "AE", "AE: reverse charge"
        OUTSIDE = "O", "O: not subject to tax"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    country = models.CharField(max_length=2, validators=[COUNTRY], help_text="ISO 3166-1, e.g. IE.")
    category = models.CharField(max_length=2, choices=Category.choices, default=Category.STANDARD)
    rate = models.DecimalField(
        max_digits=6, decimal_places=3, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="Percent."
    )
    reason = models.CharField(max_length=200, blank=True, help_text="Printed where nothing is charged.")
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True, help_text="The last day, inclusive.")

    class Meta:
        db_table = "tax_rates"
        constraints = [
            models.UniqueConstraint(
                fields=["country", "effective_from"],
                name="tax_rates_once",
                violation_error_message="This country has a rate from that day already.",
            ),
            models.CheckConstraint(
                condition=Q(category="S", rate__gt=0, rate__lte=100) | (~Q(category="S") & Q(rate=0)),
                name="tax_rates_rate",
                violation_error_message="Only category S has a rate above 0, of 100 percent at most.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.category} {self.rate.normalize():f} %"


class ExchangeRate(models.Model):
    """What one unit of `currency` was worth in `into_currency` on a day, e.g. the central bank's rate."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    currency = models.CharField(max_length=3, validators=[CURRENCY])
    into_currency = models.CharField(max_length=3, validators=[CURRENCY])
    rate_date = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    source = models.CharField(max_length=80, blank=True, help_text="Who published it, e.g. ECB.")

    class Meta:
        db_table = "exchange_rates"
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "into_currency", "rate_date"],
                name="exchange_rates_once",
                violation_error_message="There is a rate of that day already.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0), name="exchange_rates_rate", violation_error_message="A rate is more than 0."
            ),
        ]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.rate.normalize():f} {self.into_currency} on {self.rate_date}"
