"""Operators who act as somebody: when, as whom, why."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel


class Impersonation(TenantModel):
    """An operator acts as a user in one company, in one browser, for thirty minutes at most."""

    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "impersonations"
        constraints = [
            models.CheckConstraint(
                condition=~Q(operator=models.F("user")),
                name="impersonations_of_another",
                violation_error_message="Nobody acts as themselves.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operator} as {self.user}"
