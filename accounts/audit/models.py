"""What people and programs did: the audit log's tables."""

from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.audit.canonical import Facts
from accounts.tenancy.models import LedgerModel

# The owner of what concerns the installation as a whole: no tenant has this id, so none sees its entries.
PLATFORM = UUID(int=0)


class AuditEntry(LedgerModel):
    """Who did what, when, from where. Append-only, and numbered and hashed by the database when its transaction commits.

    `tenant_id` is PLATFORM for acts that concern no tenant. Written by `accounts.audit.record` alone.
    """

    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=254)
    impersonator_id = models.UUIDField(null=True, help_text="The operator who acted as this person.")
    impersonator_name = models.CharField(max_length=254, blank=True)
    action = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60, blank=True)
    changes = models.JSONField(default=dict)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of what the entry says.")
    sequence = models.BigIntegerField(null=True, help_text="Gap-free per tenant, from 1; given at the commit.")
    entry_hash = models.BinaryField(max_length=32, null=True, help_text="SHA-256 over the one before and this one.")

    class Meta(LedgerModel.Meta):
        db_table = "audit_entries"
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence"], name="audit_entries_sequence")]
        indexes = [
            # The tenant's audit page, newest first.
            models.Index(fields=["tenant", "-created_at"], name="audit_entries_newest"),
            # The same, of one object.
            models.Index(fields=["tenant", "object_id", "-created_at"], name="audit_entries_object"),
        ]

    @property
    def facts(self) -> Facts:
        """Return what the digest is of."""
        return Facts(
            id=self.pk,
            tenant_id=self.tenant_id,
            actor_kind=self.actor_kind,
            actor_id=self.actor_id,
            actor_name=self.actor_name,
            impersonator_id=self.impersonator_id,
            impersonator_name=self.impersonator_name,
            action=self.action,
            object_id=self.object_id,
            changes=self.changes,
            ip_address=self.ip_address,
            user_agent=self.user_agent,
            request_id=self.request_id,
            created_at=self.created_at,
        )


class AuditChain(LedgerModel):
    """The head of a tenant's chain: how many entries there are, and the last one's hash. Its row is locked at the commit only."""

    last_sequence = models.BigIntegerField(default=0)
    last_hash = models.BinaryField(max_length=32)

    class Meta(LedgerModel.Meta):
        db_table = "audit_chains"
        constraints = [models.UniqueConstraint(fields=["tenant"], name="audit_chains_once")]
