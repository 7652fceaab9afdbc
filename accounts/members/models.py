"""Invitations: who is asked to join a company."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.permissions import Role
from accounts.tenancy.models import TenantModel


class Invitation(TenantModel):
    """A place kept for somebody, for seven days. Its link is mailed by a worker, which makes the token then; a hash is kept."""

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=10, choices=Role.choices)
    details = models.JSONField(default=dict, help_text="What an import says beside, e.g. the extension.")
    batch = models.UUIDField(null=True, help_text="The job of the import that made it.")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    token_hash = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, help_text="When a worker began to mail the link.")
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "invitations"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="invitations_open",
                violation_error_message="There is an open invitation for this address.",
            ),
            # A link is looked up by its hash alone: it says no tenant.
            models.UniqueConstraint(fields=["token_hash"], name="invitations_token"),
        ]
        indexes = [
            # The worker's look for links to mail, over every tenant.
            models.Index(
                fields=["created_at"],
                condition=Q(sent_at=None, accepted_at=None, revoked_at=None),
                name="invitations_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"
