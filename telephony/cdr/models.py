"""What the switch posted of channels that ended."""

from enum import StrEnum

from django.db import models
from django.db.models import Q

from common.ids import uuid7
from telephony.models.choices import choices_of, one_of


class ReportStatus(StrEnum):
    """How far a record got."""

    WAITING = "waiting"
    DONE = "done"
    UNREADABLE = "unreadable"


class CallReport(models.Model):
    """One call detail record, byte for byte. Whose it is shows only when its channel is in somebody's books."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel_id = models.UUIDField(null=True, help_text="Empty for what could not be read.")
    content_hash = models.BinaryField(max_length=32, help_text="SHA-256 of the body.")
    body = models.BinaryField()
    status = models.CharField(max_length=10, choices=choices_of(ReportStatus))
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "call_reports"
        constraints = [
            one_of("status", ReportStatus, name="call_reports_status"),
            models.UniqueConstraint(
                fields=["channel_id", "content_hash"],
                name="call_reports_once",
                nulls_distinct=False,
                violation_error_message="This record was taken already.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(status=ReportStatus.WAITING.value), name="call_reports_waiting"
            ),
            models.Index(fields=["received_at"], name="call_reports_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} ({self.status})"
