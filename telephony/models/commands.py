"""What a switch is told to do: a row written with the request, sent by the node's owner."""

from enum import StrEnum

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from telephony.models.calls import Call, CallLeg
from telephony.models.choices import choices_of, one_of


class CommandKind(StrEnum):
    """What is asked of the switch."""

    ORIGINATE = "originate"
    HANGUP = "hangup"
    BRIDGE = "bridge"
    MUSIC = "music"


class CommandStatus(StrEnum):
    """How far a command got."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"


class CallCommand(TenantModel):
    """A command past `not_after` is failed and never sent, whatever was down until then."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="commands")
    leg = models.ForeignKey(CallLeg, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=10, choices=choices_of(CommandKind))
    status = models.CharField(max_length=8, choices=choices_of(CommandStatus), default=CommandStatus.PENDING.value)
    node = models.CharField(max_length=120, blank=True, help_text="The only switch it is for; empty means any.")
    not_after = models.DateTimeField()
    params = models.JSONField(default=dict, blank=True, help_text="What its kind needs beside the leg.")
    result = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "call_commands"
        constraints = [
            one_of("kind", CommandKind, name="call_commands_kind"),
            one_of("status", CommandStatus, name="call_commands_status"),
            models.UniqueConstraint(
                fields=["leg"],
                condition=Q(kind=CommandKind.ORIGINATE.value),
                name="call_commands_one_originate",
                violation_error_message="A leg is dialled once.",
            ),
        ]
        indexes = [
            # The owner of a node picks up what waits, oldest first.
            models.Index(
                fields=["created_at"], condition=Q(status=CommandStatus.PENDING.value), name="call_commands_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"
