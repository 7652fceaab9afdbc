"""Flows, the versions that were published, and callers on their way through them."""

from enum import StrEnum

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from telephony.models.choices import choices_of, one_of


class SessionStatus(StrEnum):
    """How a caller's way through a flow stands."""

    ACTIVE = "active"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    FAILED = "failed"


class IvrFlow(TenantModel):
    """A flow: a draft that is edited, and the versions that were published."""

    name = models.CharField(max_length=80)
    draft = models.JSONField()
    published_version = models.PositiveIntegerField(null=True, blank=True, help_text="The newest one.")
    last_version = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "ivr_flows"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="ivr_flows_name", violation_error_message="This name is taken."
            ),
        ]
        indexes = [
            # GET /v1/ivr/flows.
            models.Index(fields=["tenant", "-created_at", "-id"], name="ivr_flows_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class IvrFlowVersion(TenantModel):
    """A flow as it was published: never changed, for sessions go by it."""

    flow = models.ForeignKey(IvrFlow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    published_by = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "ivr_flow_versions"
        constraints = [
            models.UniqueConstraint(
                fields=["flow", "number"],
                name="ivr_flow_versions_number",
                violation_error_message="This version exists.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow_id} v{self.number}"


class IvrSession(TenantModel):
    """A caller in a flow. The row is the whole state: whichever listener hears the next result goes on from it."""

    call = models.ForeignKey("telephony.Call", on_delete=models.CASCADE, related_name="ivr_sessions")
    version = models.ForeignKey(IvrFlowVersion, on_delete=models.CASCADE, related_name="sessions")
    status = models.CharField(max_length=10, choices=choices_of(SessionStatus), default=SessionStatus.ACTIVE.value)
    node = models.CharField(max_length=40, help_text="The node the caller is at.")
    state = models.JSONField(default=dict, help_text="Tries at this node, and the digits taken so far.")
    awaiting = models.UUIDField(null=True, blank=True, help_text="The action whose result comes next.")
    steps = models.PositiveIntegerField(default=0)
    timeouts = models.PositiveIntegerField(default=0, help_text="Times the caller entered nothing.")
    invalid_entries = models.PositiveIntegerField(default=0, help_text="Times the caller entered what is no choice.")
    outcome = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        db_table = "ivr_sessions"
        constraints = [
            one_of("status", SessionStatus, name="ivr_sessions_status"),
            models.UniqueConstraint(
                fields=["call"],
                condition=Q(status=SessionStatus.ACTIVE.value),
                name="ivr_sessions_one_active",
                violation_error_message="A caller is in one flow at a time.",
            ),
            models.CheckConstraint(
                condition=Q(status=SessionStatus.ACTIVE.value, ended_at=None)
                | (~Q(status=SessionStatus.ACTIVE.value) & Q(ended_at__isnull=False)),
                name="ivr_sessions_end_when_over",
                violation_error_message="A session has an end when, and only when, it is over.",
            ),
        ]
        indexes = [
            # GET /v1/ivr/sessions.
            models.Index(fields=["tenant", "-created_at", "-id"], name="ivr_sessions_newest"),
            # /health counts those that are active.
            models.Index(fields=["status"], condition=Q(status=SessionStatus.ACTIVE.value), name="ivr_sessions_active"),
        ]

    def __str__(self) -> str:
        return f"session of {self.call_id} ({self.status})"
