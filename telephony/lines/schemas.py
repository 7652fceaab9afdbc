"""Bodies of numbers and trunks: what is read, and what the documentation shows."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from telephony.inbound.schemas import StrictSerializer

MAX_PRIORITY = 1000
MAX_CONCURRENT = 10_000


class PhoneNumberChange(StrictSerializer):
    """What of a number can be changed."""

    label: Any = serializers.CharField(max_length=80, allow_blank=True, required=False)
    is_active = serializers.BooleanField(required=False, help_text="false: no call may show it as its caller.")


class PhoneNumberAnswer(serializers.Serializer[Any]):
    """A number."""

    id = serializers.CharField(help_text="`pn_…`")
    number = serializers.CharField(help_text="E.164.")
    label: Any = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class PhoneNumberPage(serializers.Serializer[Any]):
    """A page of numbers, newest first."""

    results = PhoneNumberAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class TrunkChange(StrictSerializer):
    """What of a trunk can be changed."""

    name = serializers.CharField(max_length=80, required=False)
    priority = serializers.IntegerField(
        min_value=0, max_value=MAX_PRIORITY, required=False, help_text="The lowest is tried first."
    )
    max_concurrent = serializers.IntegerField(
        min_value=1, max_value=MAX_CONCURRENT, allow_null=True, required=False, help_text="null: any number of calls."
    )
    is_active = serializers.BooleanField(required=False)


class TrunkAnswer(serializers.Serializer[Any]):
    """A trunk."""

    id = serializers.CharField(help_text="`trk_…`")
    name = serializers.CharField()
    gateway = serializers.CharField(help_text="The switch's name of it.")
    priority = serializers.IntegerField()
    max_concurrent = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class TrunkPage(serializers.Serializer[Any]):
    """A page of trunks, newest first."""

    results = TrunkAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


CHANGE_NUMBER_EXAMPLE = OpenApiExample("Another label", {"label": "Shop"}, request_only=True)
NUMBER_EXAMPLE = OpenApiExample(
    "A number",
    {
        "id": "pn_0196f1d2a4c87b3e9d5f0a1b2c3d4e5f",
        "number": "+15550109999",
        "label": "Shop",
        "is_active": True,
        "created_at": "2026-01-01T12:00:00.000000Z",
    },
    response_only=True,
    status_codes=[200],
)
CHANGE_TRUNK_EXAMPLE = OpenApiExample("Thirty calls at a time", {"max_concurrent": 30}, request_only=True)
TRUNK_EXAMPLE = OpenApiExample(
    "A trunk",
    {
        "id": "trk_0196f1d2a4c87b3e9d5f0a1b2c3d4e5f",
        "name": "Carrier",
        "gateway": "carrier",
        "priority": 10,
        "max_concurrent": 30,
        "is_active": True,
        "created_at": "2026-01-01T12:00:00.000000Z",
    },
    response_only=True,
    status_codes=[200],
)
