"""Who sells and who buys."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from stdnum import bic, iban

from accounts.models import check_zone
from accounts.tenancy.models import TenantModel
from common.ids import uuid7

COUNTRY = RegexValidator(r"^[A-Z]{2}$", "Two capital letters (ISO 3166-1), e.g. IE.")
CURRENCY = RegexValidator(r"^[A-Z]{3}$", "Three capital letters (ISO 4217), e.g. EUR.")
TOP_UP_PREFIX = "TU"
PREFIX = RegexValidator(r"^[A-Z0-9]{1,12}$", "One to twelve capital letters and digits.")


def check_iban(text: str) -> None:
    """Raise ValidationError unless `text` is an IBAN (ISO 13616) whose check digits are right."""
    if not iban.is_valid(text):
        raise ValidationError(f"{text} is no IBAN, or has a digit wrong.")


def check_bic(text: str) -> None:
    """Raise ValidationError unless `text` has the form of a BIC (ISO 9362)."""
    if not bic.is_valid(text):
        raise ValidationError(f"{text} is no BIC: it has 8 or 11 characters.")


class LegalEntity(models.Model):
    """A company that sells: the seller on invoices, with its own series of numbers."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    address = models.TextField(blank=True, help_text="Street lines, one line each, without the name.")
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2, blank=True, validators=[COUNTRY], help_text="ISO 3166-1, e.g. IE.")
    tax_id = models.CharField(max_length=40, blank=True, help_text="VAT id with its country, e.g. IE1234567FA.")
    email = models.EmailField(blank=True)
    timezone = models.CharField(
        max_length=64, default="UTC", validators=[check_zone], help_text="Whose day an invoice is issued on."
    )
    tax_currency = models.CharField(
        max_length=3, blank=True, validators=[CURRENCY], help_text="Tax is stated in it too. Empty: the invoice's."
    )
    uses_oss = models.BooleanField(
        "one-stop shop", default=False, help_text="Charges consumers in other EU countries their country's tax."
    )
    invoice_prefix = models.CharField(max_length=12, default="INV", validators=[PREFIX])
    credit_note_prefix = models.CharField(max_length=12, default="CN", validators=[PREFIX])
    has_yearly_series = models.BooleanField(default=False, help_text="Numbers start anew each year: INV-2026-000001.")
    due_days = models.PositiveSmallIntegerField(
        null=True, blank=True, default=14, validators=[MaxValueValidator(365)], help_text="From issue to due."
    )
    bank_name = models.CharField(max_length=80, blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True, validators=[check_iban])
    bic = models.CharField("BIC", max_length=11, blank=True, validators=[check_bic])
    is_default = models.BooleanField(default=False, help_text="Sells where no other is named.")

    class Meta:
        db_table = "legal_entities"
        verbose_name_plural = "legal entities"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                name="legal_entities_one_default",
                condition=Q(is_default=True),
                violation_error_message="Another company is the default seller.",
            ),
            models.CheckConstraint(
                condition=~Q(invoice_prefix=F("credit_note_prefix")),
                name="legal_entities_two_series",
                violation_error_message="Invoices and credit notes have prefixes of their own.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Keep the top-ups' series to them: an invoice's number would lack those they took."""
        for name in ("invoice_prefix", "credit_note_prefix"):
            if getattr(self, name) == TOP_UP_PREFIX:
                raise ValidationError({name: f"{TOP_UP_PREFIX} numbers top-ups."})


class BillingProfile(TenantModel):
    """Who a tenant is on its invoices, and how it is taxed. What it leaves open is said by the tenant itself."""

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        GERMAN = "de", "German"

    class Treatment(models.TextChoices):
        AUTOMATIC = "automatic", "By the countries and the VAT id"
        REVERSE_CHARGE = "reverse_charge", "Reverse charge: the buyer owes the tax"
        EXEMPT = "exempt", "Exempt"

    seller = models.ForeignKey(
        LegalEntity, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: the default."
    )
    legal_name = models.CharField(max_length=120, blank=True, help_text="Empty: the tenant's name.")
    address = models.TextField(blank=True, help_text="Street lines, one line each, without the name.")
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2, blank=True, validators=[COUNTRY], help_text="ISO 3166-1, e.g. IE.")
    tax_id = models.CharField(max_length=40, blank=True, help_text="VAT id with its country, e.g. DE136695976.")
    reference = models.CharField(max_length=80, blank=True, help_text="The buyer's own, printed on each invoice.")
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    treatment = models.CharField(max_length=14, choices=Treatment.choices, default=Treatment.AUTOMATIC)
    exemption_reason = models.CharField(max_length=200, blank=True, help_text="Printed where the buyer is exempt.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        db_table = "billing_profiles"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                name="billing_profiles_one",
                violation_error_message="The tenant has a billing profile already.",
            ),
            models.CheckConstraint(
                condition=~Q(treatment="exempt") | ~Q(exemption_reason=""),
                name="billing_profiles_exemption",
                violation_error_message="Say why the buyer is exempt: the invoice must.",
            ),
        ]

    def __str__(self) -> str:
        return self.legal_name or str(self.tenant_id)
