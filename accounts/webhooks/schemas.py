"""Bodies of the webhooks' API: what is read, and what the documentation shows."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.webhooks.catalogue import MOST_FILTERS
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint

ID, DELIVERY_ID = "wh_0196f1d2a4c87b3e9d5f0a1b2c3d4e5f", "wd_0196f1d2a4c87b3e9d5f0a1b2c3d4e60"
EVENT_ID = "evt_0196f1d2a4c87b3e9d5f0a1b2c3d4e61"
SECRET = "whsec_c2hvd24gb25jZSBhbmQgbmV2ZXIgYWdhaW4sIGtlZXA="  # noqa: S105 - an example
MOMENT = "2026-01-01T12:00:00.000000Z"


class Strict(serializers.Serializer[Any]):
    """Refuses fields nobody reads: a misspelt one must not be taken for obeyed."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."), code="unknown")
        return attrs


class EndpointRequest(Strict):
    """`POST /v1/webhooks`."""

    url = serializers.CharField(max_length=500, help_text="https, a public address.")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=60),
        default=list,
        max_length=MOST_FILTERS,
        help_text="`call.completed`, or `call.*` for a family; none: every event.",
    )
    description = serializers.CharField(max_length=120, default="", allow_blank=True)


class EndpointChange(Strict):
    """`PATCH /v1/webhooks/{id}`: what is given is changed."""

    url = serializers.CharField(max_length=500, required=False)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=MOST_FILTERS
    )
    description = serializers.CharField(max_length=120, required=False, allow_blank=True)
    is_enabled = serializers.BooleanField(required=False)


class ReplayRequest(Strict):
    """`POST /v1/webhooks/{id}/replay`."""

    since = serializers.DateTimeField(help_text="The first moment, of `timestamp`; at most 30 days ago.")
    until = serializers.DateTimeField(required=False, help_text="The first moment no longer meant; absent: now.")
    only_failed = serializers.BooleanField(default=False, help_text="Only what failed here for good.")


class EndpointAnswer(serializers.Serializer[Any]):
    """An endpoint."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=WebhookEndpoint.Kind.values, help_text="`callbacks`: of the server that calls' `status_callback` name."
    )
    url = serializers.URLField()
    description = serializers.CharField(allow_blank=True)
    event_types = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(choices=WebhookEndpoint.Disabled.values, allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="The first failure since the last success.")
    last_success_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    paused_until = serializers.DateTimeField(allow_null=True, help_text="Left alone until then, after many failures.")
    former_secret_until = serializers.DateTimeField(allow_null=True, help_text="Until then two secrets sign.")
    created_at = serializers.DateTimeField()


class EndpointWithSecret(EndpointAnswer):
    """An endpoint and its secret."""

    secret = serializers.CharField(
        allow_null=True, help_text="`whsec_…`, shown this once; null in the replay of an Idempotency-Key."
    )


class EndpointPage(serializers.Serializer[Any]):
    results = EndpointAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class DeliveryAnswer(serializers.Serializer[Any]):
    """One event on its way to one endpoint."""

    id = serializers.CharField()
    event_id = serializers.CharField(help_text="`webhook-id`.")
    type = serializers.CharField()
    object_id = serializers.CharField()
    sequence = serializers.IntegerField()
    status = serializers.ChoiceField(choices=WebhookDelivery.Status.values)
    attempt_count = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True, help_text="Of the last answer.")
    error = serializers.CharField(
        allow_null=True, help_text="Why there was none: timeout, connect, tls, dns, refused …"
    )
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class DeliveryPage(serializers.Serializer[Any]):
    results = DeliveryAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AttemptAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    answer = serializers.CharField(allow_blank=True, help_text="The first 512 bytes.")


class DeliveryDetail(DeliveryAnswer):
    """A delivery with its last hundred attempts, oldest first."""

    attempts = AttemptAnswer(many=True)


class ReplayAnswer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="How many events are sent again; at most 10,000 of one request.")
    continue_since = serializers.DateTimeField(
        allow_null=True, help_text="The `since` of the next request, if there is more."
    )


class EventAnswer(serializers.Serializer[Any]):
    """An event, as endpoints get it."""

    id = serializers.CharField()
    type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    object_id = serializers.CharField()
    sequence = serializers.IntegerField(help_text="Gap-free per object, from 1.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `data`, which serializers keep for themselves."""
        return {**super().get_fields(), "data": serializers.JSONField()}


class EventPage(serializers.Serializer[Any]):
    """Events, oldest first."""

    results = EventAnswer(many=True)
    next = serializers.URLField(allow_null=True, help_text="More are there already.")
    previous = serializers.URLField(allow_null=True, help_text="Always null: the order is one way.")
    after = serializers.CharField(allow_null=True, help_text="Keep it: the `after` to go on from, now or tomorrow.")


ENDPOINT: dict[str, Any] = {
    "kind": "events",
    "id": ID,
    "url": "https://example.com/hooks/irisx",
    "description": "Order desk",
    "event_types": ["call.*", "chat.conversation.closed"],
    "is_enabled": True,
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "last_success_at": None,
    "paused_until": None,
    "former_secret_until": None,
    "created_at": MOMENT,
}
DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID,
    "event_id": EVENT_ID,
    "type": "call.completed",
    "object_id": "CA0196f1d2a4c87b3e9d5f0a1b2c3d4e5f",
    "sequence": 4,
    "status": "delivered",
    "attempt_count": 2,
    "next_attempt_at": None,
    "last_attempt_at": MOMENT,
    "status_code": 200,
    "error": None,
    "created_at": MOMENT,
    "finished_at": MOMENT,
}
ATTEMPT: dict[str, Any] = {
    "number": 1,
    "started_at": MOMENT,
    "duration_ms": 15_000,
    "status_code": None,
    "error": "timeout",
    "answer": "",
}
EVENT: dict[str, Any] = {
    "id": EVENT_ID,
    "type": "chat.conversation.rated",
    "timestamp": MOMENT,
    "object_id": "cc_0196f1d2a4c87b3e9d5f0a1b2c3d4e62",
    "sequence": 9,
    "data": {"conversation_id": "cc_0196f1d2a4c87b3e9d5f0a1b2c3d4e62", "rating": 5, "feedback": ""},
}
CREATE_EXAMPLE = OpenApiExample(
    "An endpoint",
    {name: ENDPOINT[name] for name in ("url", "event_types", "description")},
    request_only=True,
)
CHANGE_EXAMPLE = OpenApiExample("Pause it", {"is_enabled": False}, request_only=True)
ENDPOINT_EXAMPLE = OpenApiExample("An endpoint", ENDPOINT, response_only=True)
SECRET_EXAMPLE = OpenApiExample("With its secret", {**ENDPOINT, "secret": SECRET}, response_only=True)
DELIVERY_EXAMPLE = OpenApiExample("Delivered", DELIVERY, response_only=True)
DETAIL_EXAMPLE = OpenApiExample("With attempts", {**DELIVERY, "attempts": [ATTEMPT]}, response_only=True)
REPLAY_EXAMPLE = OpenApiExample("What failed since New Year", {"since": MOMENT, "only_failed": True}, request_only=True)
REPLAYED_EXAMPLE = OpenApiExample("All of it", {"count": 42, "continue_since": None}, response_only=True)
EVENTS_EXAMPLE = OpenApiExample(
    "One event", {"results": [EVENT], "next": None, "previous": None, "after": EVENT_ID}, response_only=True
)
