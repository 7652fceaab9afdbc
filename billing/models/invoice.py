"""An invoice and its lines."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from billing.models.amounts import amount_field
from billing.models.parties import LegalEntity
from usage.models import BillingPeriod, PricingRate, Subscription


class Invoice(TenantModel):
    """What a subscription owes for a period: usage of the period, and the plan's fee for the one after it."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PARKED = "parked"
        PENDING = "pending"
        PAID = "paid"
        OVERDUE = "overdue"
        VOID = "void"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="invoices")
    billing_period = models.ForeignKey(BillingPeriod, on_delete=models.PROTECT, related_name="invoices")
    legal_entity = models.ForeignKey(
        LegalEntity,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who sold, once final.",
    )
    invoice_number = models.CharField(max_length=40, blank=True, help_text="Given when finalized.")
    series = models.CharField(max_length=20, blank=True)
    series_number = models.BigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    period_start = models.DateField()
    period_end = models.DateField(help_text="The last day, inclusive.")
    currency = models.CharField(max_length=3)
    subtotal = amount_field(default=0, help_text="Sum of the lines.")
    allowance = amount_field(default=0, help_text="Included or promotional credit used; lowers what is taxed.")
    tax = amount_field(default=0)
    total_amount = amount_field(default=0)
    tax_groups = models.JSONField(default=list, help_text="Lines, allowance, base and tax by category and rate.")
    tax_currency = models.CharField(max_length=3, blank=True, help_text="Tax is stated in it too. Empty: only in this.")
    tax_exchange_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    tax_in_tax_currency = amount_field(null=True, blank=True)
    amount_paid = amount_field(default=0, help_text="Sum of the payments.")
    seller = models.JSONField(default=dict, help_text="The seller as it was when the invoice was finalized.")
    buyer = models.JSONField(default=dict, help_text="The buyer as it was when the invoice was finalized.")
    parked_reasons = models.JSONField(default=list, help_text="What keeps it from being finalized: code and detail.")
    issue_date = models.DateField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    payment_method = models.CharField(max_length=40, blank=True)
    payment_reference = models.CharField(max_length=80, blank=True)
    notes = models.TextField(blank=True)
    usage_days = models.JSONField(default=list, help_text="Usage by day and meter, as of the lines: the appendix.")
    drafted_at = models.DateTimeField(help_text="When the lines were made.")
    finalized_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    amount_credited: Decimal = Decimal(0)
    """What credit notes took back of it: no column, since it is theirs to say. Selectors set it."""

    class Meta(TenantModel.Meta):
        db_table = "invoices"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "subscription", "billing_period"],
                name="invoices_one_per_period",
                violation_error_message="This period has an invoice already.",
            ),
            models.CheckConstraint(
                condition=Q(total_amount=F("subtotal") - F("allowance") + F("tax")),
                name="invoices_total",
                violation_error_message="The total is subtotal less allowance plus tax.",
            ),
            models.CheckConstraint(
                condition=(Q(allowance=0) | Q(allowance__gte=0, allowance__lte=F("subtotal"))) & Q(amount_paid__gte=0),
                name="invoices_not_negative",
                violation_error_message="Credit covers no more than the lines.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "parked"], invoice_number="")
                | (~Q(status__in=["draft", "parked"]) & ~Q(invoice_number="")),
                name="invoices_number",
                violation_error_message="An invoice has a number once it is finalized, and a draft has none.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "parked"])
                | (
                    Q(legal_entity__isnull=False, series_number__isnull=False, finalized_at__isnull=False)
                    & Q(issue_date__isnull=False, due_date__gte=F("issue_date"), amount_paid__lte=F("total_amount"))
                    & ~Q(seller={})
                    & ~Q(buyer={})
                ),
                name="invoices_finalized",
                violation_error_message="A finalized invoice has a number, dates and both parties.",
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "series", "series_number"],
                name="invoices_series",
                violation_error_message="This number of the series is taken.",
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "invoice_number"],
                name="invoices_number_once",
                condition=~Q(invoice_number=""),
                violation_error_message="This invoice number is taken.",
            ),
        ]
        indexes = [
            # The tenant's list of invoices, newest first.
            models.Index(fields=["tenant", "-created_at", "-id"], name="invoices_newest"),
            # What is owed, by when: overdue ones and reminders.
            models.Index(fields=["due_date"], name="invoices_owed", condition=Q(status__in=["pending", "overdue"])),
        ]

    def __str__(self) -> str:
        return self.invoice_number or f"Draft {self.period_start}"

    @property
    def is_draft(self) -> bool:
        """Say whether it is no invoice yet: a draft, or one that waits for what is missing."""
        return self.status in (self.Status.DRAFT, self.Status.PARKED)

    @property
    def amount_due(self) -> Decimal:
        """Return what is still to be paid of it, with `amount_credited` as it was read."""
        due: Decimal = self.total_amount - self.amount_credited - self.amount_paid
        return max(Decimal(0), due)


class InvoiceLineItem(TenantModel):
    """One line: a fee, or what one meter at one rate version cost in the service period."""

    class Kind(models.TextChoices):
        FEE = "fee"
        USAGE = "usage"

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=5, choices=Kind.choices)
    channel = models.CharField(max_length=20, blank=True)
    resource_type = models.CharField(max_length=20, blank=True)
    rate = models.ForeignKey(PricingRate, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    description = models.CharField(max_length=200)
    detail = models.CharField(max_length=200, blank=True)
    service_start = models.DateField()
    service_end = models.DateField(help_text="The last day, inclusive.")
    quantity = models.DecimalField(max_digits=24, decimal_places=6, help_text="In priced units, e.g. minutes.")
    unit = models.CharField(max_length=20)
    unit_price = models.DecimalField(max_digits=20, decimal_places=10, null=True, help_text="Empty where it has tiers.")
    amount = amount_field()
    allowance = amount_field(default=0, help_text="Its share of the invoice's allowance.")
    tax_category = models.CharField(max_length=2, blank=True, help_text="UNTDID 5305: S, Z, E, AE or O.")
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3, default=0, help_text="Percent.")
    tax = amount_field(default=0, help_text="Its share of its group's tax.")

    class Meta(TenantModel.Meta):
        db_table = "invoice_line_items"
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_items_position"),
            models.CheckConstraint(
                condition=Q(service_end__gte=F("service_start")),
                name="invoice_line_items_service",
                violation_error_message="The service ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return self.description
