"""Integrators' keys."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel


class ApiKey(TenantModel):
    """An integrator's key: shown once, stored as a SHA-256 hash, found by its prefix."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests a minute this key may make; empty: as many as the plan allows."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The key that took its place when it was rotated.",
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "api_keys"
        constraints = [
            models.UniqueConstraint(fields=["prefix"], name="api_keys_prefix"),
            models.CheckConstraint(
                condition=Q(per_minute__isnull=True) | Q(per_minute__gte=1),
                name="api_keys_per_minute",
                violation_error_message="At least one request a minute.",
            ),
        ]
        # The tenant's list of keys, newest first.
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="api_keys_newest")]

    def __str__(self) -> str:
        return f"{self.name} (irisx_live_{self.prefix}…)"

    def is_usable(self, now: datetime) -> bool:
        """Say whether the key opens the door at `now`."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
