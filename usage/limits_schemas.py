"""Bodies of the limits' API, as the documentation shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from usage.models import Feature, Subject


class Mark(serializers.Serializer[Any]):
    percent = serializers.IntegerField(allow_null=True)
    amount = serializers.CharField(allow_null=True, help_text="In the quota's unit. A decimal in a string.")
    reached_at = serializers.DateTimeField(allow_null=True, help_text="When it was told in this period.")


class Limit(serializers.Serializer[Any]):
    feature = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(Feature.Kind.values)
    unit = serializers.CharField(allow_blank=True)
    is_allowed = serializers.BooleanField(
        help_text="False for a boolean feature that is not in the plan, or a limit of 0."
    )
    limit = serializers.CharField(allow_null=True, help_text="Null is without limit. A decimal in a string.")
    used = serializers.CharField(allow_null=True, help_text="Of a quota, in this period; null where it is not counted.")
    remaining = serializers.CharField(allow_null=True)
    resets_at = serializers.DateTimeField(allow_null=True, help_text="When a quota begins anew.")
    mode = serializers.ChoiceField(
        Feature.Cap.values, allow_null=True, help_text="What happens to what is over a quota: refused, or only told."
    )
    thresholds = Mark(many=True)


class Limits(serializers.Serializer[Any]):
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    results = Limit(many=True)


class ThresholdBody(serializers.Serializer[Any]):
    subject = serializers.ChoiceField(Subject.values)
    feature = serializers.SlugField(
        max_length=40, default="", allow_blank=True, help_text="Of a quota: the feature; empty is all others."
    )
    percents = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=1000),
        max_length=10,
        required=False,
        help_text="Of the quota, or of the credit there was.",
    )
    amounts = serializers.ListField(
        child=serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0),
        max_length=10,
        required=False,
        help_text="Used of a quota, in its unit; left of the credit; or what the period costs. Decimals in strings.",
    )


class Threshold(serializers.Serializer[Any]):
    subject = serializers.ChoiceField(Subject.values)
    feature = serializers.CharField(allow_blank=True)
    percents = serializers.ListField(child=serializers.IntegerField())
    amounts = serializers.ListField(child=serializers.CharField())
    is_default = serializers.BooleanField()


class Thresholds(serializers.Serializer[Any]):
    results = Threshold(many=True)


LIMITS_EXAMPLE = OpenApiExample(
    "A static limit and a quota",
    {
        "period_start": "2026-03-01",
        "period_end": "2026-03-31",
        "results": [
            {
                "feature": "seats",
                "name": "Seats",
                "kind": "static",
                "unit": "seats",
                "is_allowed": True,
                "limit": "5",
                "used": None,
                "remaining": None,
                "resets_at": None,
                "mode": None,
                "thresholds": [],
            },
            {
                "feature": "sms_messages",
                "name": "SMS",
                "kind": "metered",
                "unit": "messages",
                "is_allowed": True,
                "limit": "1000",
                "used": "512",
                "remaining": "488",
                "resets_at": "2026-04-01T00:00:00.000000Z",
                "mode": "block",
                "thresholds": [
                    {"percent": 50, "amount": None, "reached_at": "2026-03-18T09:12:44.102000Z"},
                    {"percent": 80, "amount": None, "reached_at": None},
                ],
            },
        ],
    },
    response_only=True,
)
