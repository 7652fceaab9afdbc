"""The timeline of a call: append-only, numbered without gaps."""

from django.db import models

from accounts.tenancy.models import LedgerModel


class CallEvent(LedgerModel):
    """One thing that happened to a call. The database refuses to change it."""

    call_id = models.UUIDField()
    seq = models.PositiveIntegerField(help_text="Gap-free per call, from 1.")
    type = models.CharField(max_length=40)
    leg_id = models.UUIDField(null=True)
    payload = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(help_text="By the switch's clock where it told us.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(LedgerModel.Meta):
        db_table = "call_events"
        constraints = [models.UniqueConstraint(fields=["tenant", "call_id", "seq"], name="call_events_seq")]

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"
