"""Bodies of the subscription's API, as they are read and as the documentation shows them."""

from typing import Any

from rest_framework import serializers

from usage.changes import Takes, When
from usage.models import Subscription

MONEY = "Before tax, a decimal in a string."
WHEN = [when.value for when in When]


class ChangeBody(serializers.Serializer[Any]):
    plan = serializers.CharField(max_length=40, help_text="Its slug, e.g. professional.")
    when = serializers.ChoiceField(
        WHEN,
        required=False,
        help_text="A bigger plan: now unless said otherwise; a smaller one, and in the trial: period_end.",
    )


class CancelBody(serializers.Serializer[Any]):
    when = serializers.ChoiceField(WHEN, required=False, help_text="period_end unless said otherwise.")


class ChangeAnswer(serializers.Serializer[Any]):
    plan = serializers.CharField()
    takes_effect = serializers.ChoiceField([takes.value for takes in Takes])
    effective_date = serializers.DateField(help_text="The first day of it, in the tenant's zone.")
    currency = serializers.CharField()
    charge = serializers.CharField(help_text="For the rest of this period, on its invoice. " + MONEY)
    charged_days = serializers.IntegerField()
    cycle_days = serializers.IntegerField(help_text="The days a monthly fee is for.")
    included_credit = serializers.CharField(help_text="Granted at once, until this period ends.")
    next_fee = serializers.CharField(
        help_text="The first fee in advance, by days where it is not for a whole cycle. " + MONEY
    )
    next_fee_start = serializers.DateField()
    next_fee_end = serializers.DateField()


class SubscriptionAnswer(serializers.Serializer[Any]):
    plan = serializers.CharField()
    next_plan = serializers.CharField(allow_null=True, help_text="From the next period; in the trial: once it ends.")
    status = serializers.ChoiceField(Subscription.Status.values)
    currency = serializers.CharField()
    started_at = serializers.DateTimeField()
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Nothing is used after it.")
    canceled_at = serializers.DateTimeField(allow_null=True)
    period_start = serializers.DateField()
    period_end = serializers.DateField()


class EstimateLine(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["fee", "usage"])
    channel = serializers.CharField()
    resource_type = serializers.CharField()
    description = serializers.CharField()
    detail = serializers.CharField()
    service_start = serializers.DateField()
    service_end = serializers.DateField()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    unit_price = serializers.CharField(allow_null=True)
    amount = serializers.CharField()


class Missing(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class EstimateAnswer(serializers.Serializer[Any]):
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    as_of = serializers.DateTimeField()
    currency = serializers.CharField()
    subtotal = serializers.CharField()
    allowance = serializers.CharField(help_text="Included credit used; it lowers what is taxed.")
    tax = serializers.CharField()
    total_amount = serializers.CharField()
    lines = EstimateLine(many=True)
    missing = Missing(many=True, help_text="What has to be known before it can be an invoice; tax is 0 until then.")
