"""Bodies of `/v1/admin`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.members.schemas import MemberPerson
from accounts.models import Tenant, check_zone
from accounts.permissions import Role

LOCALES = ("en", "de")
CREATE_EXAMPLE = OpenApiExample(
    "A company",
    {"name": "Acme Bicycles", "slug": "acme-bicycles", "owner_email": "alice@acme.example", "owner_name": "Alice"},
    request_only=True,
)
CHANGE_EXAMPLE = OpenApiExample(
    "Billed on the 15th", {"billing_cycle_day": 15, "billing_email": "bills@acme.example"}, request_only=True
)
RENAME_EXAMPLE = OpenApiExample("A new name", {"name": "Alice Ace"}, request_only=True)
REASON_EXAMPLE = OpenApiExample("Why", {"reason": "Unpaid for three months"}, request_only=True)


class TenantAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`tn_…`")
    name = serializers.CharField()
    slug = serializers.CharField()
    status = serializers.ChoiceField(choices=Tenant.Status.choices)
    plan = serializers.CharField(allow_blank=True)
    billing_email = serializers.CharField(allow_blank=True)
    billing_cycle_day = serializers.IntegerField()
    currency = serializers.CharField()
    timezone = serializers.CharField()
    locale = serializers.CharField()
    limits = serializers.DictField(help_text="The plan's features under their slugs.")
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class TenantPage(serializers.Serializer[Any]):
    results = TenantAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class NewTenant(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    slug = serializers.RegexField(r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60, help_text="Lower case, digits, hyphens.")
    owner_email = serializers.EmailField(max_length=254)
    owner_name = serializers.CharField(max_length=120)
    timezone = serializers.CharField(max_length=64, default="UTC", validators=[check_zone])
    currency = serializers.RegexField(r"^[A-Z]{3}$", default="USD")
    locale = serializers.ChoiceField(choices=LOCALES, default="en")


class TenantChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    billing_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    billing_cycle_day = serializers.IntegerField(min_value=1, max_value=31, required=False)
    timezone = serializers.CharField(max_length=64, required=False, validators=[check_zone])
    locale = serializers.ChoiceField(choices=LOCALES, required=False)


class Reason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200, help_text="Stands in the log.")


class AdminTenantName(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`tn_…`")
    name = serializers.CharField()


class AdminMembership(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`mb_…`")
    tenant = AdminTenantName()
    role = serializers.ChoiceField(choices=Role.choices)
    is_active = serializers.BooleanField()


class UserAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`us_…`")
    name = serializers.CharField()
    email = serializers.EmailField()
    is_active = serializers.BooleanField()
    is_operator = serializers.BooleanField()
    has_second_factor = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    memberships = AdminMembership(many=True)


class UserPage(serializers.Serializer[Any]):
    results = UserAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class UserChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)


class AgentAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`mb_…`")
    tenant = AdminTenantName()
    user = MemberPerson()
    role = serializers.ChoiceField(choices=Role.choices)
    is_active = serializers.BooleanField()
    presence = serializers.ChoiceField(choices=["online", "away", "busy", "offline"])
    active_chats = serializers.IntegerField()
    max_concurrent_chats = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class AgentPage(serializers.Serializer[Any]):
    results = AgentAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ImportAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`jb_…`")
    status = serializers.ChoiceField(choices=["waiting", "running", "done", "failed"])
    done_count = serializers.IntegerField(help_text="Links mailed so far.")
    total_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
