"""Files of events that are too long to be answered at once."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel


class UsageUpload(TenantModel):
    """A CSV file that a worker goes through, a thousand rows a transaction; `common.models.Job` tells its progress.

    `content` is the file, compressed by zlib, until it is done. `faults` are the rows that were not stored, the first thousand.
    """

    job_id = models.UUIDField()
    file_name = models.CharField(max_length=200, blank=True)
    content = models.BinaryField(null=True)
    next_row = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    faults = models.JSONField(default=list)
    received_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "usage_uploads"
        # Workers look for what is not done, the oldest first.
        indexes = [
            models.Index(fields=["received_at"], name="usage_uploads_waiting", condition=Q(content__isnull=False))
        ]
