"""Queues, who serves them, who waits in them, and what agents are doing on the telephone."""

from enum import StrEnum

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from telephony.models.choices import choices_of, one_of

MOST_SKILLS = 20


class Overflow(StrEnum):
    """What becomes of a caller who waited too long, or found the queue full."""

    HANGUP = "hangup"
    QUEUE = "queue"


class EntryStatus(StrEnum):
    """How a caller's wait stands; the last four are over."""

    WAITING = "waiting"
    OFFERED = "offered"
    CONNECTED = "connected"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    OVERFLOWED = "overflowed"
    FAILED = "failed"


OPEN = (EntryStatus.WAITING.value, EntryStatus.OFFERED.value, EntryStatus.CONNECTED.value)


class Phase(StrEnum):
    """What an agent does on the telephone."""

    IDLE = "idle"
    OFFERED = "offered"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


def _skills() -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=40), default=list, blank=True, size=MOST_SKILLS)


class Queue(TenantModel):
    """A queue and its patience, in seconds. Its skills are those every caller of it needs."""

    name = models.CharField(max_length=80)
    skills = _skills()
    is_position_announced = models.BooleanField(default=True)
    announce_every_seconds = models.PositiveIntegerField(default=45)
    ring_seconds = models.PositiveIntegerField(default=20)
    wrap_up_seconds = models.PositiveIntegerField(default=10)
    max_wait_seconds = models.PositiveIntegerField(default=600)
    max_waiting = models.PositiveIntegerField(default=100)
    overflow = models.CharField(max_length=8, choices=choices_of(Overflow), default=Overflow.HANGUP.value)
    # No key in the database: queues may overflow into one another, and are erased table by table.
    overflow_queue = models.UUIDField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "queues"
        constraints = [
            one_of("overflow", Overflow, name="queues_overflow"),
            models.UniqueConstraint(
                fields=["tenant", "name"], name="queues_name", violation_error_message="This name is taken."
            ),
            models.CheckConstraint(
                condition=Q(overflow="hangup") | Q(overflow="queue", overflow_queue__isnull=False),
                name="queues_overflow_target",
                violation_error_message="An overflow leads to what it says.",
            ),
        ]
        indexes = [
            # GET /v1/queues.
            models.Index(fields=["tenant", "-created_at", "-id"], name="queues_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class QueueMember(TenantModel):
    """An agent who serves a queue, with what they are good at. Lower tiers are asked first."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    skills = _skills()
    tier = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "queue_members"
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "user"], name="queue_members_once", violation_error_message="They serve it already."
            ),
        ]


class QueueEntry(TenantModel):
    """A caller in a queue. An offer to an agent is a lease: past `offered_until` it is void, whoever died."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="entries")
    call = models.ForeignKey("telephony.Call", on_delete=models.CASCADE, related_name="queue_entries")
    status = models.CharField(max_length=10, choices=choices_of(EntryStatus), default=EntryStatus.WAITING.value)
    skills = _skills()
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    missed_by = ArrayField(models.UUIDField(), default=list, blank=True)
    offered_until = models.DateTimeField(null=True, blank=True)
    leg = models.UUIDField(null=True, blank=True, help_text="The leg that rings the agent, or is theirs.")
    announced_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    created_at = models.DateTimeField(help_text="Since when the caller waits.")

    class Meta(TenantModel.Meta):
        db_table = "queue_entries"
        constraints = [
            one_of("status", EntryStatus, name="queue_entries_status"),
            models.UniqueConstraint(
                fields=["call"],
                condition=Q(status__in=OPEN),
                name="queue_entries_one_open",
                violation_error_message="A caller waits in one queue at a time.",
            ),
        ]
        indexes = [
            # Whose turn it is, and a caller's position.
            models.Index(fields=["queue", "created_at", "id"], condition=Q(status__in=OPEN), name="queue_entries_open"),
        ]


class AgentLine(TenantModel):
    """What an agent does on the telephone: `engaged_by` (a call's id) holds them until `engaged_until`, whoever died."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    phase = models.CharField(max_length=8, choices=choices_of(Phase), default=Phase.IDLE.value)
    engaged_by = models.UUIDField(null=True, blank=True)
    engaged_until = models.DateTimeField(null=True, blank=True)
    idle_since = models.DateTimeField(null=True, blank=True, help_text="When the last call's work was done.")

    class Meta(TenantModel.Meta):
        db_table = "agent_lines"
        constraints = [
            one_of("phase", Phase, name="agent_lines_phase"),
            models.UniqueConstraint(
                fields=["tenant", "user"], name="agent_lines_once", violation_error_message="This line exists."
            ),
            models.CheckConstraint(
                condition=Q(phase="idle", engaged_until=None) | (~Q(phase="idle") & Q(engaged_until__isnull=False)),
                name="agent_lines_leased",
                violation_error_message="An agent is engaged for a time, or idle.",
            ),
        ]
        indexes = [
            # The look for leases that have run out.
            models.Index(fields=["engaged_until"], condition=~Q(phase="idle"), name="agent_lines_engaged"),
        ]
