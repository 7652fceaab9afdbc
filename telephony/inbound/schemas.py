"""Bodies of extensions and numbers' routes: what is read, and what the documentation shows."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from telephony.inbound.models import EXTENSION, RouteKind

KINDS = [kind.value for kind in RouteKind]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields nobody reads: a misspelt one must not be taken for obeyed."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."), code="unknown")
        return attrs


class ExtensionChange(StrictSerializer):
    """What of an extension can be changed."""

    label: Any = serializers.CharField(max_length=80, allow_blank=True, required=False)
    user = serializers.CharField(allow_null=True, required=False, help_text="`us_…`: who answers it, or nobody.")
    is_active = serializers.BooleanField(required=False)


class ExtensionRequest(StrictSerializer):
    """A new extension."""

    number = serializers.RegexField(EXTENSION, help_text="2 to 8 digits.")
    label: Any = serializers.CharField(max_length=80, allow_blank=True, default="")
    user = serializers.CharField(allow_null=True, default=None, help_text="`us_…`: who answers it.")


class ExtensionUser(serializers.Serializer[Any]):
    """Who answers an extension."""

    id = serializers.CharField()
    name = serializers.CharField()


class ExtensionAnswer(serializers.Serializer[Any]):
    """An extension."""

    id = serializers.CharField(help_text="`ex_…`")
    number = serializers.CharField()
    label: Any = serializers.CharField(allow_blank=True)
    user = ExtensionUser(allow_null=True)
    sip_user = serializers.CharField(help_text="The telephone's user name.")
    sip_domain = serializers.CharField(help_text="The telephone's domain, which is also its realm.")
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class ExtensionWithPassword(ExtensionAnswer):
    """A new extension, or one with another password."""

    password = serializers.CharField(allow_null=True, help_text="Shown here and never again; null in a replay.")


class ExtensionPage(serializers.Serializer[Any]):
    """A page of extensions, newest first."""

    results = ExtensionAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class RouteRequest(StrictSerializer):
    """Where a number leads: `kind`, and the one field of that name."""

    kind = serializers.ChoiceField(choices=KINDS)
    queue = serializers.CharField(allow_null=True, default=None, help_text="`qu_…`")
    extension = serializers.CharField(allow_null=True, default=None, help_text="`ex_…`")
    sip_uri = serializers.CharField(max_length=200, allow_blank=True, default="", help_text="`sip:user@host[:port]`")


class RouteAnswer(serializers.Serializer[Any]):
    """Where a number leads."""

    kind = serializers.ChoiceField(choices=KINDS)
    queue = serializers.CharField(allow_null=True)
    extension = serializers.CharField(allow_null=True)
    sip_uri = serializers.CharField(allow_blank=True)


_EXTENSION = {
    "id": "ex_0196f1d2a4c87b3e9d5f0a1b2c3d4e5f",
    "number": "101",
    "label": "Front desk",
    "user": {"id": "us_0196f1d2a4c87b3e9d5f0a1b2c3d4e60", "name": "Bob"},
    "sip_user": "101-5f2a9c01d4",
    "sip_domain": "irisx.local",
    "is_active": True,
    "created_at": "2026-01-01T12:00:00.000000Z",
}
EXTENSION_EXAMPLE = OpenApiExample("An extension", _EXTENSION, response_only=True, status_codes=[200])
PASSWORD_EXAMPLE = OpenApiExample(
    "With its password", {**_EXTENSION, "password": "pYb1…"}, response_only=True, status_codes=[200, 201]
)
NEW_EXTENSION_EXAMPLE = OpenApiExample("Front desk", {"number": "101", "label": "Front desk"}, request_only=True)
CHANGE_EXTENSION_EXAMPLE = OpenApiExample("Put away", {"is_active": False}, request_only=True)
ROUTE_EXAMPLE = OpenApiExample(
    "A SIP address", {"kind": "sip_uri", "sip_uri": "sip:reception@pbx.example.com"}, request_only=True
)
