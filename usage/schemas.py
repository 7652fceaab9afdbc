"""Bodies of usage's API, as the documentation shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

DECIMAL = "A decimal in a string."


class Money(serializers.CharField):
    """A decimal string; its currency stands beside it."""


class MeterUsage(serializers.Serializer[Any]):
    channel = serializers.CharField()
    resource_type = serializers.CharField()
    quantity = serializers.CharField(help_text="In priced units: minutes, messages. " + DECIMAL)
    total_cost = Money(help_text="Rounded once per line of the invoice. " + DECIMAL)
    record_count = serializers.IntegerField()


class CurrentPeriod(serializers.Serializer[Any]):
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="The last day, inclusive, in the tenant's zone.")
    currency = serializers.CharField()
    plan = serializers.CharField()
    total_cost = Money(help_text="What usage costs before credit, fee and tax.")
    credit_remaining = Money()
    items = MeterUsage(many=True)


class DayUsage(MeterUsage):
    date = serializers.DateField(help_text="The tenant's local day.")


class History(serializers.Serializer[Any]):
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    currency = serializers.CharField()
    results = DayUsage(many=True)


class UsageEventRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(["usage", "reversal", "amendment"])
    idempotency_key = serializers.CharField()
    channel = serializers.CharField()
    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    direction = serializers.CharField()
    destination = serializers.CharField()
    quantity = serializers.CharField(help_text="As measured: a call's in seconds.")
    billed_quantity = serializers.CharField(help_text="After call increments.")
    unit_price = Money(help_text="Per priced unit, e.g. per minute.")
    total_cost = Money(allow_null=True, help_text="Unrounded; null where only the period's sum has a price.")
    currency = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    usage_date = serializers.DateField()
    metadata = serializers.DictField()
    reverses = serializers.CharField(allow_null=True, help_text="The event it takes back, or stands in for.")
    reversed_by = serializers.CharField(allow_null=True, help_text="The reversal that took it back.")


class UsageEventPage(serializers.Serializer[Any]):
    results = UsageEventRow(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


CURRENT_PERIOD_EXAMPLE = OpenApiExample(
    "Some chats and a call",
    {
        "period_start": "2026-03-01",
        "period_end": "2026-03-31",
        "currency": "USD",
        "plan": "professional",
        "total_cost": "0.05",
        "credit_remaining": "49.95",
        "items": [
            {
                "channel": "voice",
                "resource_type": "minute",
                "quantity": "4",
                "total_cost": "0.05",
                "record_count": 2,
            },
            {"channel": "chat", "resource_type": "message", "quantity": "31", "total_cost": "0.00", "record_count": 31},
        ],
    },
    response_only=True,
)
