"""A company's own copy of its data: how far the archive is, and where it lies."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel


class TenantExport(TenantModel):
    """An archive, made by a worker part by part: each part is in the storage before it is counted here.

    Who dies over it leaves `parts`, `table` and `after`; the next worker goes on from there once the lease has ended.
    """

    job_id = models.UUIDField()
    requested_by = models.UUIDField(help_text="The user who asked for it.")
    parts = models.JSONField(default=list, help_text="[table, storage key, rows] of each part, in order.")
    table = models.CharField(max_length=63, blank=True, help_text="The table being read; empty before the first.")
    after = models.JSONField(null=True, help_text="Key of the last row read of it, as texts.")
    leased_until = models.DateTimeField(null=True)
    storage_key = models.CharField(max_length=200, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True)
    sha256 = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(help_text="The files are deleted then.")

    class Meta(TenantModel.Meta):
        db_table = "tenant_exports"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(finished_at=None),
                name="tenant_exports_one_at_a_time",
                violation_error_message="An export is under way.",
            ),
            models.CheckConstraint(
                condition=Q(storage_key="")
                | Q(size_bytes__isnull=False, sha256__isnull=False, finished_at__isnull=False),
                name="tenant_exports_whole",
                violation_error_message="An archive has a size, a digest and an end.",
            ),
        ]

    def __str__(self) -> str:
        return f"export of {self.created_at:%Y-%m-%d}"
