"""Bodies of queues: what is read, and what the documentation shows."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.presence.models import AgentPresence
from telephony.inbound.schemas import StrictSerializer
from telephony.queues.models import MOST_SKILLS, EntryStatus, Overflow, Phase
from telephony.queues.services import MOST_MEMBERS

DAY = 24 * 60 * 60
OVERFLOWS = [overflow.value for overflow in Overflow]


class SkillsField(serializers.ListField):
    """Names of skills, each once."""

    child = serializers.RegexField(r"^[A-Za-z0-9_.-]{1,40}\Z")

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_SKILLS, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        return sorted(set(super().to_internal_value(data)))


class QueueChange(StrictSerializer):
    """What of a queue can be changed."""

    name = serializers.CharField(max_length=80, required=False)
    skills = SkillsField(required=False, help_text="Who takes a call of this queue has all of these.")
    announce_position = serializers.BooleanField(required=False, source="is_position_announced")
    announce_every_seconds = serializers.IntegerField(min_value=15, max_value=600, required=False)
    ring_seconds = serializers.IntegerField(min_value=5, max_value=120, required=False)
    wrap_up_seconds = serializers.IntegerField(min_value=0, max_value=3600, required=False)
    max_wait_seconds = serializers.IntegerField(min_value=10, max_value=4 * 3600, required=False)
    max_waiting = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    overflow = serializers.ChoiceField(choices=OVERFLOWS, required=False)
    overflow_queue = serializers.CharField(allow_null=True, required=False, help_text="`qu_…`")
    is_active = serializers.BooleanField(required=False, help_text="A queue that is not overflows at once.")


class QueueRequest(QueueChange):
    """A new queue."""

    name = serializers.CharField(max_length=80)


class QueueAnswer(serializers.Serializer[Any]):
    """A queue."""

    id = serializers.CharField(help_text="`qu_…`")
    name = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())
    announce_position = serializers.BooleanField()
    announce_every_seconds = serializers.IntegerField()
    ring_seconds = serializers.IntegerField()
    wrap_up_seconds = serializers.IntegerField()
    max_wait_seconds = serializers.IntegerField()
    max_waiting = serializers.IntegerField()
    overflow = serializers.ChoiceField(choices=OVERFLOWS)
    overflow_queue = serializers.CharField(allow_null=True)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class QueuePage(serializers.Serializer[Any]):
    """A page of queues, newest first."""

    results = QueueAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MemberWish(serializers.Serializer[Any]):
    """Somebody who shall serve a queue."""

    user = serializers.CharField(help_text="`us_…`")
    skills = SkillsField(default=list)
    tier = serializers.IntegerField(min_value=1, max_value=9, default=1, help_text="Tier 1 is asked first.")


class MembersRequest(StrictSerializer):
    """Everybody who shall serve a queue."""

    members = serializers.ListField(child=MemberWish(), max_length=MOST_MEMBERS)


class MemberAnswer(serializers.Serializer[Any]):
    """Somebody who serves a queue."""

    user = serializers.CharField()
    name = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())
    tier = serializers.IntegerField()


class MembersAnswer(serializers.Serializer[Any]):
    """Everybody who serves a queue, the first to be asked first."""

    members = MemberAnswer(many=True)


class WaitingAnswer(serializers.Serializer[Any]):
    """A caller in a queue."""

    call = serializers.CharField(help_text="`CA…`")
    position = serializers.IntegerField(allow_null=True, help_text="From 1; null once an agent has the call.")
    status = serializers.ChoiceField(choices=[status.value for status in EntryStatus])
    agent = serializers.CharField(allow_null=True, help_text="`us_…`: who is rung, or talks.")
    waiting_since = serializers.DateTimeField()


class LineAnswer(serializers.Serializer[Any]):
    """An agent of a queue just now."""

    user = serializers.CharField()
    name = serializers.CharField()
    presence = serializers.ChoiceField(choices=AgentPresence.Status.values)
    phase = serializers.ChoiceField(choices=[phase.value for phase in Phase])
    extension = serializers.CharField(allow_null=True, help_text="Without one nobody can ring them.")


class QueueStatusAnswer(serializers.Serializer[Any]):
    """A queue just now."""

    callers = WaitingAnswer(many=True)
    agents = LineAnswer(many=True)


QUEUE_EXAMPLE = OpenApiExample("A queue", {"name": "Support", "ring_seconds": 20}, request_only=True)
CHANGE_QUEUE_EXAMPLE = OpenApiExample("More patience", {"max_wait_seconds": 900}, request_only=True)
MEMBERS_EXAMPLE = OpenApiExample("Nobody yet", {"members": []}, request_only=True)
