"""Invoice runs: which periods are billed, how far each is, and what keeps one from being billed."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from billing.models.invoice import Invoice
from common.ids import uuid7
from usage.models import BillingPeriod


class InvoiceRun(models.Model):
    """The invoices of all periods that ended on one day. The counters are counted from the items, never added to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    period_end = models.DateField(unique=True, help_text="The last day of its periods.")
    periods = models.PositiveIntegerField(default=0)
    finalized = models.PositiveIntegerField(default=0)
    empty = models.PositiveIntegerField(default=0, help_text="Nothing was used and no fee is due: no invoice.")
    parked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the last of them was done.")

    class Meta:
        db_table = "invoice_runs"

    def __str__(self) -> str:
        return f"Periods to {self.period_end}"


class InvoiceRunItem(TenantModel):
    """One period of a run. Whoever works on it holds its row: a worker that dies leaves it as it was."""

    class State(models.TextChoices):
        NEW = "new"
        DRAFTED = "drafted"
        FINALIZED = "finalized"
        EMPTY = "empty"
        PARKED = "parked"
        FAILED = "failed"

    run = models.ForeignKey(InvoiceRun, on_delete=models.PROTECT, related_name="items")
    billing_period = models.OneToOneField(BillingPeriod, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.NEW)
    finalize_at = models.DateTimeField(help_text="The draft may be looked at until then.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="When it is worked on next; empty once it is done.")
    attempts = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True, help_text="What keeps it from being billed.")
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "invoice_run_items"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["finalized", "empty"], next_at__isnull=True)
                | (~Q(state__in=["finalized", "empty"]) & Q(next_at__isnull=False)),
                name="invoice_run_items_next",
                violation_error_message="What is done has no next time, the rest has one.",
            ),
        ]
        # The workers of a run take what is due, the earliest first.
        indexes = [
            models.Index(fields=["next_at", "id"], name="invoice_run_items_due", condition=Q(next_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.billing_period_id} {self.state}"


class Reconciliation(models.Model):
    """What came of comparing records, sums, lines, invoices and credit. Clean when it found nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    invoices = models.PositiveIntegerField(help_text="How many were rated anew.")
    lines = models.PositiveIntegerField()
    rebuilt = models.PositiveIntegerField(default=0, help_text="Sums that were corrected.")
    findings = models.JSONField(default=list, help_text="What does not agree, the first of it.")

    class Meta:
        db_table = "reconciliations"

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_clean(self) -> bool:
        return not self.findings
