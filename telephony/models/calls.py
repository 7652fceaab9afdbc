"""A call and its legs."""

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from telephony.models.choices import choices_of, e164, one_of
from telephony.models.lines import SipTrunk
from telephony.states import FINAL, CallStatus, Direction, Dispatch, Evidence, HangupSource, Retry

MAX_TIME_LIMIT_SECONDS = 4 * 60 * 60
_IS_FINAL = Q(status__in=sorted(status.value for status in FINAL))


class Ended(models.Model):
    """How something ended: the raw facts that stand beside every published status."""

    hangup_cause = models.CharField(max_length=48, blank=True, help_text="FreeSWITCH's name, e.g. NORMAL_CLEARING.")
    q850 = models.PositiveSmallIntegerField(null=True, blank=True, help_text="ITU-T Q.850 cause number.")
    sip_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The far end's final SIP status.")
    hangup_source = models.CharField(max_length=10, blank=True, choices=choices_of(HangupSource))
    is_estimated = models.BooleanField(
        default=False, help_text="The switch lost the call; it was ended at its last proof of life."
    )

    class Meta:
        abstract = True


class Call(Ended, TenantModel):
    """One conversation, or the attempt at one. Its id is also the channel UUID of its first leg."""

    direction = models.CharField(max_length=8, choices=choices_of(Direction))
    status = models.CharField(max_length=10, choices=choices_of(CallStatus), default=CallStatus.QUEUED.value)
    to_number = models.CharField(max_length=16)
    from_number = models.CharField(max_length=16, blank=True, help_text="Empty: the caller hides it.")
    time_limit_seconds = models.PositiveIntegerField(default=MAX_TIME_LIMIT_SECONDS)
    status_callback = models.URLField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    placed_by = models.UUIDField(null=True, blank=True, help_text="The user or API key that asked for it.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=24, blank=True, help_text="Why it has this final status.")
    retry = models.CharField(max_length=10, blank=True, choices=choices_of(Retry))
    billed_seconds = models.PositiveIntegerField(default=0)
    price = models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    is_price_final = models.BooleanField(default=False)
    corrections = models.PositiveSmallIntegerField(default=0, help_text="How often better evidence changed its end.")
    last_seq = models.PositiveIntegerField(default=0, help_text="Sequence of its latest event.")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "calls"
        constraints = [
            one_of("status", CallStatus, name="calls_status"),
            one_of("direction", Direction, name="calls_direction"),
            e164("to_number", name="calls_to_e164"),
            # A caller may hide their number.
            e164("from_number", name="calls_from_e164", unless=Q(direction=Direction.INBOUND.value, from_number="")),
            models.CheckConstraint(
                condition=Q(time_limit_seconds__range=(1, MAX_TIME_LIMIT_SECONDS)),
                name="calls_time_limit",
                violation_error_message=f"A call's time limit is 1 to {MAX_TIME_LIMIT_SECONDS} seconds.",
            ),
            models.CheckConstraint(
                condition=Q(_IS_FINAL, ended_at__isnull=False) | Q(~_IS_FINAL, ended_at=None),
                name="calls_end_when_final",
                violation_error_message="A call has an end when, and only when, its status is final.",
            ),
            models.CheckConstraint(
                condition=~Q(status=CallStatus.COMPLETED.value) | Q(answered_at__isnull=False),
                name="calls_completed_was_answered",
                violation_error_message="Only an answered call can be completed.",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(ended_at=None) | Q(ended_at__gte=F("answered_at")),
                name="calls_ends_after_answer",
                violation_error_message="A call can't end before it was answered.",
            ),
        ]
        indexes = [
            # GET /v1/calls and the admin's list of one tenant, newest first.
            models.Index(fields=["tenant", "-created_at", "-id"], name="calls_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.from_number} → {self.to_number} ({self.status})"

    @property
    def is_final(self) -> bool:
        """Say whether nothing can change the status any more."""
        return self.status in FINAL


class CallLeg(Ended, TenantModel):
    """One channel of a call: each attempt at a trunk is a leg of its own. Its id is the channel's UUID."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs")
    position = models.PositiveSmallIntegerField(default=1)
    trunk = models.ForeignKey(SipTrunk, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    node = models.CharField(max_length=120, blank=True, help_text="The switch it was sent to, host:port.")
    dispatch = models.CharField(max_length=11, choices=choices_of(Dispatch), default=Dispatch.UNSENT.value)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="Last proof that the channel lived.")
    missing_since = models.DateTimeField(null=True, blank=True, help_text="Since when the switch denies knowing it.")
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    finalized_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(
        max_length=8, blank=True, default="", choices=choices_of(Evidence), help_text="What its end is known from."
    )
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "call_legs"
        constraints = [
            one_of("dispatch", Dispatch, name="call_legs_dispatch"),
            one_of("evidence", Evidence, name="call_legs_evidence"),
            models.UniqueConstraint(
                fields=["call", "position"], name="call_legs_position", violation_error_message="This leg exists."
            ),
            models.CheckConstraint(
                condition=Q(finalized_at=None, ended_at=None) | Q(finalized_at__isnull=False, ended_at__isnull=False),
                name="call_legs_end_when_finalized",
                violation_error_message="A leg has an end when, and only when, it is finalised.",
            ),
        ]
        indexes = [
            # Reconciliation: the legs a node should know.
            models.Index(fields=["node"], condition=Q(finalized_at=None), name="call_legs_living"),
        ]

    def __str__(self) -> str:
        return f"leg {self.position} of {self.call_id}"
