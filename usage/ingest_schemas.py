"""Bodies of the events' API, as the documentation shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from usage.outcomes import Status
from usage.schemas import UsageEventRow


class UsageEventInput(serializers.Serializer[Any]):
    idempotency_key = serializers.CharField(help_text="Names the fact; the same key is recorded once, for ever.")
    channel = serializers.CharField(max_length=20)
    resource_type = serializers.CharField(max_length=20)
    quantity = serializers.CharField(
        help_text="In metered units (a call's in seconds); a decimal in a string, 6 places."
    )
    occurred_at = serializers.DateTimeField(required=False, help_text="RFC 3339 with offset; now when absent.")
    resource_id = serializers.CharField(required=False, max_length=80)
    direction = serializers.ChoiceField(["inbound", "outbound"], required=False)
    destination = serializers.CharField(required=False, max_length=40, help_text="E.164, where a price goes by it.")
    metadata = serializers.DictField(required=False, help_text="At most 8,192 bytes of JSON.")


class UsageEventBatch(serializers.Serializer[Any]):
    events = UsageEventInput(many=True, help_text="1 to 1,000.")


class FieldFault(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="Where it stands in the request, e.g. /events/3/quantity.")
    code = serializers.CharField()
    detail = serializers.CharField()


class EventOutcome(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    line = serializers.IntegerField(required=False, help_text="Of a CSV file.")
    idempotency_key = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField([str(status) for status in Status])
    id = serializers.CharField(required=False, help_text="The event's, of a duplicate the first one's.")
    errors = FieldFault(many=True, required=False)  # type: ignore[assignment] # DRF takes fields out of the class


class BatchAnswer(serializers.Serializer[Any]):
    results = EventOutcome(many=True)
    created = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    invalid = serializers.IntegerField()


class UploadAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    file_name = serializers.CharField()
    status = serializers.ChoiceField(["waiting", "running", "done", "failed"])
    done_count = serializers.IntegerField(help_text="Rows worked off.")
    total_count = serializers.IntegerField()
    created = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    invalid = serializers.IntegerField()
    faults = EventOutcome(many=True, help_text="Rows that were not stored, the first 1,000.")
    error = serializers.CharField(help_text="Why it failed as a whole; what was stored stays.")
    received_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class AmendInput(serializers.Serializer[Any]):
    """What an event should have been; what is not named is as it was."""

    channel = serializers.CharField(max_length=20, required=False)
    resource_type = serializers.CharField(max_length=20, required=False)
    quantity = serializers.CharField(required=False)
    occurred_at = serializers.DateTimeField(required=False)
    resource_id = serializers.CharField(required=False, max_length=80)
    direction = serializers.ChoiceField(["inbound", "outbound"], required=False)
    destination = serializers.CharField(required=False, max_length=40)
    metadata = serializers.DictField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class VoidInput(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class CorrectionAnswer(serializers.Serializer[Any]):
    reversal = UsageEventRow()
    amendment = UsageEventRow(allow_null=True)


BATCH_EXAMPLE = OpenApiExample(
    "Two events, one of them wrong",
    {
        "events": [
            {"idempotency_key": "sms-81", "channel": "sms", "resource_type": "message", "quantity": "1"},
            {"idempotency_key": "sms-82", "channel": "sms", "resource_type": "message", "quantity": "-1"},
        ]
    },
    request_only=True,
)
ANSWER_EXAMPLE = OpenApiExample(
    "One stored, one refused",
    {
        "results": [
            {"index": 0, "idempotency_key": "sms-81", "status": "created", "id": "ur_0198c1f0a7b37c0e8f4d2b6a1c3e5f70"},
            {
                "index": 1,
                "idempotency_key": "sms-82",
                "status": "invalid",
                "errors": [
                    {
                        "pointer": "/events/1/quantity",
                        "code": "quantity",
                        "detail": "The quantity must be more than 0 and less than 1,000,000,000,000.",
                    }
                ],
            },
        ],
        "created": 1,
        "duplicate": 0,
        "conflict": 0,
        "invalid": 1,
    },
    response_only=True,
)
