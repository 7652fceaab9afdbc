"""The numbers a tenant calls from, and the trunks its calls leave by."""

from django.core.validators import RegexValidator
from django.db import models

from accounts.tenancy.models import TenantModel
from telephony.models.choices import e164

GATEWAY = r"^[A-Za-z0-9_.-]{1,64}$"


class PhoneNumber(TenantModel):
    """A number of the tenant's: what its calls may show as the caller."""

    number = models.CharField(max_length=16, help_text="E.164, for example +15550109999.")
    label = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "phone_numbers"
        constraints = [
            e164("number", name="phone_numbers_e164"),
            # A call to a number must have one owner: unique over all tenants.
            models.UniqueConstraint(
                fields=["number"], name="phone_numbers_once", violation_error_message="This number is in use already."
            ),
        ]

    def __str__(self) -> str:
        return self.number


class SipTrunk(TenantModel):
    """A way out: the name of a gateway the switch knows. The lowest priority is tried first."""

    name = models.CharField(max_length=80)
    gateway = models.CharField(
        max_length=64, validators=[RegexValidator(GATEWAY, "Letters, digits, dot, dash and underscore, 64 at most.")]
    )
    priority = models.PositiveSmallIntegerField(default=10)
    max_concurrent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Calls it carries at a time; empty: any number."
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "sip_trunks"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="sip_trunks_name", violation_error_message="This name is taken."
            ),
            # It becomes part of a dial string: nothing the switch would interpret may stand in it.
            models.CheckConstraint(
                condition=models.Q(gateway__regex=GATEWAY),
                name="sip_trunks_gateway",
                violation_error_message="A gateway's name has letters, digits, dot, dash and underscore, 64 at most.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
