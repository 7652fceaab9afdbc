"""What integrators hear: where to (endpoints), what (the outbox), and what became of it (deliveries and their attempts)."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy.models import LedgerModel, TenantModel

MOST_ERROR, MOST_ANSWER = 40, 512


class WebhookEndpoint(TenantModel):
    """An integrator's address and the event types it wants (`call.completed`, `call.*`); none listed means all.

    The secrets are sealed (common.sealed). `failing_since` is the first failure after the last success; while `paused_until`
    lies ahead nothing is sent (the circuit breaker, or the receiver's own Retry-After).
    """

    class Disabled(models.TextChoices):
        BY_REQUEST = "by_request"
        GONE = "gone", "Answered 410"
        FAILING = "failing", "Failed for days"
        NO_SECRET = "no_secret", "Has no secret yet"

    class Kind(models.TextChoices):
        EVENTS = "events"
        CALLBACKS = "callbacks", "Status callbacks of one server"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.EVENTS, editable=False)
    url = models.URLField(
        max_length=500, help_text="Of callbacks: their server; each event names its own address there."
    )
    description = models.CharField(max_length=120, blank=True)
    event_types = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=10, choices=Disabled.choices, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    secret = models.TextField(blank=True)
    former_secret = models.TextField(blank=True, help_text="Signs too until former_until.")
    former_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="Failed attempts since the last success.")
    failing_since = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    paused_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "webhook_endpoints"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_active=False) | ~models.Q(secret=""),
                name="webhook_endpoints_signed",
                violation_error_message="An endpoint without a secret cannot be enabled: rotate its secret first.",
            ),
            models.UniqueConstraint(
                fields=["tenant", "url"],
                condition=models.Q(kind="callbacks"),
                name="webhook_endpoints_callbacks_once",
                violation_error_message="The callbacks of this server have an endpoint.",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def is_paused(self, now: datetime) -> bool:
        """Say whether nothing is sent for a while, though the endpoint is enabled."""
        return self.paused_until is not None and self.paused_until > now


class OutboxEvent(LedgerModel):
    """One fact, written in the transaction that made it true. `body` is what will be signed and sent, byte for byte.

    `position` is given by the one dispatcher, after the commit: whoever has read up to a position has missed nothing before it.
    """

    type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    sequence = models.BigIntegerField(help_text="Gap-free per object, from 1.")
    body = models.TextField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    position = models.BigIntegerField(null=True, editable=False)

    callback_endpoint_id = models.UUIDField(null=True, help_text="The endpoint of its status callback, if it has one.")
    callback_url = models.CharField(max_length=500, blank=True)

    class Meta(LedgerModel.Meta):
        db_table = "webhook_outbox"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "object_id", "sequence"], name="webhook_outbox_sequence")
        ]
        indexes = [
            # What waits for the dispatcher, of all tenants, oldest first.
            models.Index(fields=["created_at"], condition=models.Q(position=None), name="webhook_outbox_waiting"),
            # `GET /v1/events?after=`, and the replay of a range.
            models.Index(
                fields=["tenant", "position"],
                condition=models.Q(position__isnull=False),
                name="webhook_outbox_position",
            ),
        ]


class WebhookDelivery(LedgerModel):
    """One event on its way to one endpoint; a resend or replay puts the same row on its way again.

    `tries` are the attempts since it was last put on its way, `attempt_count` all of them.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    event_id = models.UUIDField()
    type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    sequence = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    attempt_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True, help_text="Of the last answer.")
    error = models.CharField(max_length=MOST_ERROR, blank=True, help_text="Why the last attempt had no answer.")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(LedgerModel.Meta):
        db_table = "webhook_deliveries"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "endpoint", "event_id"], name="webhook_deliveries_once"),
            models.CheckConstraint(
                condition=models.Q(status="pending", next_attempt_at__isnull=False)
                | (~models.Q(status="pending") & models.Q(next_attempt_at=None)),
                name="webhook_deliveries_due",
                violation_error_message="What is pending has a next attempt, and nothing else has.",
            ),
        ]
        indexes = [
            # An endpoint's log, newest first.
            models.Index(fields=["tenant", "endpoint", "-created_at", "-id"], name="webhook_deliveries_log"),
            # What of a lane is on its way, in order.
            models.Index(
                fields=["endpoint", "object_id", "sequence"],
                condition=models.Q(status="pending"),
                name="webhook_deliveries_lane",
            ),
        ]


class WebhookAttempt(LedgerModel):
    """One attempt and what came back: a status code, or the reason that there was none."""

    delivery_id = models.UUIDField()
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=MOST_ERROR, blank=True)
    answer = models.CharField(max_length=MOST_ANSWER, blank=True, help_text="The answer's first bytes.")

    class Meta(LedgerModel.Meta):
        db_table = "webhook_attempts"
        # A delivery's attempts, in order.
        indexes = [models.Index(fields=["tenant", "delivery_id", "started_at"], name="webhook_attempts_delivery")]


class WebhookLane(TenantModel):
    """What waits for one endpoint about one object: claimed whole, so that one attempt at most is under way.

    There is a row only while something is pending. `due_at` is when the next attempt may begin; `is_held` says that an
    event has not failed three times yet and holds those after it. The lease is the claiming worker's.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, db_index=False, related_name="+")
    object_id = models.CharField(max_length=60)
    due_at = models.DateTimeField()
    is_held = models.BooleanField(default=True)
    leased_until = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "webhook_lanes"
        constraints = [models.UniqueConstraint(fields=["endpoint", "object_id"], name="webhook_lanes_once")]
        indexes = [
            # What of an endpoint is due, oldest first.
            models.Index(fields=["endpoint", "due_at"], name="webhook_lanes_due"),
            # How many attempts are under way at an endpoint.
            models.Index(
                fields=["endpoint"], condition=models.Q(leased_until__isnull=False), name="webhook_lanes_leased"
            ),
        ]
