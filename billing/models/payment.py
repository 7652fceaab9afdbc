"""Money that came in for an invoice or a top-up, or went back."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from billing.models.amounts import amount_field
from billing.models.invoice import Invoice
from billing.models.topup import TopUp


class Payment(TenantModel):
    """What was paid for an invoice or a top-up, or, below 0, taken away again. Append-only; the sum is its `amount_paid`."""

    class Method(models.TextChoices):
        BANK_TRANSFER = "bank_transfer", "Bank transfer"
        CARD = "card", "Card"
        CASH = "cash", "Cash"
        CHEQUE = "cheque", "Cheque"
        DIRECT_DEBIT = "direct_debit", "Direct debit"
        OTHER = "other", "Other"
        CREDIT = "credit", "Prepaid credit"

    invoice = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="payments")
    top_up = models.ForeignKey(TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="payments")
    key = models.CharField(max_length=80, help_text="What it is, once: a repeat changes nothing.")
    amount = amount_field(help_text="Below 0: given back, or moved to prepaid credit.")
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=14, choices=Method.choices)
    reference = models.CharField(max_length=80, blank=True)
    received_at = models.DateTimeField()
    refunds = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="refunded_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "payments"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="payments_once",
                violation_error_message="This payment was recorded already.",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0), name="payments_amount", violation_error_message="A payment is not 0."
            ),
            models.CheckConstraint(
                condition=Q(refunds__isnull=True) | Q(amount__lt=0),
                name="payments_refund",
                violation_error_message="What gives a payment back is below 0.",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=True) ^ Q(top_up__isnull=True),
                name="payments_of_one",
                violation_error_message="A payment is for an invoice or for a top-up.",
            ),
        ]
        indexes = [
            # An invoice's payments, as they came.
            models.Index(fields=["invoice", "received_at"], name="payments_of_invoice"),
            # The tenant's list of payments, newest first; its statement.
            models.Index(fields=["tenant", "-received_at", "-id"], name="payments_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} ({self.method})"
