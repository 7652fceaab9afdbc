"""What integrators hear: where to (endpoints) and what (the outbox)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy.models import LedgerModel, TenantModel


class WebhookEndpoint(TenantModel):
    """An integrator's address and the event types it wants; none listed means all."""

    url = models.URLField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    event_types = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "webhook_endpoints"


class OutboxEvent(LedgerModel):
    """One fact, written in the transaction that made it true. `body` is what will be signed and sent, byte for byte."""

    type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    sequence = models.BigIntegerField(help_text="Gap-free per object, from 1.")
    body = models.TextField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(LedgerModel.Meta):
        db_table = "webhook_outbox"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "object_id", "sequence"], name="webhook_outbox_sequence")
        ]
