"""Where a number leads, and the extensions of agents."""

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from common.sealed import unseal
from telephony.models.choices import choices_of, one_of

EXTENSION = r"^[0-9]{2,8}$"
SIP_USER = r"^[a-z0-9-]{3,40}$"


class RouteKind(StrEnum):
    """What answers a number."""

    QUEUE = "queue"
    EXTENSION = "extension"
    SIP_URI = "sip_uri"


class Extension(TenantModel):
    """An agent's telephone: a user of the switch's directory.

    `sip_user` is unique over all tenants, so that a registration belongs to one; the password is kept as the digest that
    SIP needs, `md5(sip_user:domain:password)` with FREESWITCH_SIP_DOMAIN, and sealed, for it is as good as the password.
    """

    number = models.CharField(max_length=8, help_text="What colleagues dial: 2 to 8 digits.")
    label = models.CharField(max_length=80, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sip_user = models.CharField(max_length=40, editable=False)
    sealed_a1_hash = models.TextField(editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "extensions"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="extensions_number", violation_error_message="This extension exists."
            ),
            # The switch's directory asks by name alone: it must have one owner.
            models.UniqueConstraint(
                fields=["sip_user"], name="extensions_sip_user", violation_error_message="This SIP user exists."
            ),
            # A call for an agent rings one telephone.
            models.UniqueConstraint(
                fields=["tenant", "user"],
                name="extensions_user",
                violation_error_message="This person has one already.",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=EXTENSION),
                name="extensions_digits",
                violation_error_message="An extension has 2 to 8 digits.",
            ),
            # It becomes part of a dial string.
            models.CheckConstraint(
                condition=Q(sip_user__regex=SIP_USER),
                name="extensions_sip_user_plain",
                violation_error_message="A SIP user has lower case letters, digits and dashes.",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def a1_hash(self) -> str:
        """Return the digest the switch checks a registration by (RFC 2617, HA1); raises CannotOpen."""
        return unseal(self.sealed_a1_hash)


class NumberRoute(TenantModel):
    """Where calls to a number go. A number without one is answered by nobody: calls are refused."""

    number = models.OneToOneField("telephony.PhoneNumber", on_delete=models.CASCADE, related_name="route")
    kind = models.CharField(max_length=10, choices=choices_of(RouteKind))
    queue = models.ForeignKey("telephony.Queue", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    extension = models.ForeignKey(Extension, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sip_uri = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "number_routes"
        constraints = [
            one_of("kind", RouteKind, name="number_routes_kind"),
            models.CheckConstraint(
                condition=Q(kind="queue", queue__isnull=False)
                | Q(kind="extension", extension__isnull=False)
                | (Q(kind="sip_uri") & ~Q(sip_uri="")),
                name="number_routes_target",
                violation_error_message="A route leads to what its kind says.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} → {self.kind}"
