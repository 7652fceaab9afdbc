"""Whom a company must not call, and where it may."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy.models import TenantModel
from telephony.models.choices import e164


class DoNotCall(TenantModel):
    """A number the company must not call."""

    number = models.CharField(max_length=16, help_text="E.164.")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "do_not_call"
        verbose_name = "number not to call"
        verbose_name_plural = "numbers not to call"
        constraints = [
            e164("number", name="do_not_call_e164"),
            models.UniqueConstraint(
                fields=["tenant", "number"], name="do_not_call_once", violation_error_message="It is on the list."
            ),
        ]

    def __str__(self) -> str:
        return self.number


class DialingPolicy(TenantModel):
    """Where a company may call besides the countries of its own numbers. No row: nowhere else. Operators change it."""

    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="ISO 3166 codes in capitals, such as DE."
    )
    is_premium_allowed = models.BooleanField(
        default=False, help_text="Premium-rate and shared-cost numbers: what toll fraud calls."
    )
    is_paused = models.BooleanField(default=False, help_text="No call goes out.")
    pause_reason = models.CharField(max_length=200, blank=True, help_text="Told to whoever tries to call.")

    class Meta(TenantModel.Meta):
        db_table = "dialing_policies"
        verbose_name_plural = "dialing policies"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], name="dialing_policies_once", violation_error_message="This company has one."
            ),
        ]

    def __str__(self) -> str:
        return f"where {self.tenant_id} may call"
