"""Bodies of telephony's API: what is read, and what the documentation shows."""

from typing import Any
from urllib.parse import urlsplit

import orjson
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from telephony.models.calls import MAX_TIME_LIMIT_SECONDS
from telephony.states import CallStatus, Direction

MAX_METADATA_BYTES = 4096


class CallRequest(serializers.Serializer[Any]):
    """`POST /v1/calls`."""

    to = serializers.CharField(max_length=32, help_text="The number to dial, E.164.")
    record = serializers.BooleanField(default=False, help_text="Recording; refused where it is not available.")
    time_limit_seconds = serializers.IntegerField(
        default=MAX_TIME_LIMIT_SECONDS, min_value=1, max_value=MAX_TIME_LIMIT_SECONDS
    )
    status_callback = serializers.URLField(default="", max_length=500, allow_blank=True)
    metadata = serializers.JSONField(default=dict, help_text=f"An object of yours, {MAX_METADATA_BYTES} bytes at most.")
    dry_run = serializers.BooleanField(default=False, help_text="Check everything, dial nothing.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself."""
        shown = serializers.CharField(max_length=32, help_text="The caller id: one of your phone numbers.")
        return {**super().get_fields(), "from": shown}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse fields nobody reads: a misspelt one must not be taken for obeyed."""
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."), code="unknown")
        return attrs

    def validate_record(self, value: bool) -> bool:
        """Refuse what this installation can't do."""
        if value:
            raise serializers.ValidationError("Calls are not recorded on this installation.", code="not-available")
        return value

    def validate_status_callback(self, value: str) -> str:
        """Take web addresses only."""
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise serializers.ValidationError("A callback is an http or https address.", code="bad-url")
        return value

    def validate_metadata(self, value: Any) -> dict[str, Any]:
        """Take a small object the database can hold."""
        if not isinstance(value, dict):
            raise serializers.ValidationError("metadata is a JSON object.", code="not-an-object")
        encoded = orjson.dumps(value)
        if len(encoded) > MAX_METADATA_BYTES:
            raise serializers.ValidationError(f"metadata has {MAX_METADATA_BYTES} bytes at most.", code="too-large")
        if b"\\u0000" in encoded:
            raise serializers.ValidationError("metadata holds a NUL character.", code="nul")
        return value


class CallAnswer(serializers.Serializer[Any]):
    """A call."""

    sid = serializers.CharField(help_text="`CA…`; also the channel UUID of its first leg.")
    status = serializers.ChoiceField(choices=[status.value for status in CallStatus])
    direction = serializers.ChoiceField(choices=[direction.value for direction in Direction])
    to = serializers.CharField()
    time_limit_seconds = serializers.IntegerField()
    status_callback = serializers.URLField(allow_null=True)
    metadata = serializers.JSONField()
    created_at = serializers.DateTimeField()
    ringing_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="Why it has its final status, e.g. `declined`.")
    retry = serializers.CharField(allow_null=True, help_text="yes, no, once, later, never or next_trunk.")
    hangup_cause = serializers.CharField(allow_null=True, help_text="The switch's own word.")
    q850 = serializers.IntegerField(allow_null=True)
    sip_status = serializers.IntegerField(allow_null=True)
    hangup_source = serializers.CharField(allow_null=True, help_text="api, caller, callee, limit or platform.")
    estimated = serializers.BooleanField(help_text="The switch lost it; ended at its last proof of life.")
    billed_seconds = serializers.IntegerField()
    price = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    price_final = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.CharField()}


class CallPage(serializers.Serializer[Any]):
    """A page of calls, newest first."""

    results = CallAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class CallEventAnswer(serializers.Serializer[Any]):
    """One event of a call's timeline."""

    seq = serializers.IntegerField(help_text="Gap-free, from 1.")
    type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    payload = serializers.JSONField()


class CallEventPage(serializers.Serializer[Any]):
    """A piece of a call's timeline, oldest first."""

    results = CallEventAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class DryRunAnswer(serializers.Serializer[Any]):
    """What a dry run found possible."""

    dry_run = serializers.BooleanField()
    to = serializers.CharField()
    trunk = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.CharField()}


PLACE_EXAMPLE = OpenApiExample(
    "A call",
    {
        "to": "+15550100203",
        "from": "+15550109999",
        "time_limit_seconds": 600,
        "metadata": {"order": "10042"},
    },
    request_only=True,
)
CALL_EXAMPLE = OpenApiExample(
    "Just placed",
    {
        "sid": "CA0196f1d2a4c87b3e9d5f0a1b2c3d4e5f",
        "status": "queued",
        "direction": "outbound",
        "to": "+15550100203",
        "from": "+15550109999",
        "time_limit_seconds": 600,
        "status_callback": None,
        "metadata": {"order": "10042"},
        "created_at": "2026-01-01T12:00:00.000000Z",
        "ringing_at": None,
        "answered_at": None,
        "ended_at": None,
        "reason": None,
        "retry": None,
        "hangup_cause": None,
        "q850": None,
        "sip_status": None,
        "hangup_source": None,
        "estimated": False,
        "billed_seconds": 0,
        "price": None,
        "currency": "USD",
        "price_final": False,
    },
    response_only=True,
    status_codes=[202],
)
