"""Files of invoices that somebody asked for."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel


class Export(TenantModel):
    """A list of invoices or credit notes, or their documents, as one file; `common.models.Job` tells its progress.

    `content` is there from when it is finished until it expires.
    """

    class Kind(models.TextChoices):
        INVOICES = "invoices"
        CREDIT_NOTES = "credit_notes", "Credit notes"
        DOCUMENTS = "documents"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        ZIP = "zip", "ZIP"

    job_id = models.UUIDField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    file_format = models.CharField(max_length=4, choices=Format.choices)
    filters = models.JSONField(default=dict, help_text="What was asked for: status, number, start_date, end_date.")
    file_name = models.CharField(max_length=120)
    content = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, help_text="When it was made, or could not be.")
    expires_at = models.DateTimeField(help_text="Its file is deleted then.")

    class Meta(TenantModel.Meta):
        db_table = "invoice_exports"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="documents", file_format="zip") | (~Q(kind="documents") & ~Q(file_format="zip")),
                name="invoice_exports_format",
                violation_error_message="Documents come as ZIP, lists as CSV or XLSX.",
            ),
            models.CheckConstraint(
                condition=Q(content__isnull=True) | (Q(finished_at__isnull=False) & Q(sha256__regex=r"^[0-9a-f]{64}$")),
                name="invoice_exports_content",
                violation_error_message="A file belongs to a finished export and has its hash.",
            ),
        ]
        indexes = [
            # The tenant's list of exports, newest first.
            models.Index(fields=["tenant", "-created_at", "-id"], name="invoice_exports_newest"),
            # Workers look for what is not made yet, the oldest first.
            models.Index(fields=["created_at"], name="invoice_exports_waiting", condition=Q(finished_at__isnull=True)),
            # The sweep deletes what has expired.
            models.Index(fields=["expires_at"], name="invoice_exports_expiring"),
        ]

    def __str__(self) -> str:
        return self.file_name
