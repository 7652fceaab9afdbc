"""Bodies of flows and sessions: what is read, and what the documentation shows."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from telephony.inbound.schemas import StrictSerializer
from telephony.ivr.models import SessionStatus


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "start": {"type": "string", "description": "The name of the first node."},
            "nodes": {
                "type": "object",
                "description": "Nodes by name; see the guide for their types and fields.",
                "additionalProperties": True,
            },
        },
        "additionalProperties": True,
    }
)
class FlowField(serializers.JSONField):
    """A flow's definition."""


class FlowChange(StrictSerializer):
    """What of a flow can be changed."""

    name = serializers.CharField(max_length=80, required=False)
    definition = FlowField(required=False, help_text="The draft: kept with its mistakes, which the answer names.")


class FlowRequest(StrictSerializer):
    """A new flow."""

    name = serializers.CharField(max_length=80)
    definition = FlowField(help_text="The draft: kept with its mistakes, which the answer names.")


class FlowProblem(serializers.Serializer[Any]):
    """One mistake of a draft."""

    pointer = serializers.CharField(help_text="JSON Pointer into the definition.")
    code = serializers.CharField()
    detail = serializers.CharField()


class FlowRow(serializers.Serializer[Any]):
    """A flow in a list."""

    id = serializers.CharField(help_text="`ivf_…`")
    name = serializers.CharField()
    published_version = serializers.IntegerField(allow_null=True, help_text="The newest published version.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class FlowAnswer(FlowRow):
    """A flow with its draft."""

    definition = FlowField()
    problems = FlowProblem(many=True, help_text="What keeps the draft from being published.")


class FlowPage(serializers.Serializer[Any]):
    """A page of flows, newest first."""

    results = FlowRow(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class VersionAnswer(serializers.Serializer[Any]):
    """A published version."""

    flow = serializers.CharField()
    version = serializers.IntegerField()
    published_at = serializers.DateTimeField()
    definition = FlowField()


class IvrSessionAnswer(serializers.Serializer[Any]):
    """A caller's way through a flow."""

    id = serializers.CharField(help_text="`ivs_…`")
    call = serializers.CharField(help_text="`CA…`")
    flow = serializers.CharField(help_text="`ivf_…`")
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=[status.value for status in SessionStatus])
    node = serializers.CharField(help_text="Where the caller is, or was last.")
    steps = serializers.IntegerField()
    timeouts = serializers.IntegerField(help_text="Times the caller entered nothing.")
    invalid_entries = serializers.IntegerField(help_text="Times the caller entered what is no choice.")
    outcome = serializers.CharField(allow_null=True, help_text="How it ended, e.g. `transferred`.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class IvrSessionPage(serializers.Serializer[Any]):
    """A page of sessions, newest first."""

    results = IvrSessionAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


_DEFINITION = {
    "start": "welcome",
    "nodes": {
        "welcome": {
            "type": "menu",
            "prompt": {"say": "For sales press 1, to leave a message press 2."},
            "choices": {"1": "sales", "2": "message"},
            "on_timeout": "message",
        },
        "sales": {"type": "transfer", "to": "+15550100200", "next": "message"},
        "message": {"type": "voicemail", "prompt": {"say": "Please leave a message."}},
    },
}
FLOW_EXAMPLE = OpenApiExample("A menu", {"name": "Main", "definition": _DEFINITION}, request_only=True)
CHANGE_EXAMPLE = OpenApiExample("Another name", {"name": "Main menu"}, request_only=True)
