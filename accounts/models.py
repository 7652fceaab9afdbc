"""Who: tenants, users, their memberships and keys, and what they did."""

import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.audit.models import AuditChain, AuditEntry
from accounts.exports.models import TenantExport
from accounts.identity.models import Letter, SignIn, SignUp
from accounts.keys.models import ApiKey
from accounts.members.models import Invitation
from accounts.operators.models import Impersonation
from accounts.permissions import Role
from accounts.presence.models import AgentPresence
from accounts.tenancy.models import TenantModel
from accounts.webhooks.models import OutboxEvent, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from common.ids import uuid7

__all__ = [
    "AgentPresence", "ApiKey", "AuditChain", "AuditEntry", "Impersonation", "Invitation", "Letter", "Membership",
    "OutboxEvent", "SignIn", "SignUp", "Tenant", "TenantExport", "User", "WebhookAttempt", "WebhookDelivery", "WebhookEndpoint",
    "WebhookLane",
]  # fmt: skip


def check_zone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name} is not an IANA time zone, for example Europe/Berlin.")


class Tenant(models.Model):
    """A company that uses this installation."""

    class Status(models.TextChoices):
        TRIAL = "trial"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True, error_messages={"unique": "This short name is taken."})
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.TRIAL)
    plan = models.CharField(max_length=40, blank=True, help_text="A copy; the truth is the subscription.")
    billing_email = models.EmailField(blank=True)
    billing_cycle_day = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(31)], help_text="Day of the month, 1-31."
    )
    currency = models.CharField(
        max_length=3, default="USD", validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters (ISO 4217).")]
    )
    timezone = models.CharField(max_length=64, default="UTC", validators=[check_zone])
    locale = models.CharField(max_length=10, default="en")
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    limits = models.JSONField(default=dict, blank=True, help_text="A copy of the plan's features under their slugs.")
    settings = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "tenants"
        # What an operator may do inside a company they name by `?tenant=`: accounts.permissions.OPERATORS.
        permissions = [
            ("operate_support", "Act in companies: people, chat and settings"),
            ("operate_finance", "Act in companies: usage and money"),
            ("operate_telephony", "Act in companies: calls and numbers"),
            ("impersonate_user", "Act as a user"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(billing_cycle_day__range=(1, 31)),
                name="tenants_cycle_day",
                violation_error_message="The billing day is 1 to 31.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Say whether the tenant may use the platform."""
        return self.status in {self.Status.TRIAL, self.Status.ACTIVE}


class UserManager(BaseUserManager["User"]):
    """Users by e-mail address, whatever its capitals."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Store a new user; the address is kept in lower case."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Store a new operator with every right."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail. `is_staff` makes an operator of this installation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True, error_messages={"unique": "This e-mail address is in use."})
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("operator", default=False)
    language = models.CharField(max_length=10, blank=True, help_text="Of mail and pages; empty: the company's.")
    auth_version = models.PositiveIntegerField(default=1, help_text="Raised to sign out everywhere.")
    second_factor_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when a code is asked for at sign-in; empty: it is not."
    )
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        db_table = "users"
        # Kept in lower case, so that the unique index ignores capitals.
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="users_email_lower")]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Keep the address in lower case."""
        self.email = self.email.strip().lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what every session carries: another password or a raised `auth_version` ends them all."""
        about = f"{self.password}|{self.auth_version}"
        return salted_hmac("accounts.session", about, secret=secret, algorithm="sha256").hexdigest()


class Membership(TenantModel):
    """A user's place in a tenant."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "memberships"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "user"], name="memberships_once", violation_error_message="Already a member."
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
