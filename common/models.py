"""Tables of the shared tools. `owner` is an opaque key of whoever uses them; row-level security goes by it."""

from django.db import models

from common.ids import uuid7


class Sequence(models.Model):
    """A gap-free counter: the next value is taken by one UPDATE in the transaction that uses it."""

    owner = models.UUIDField()
    name = models.CharField(max_length=80)
    last = models.BigIntegerField()

    class Meta:
        db_table = "sequences"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="sequences_owner_name")]


class IdempotencyKey(models.Model):
    """The stored answer of a request that carried an Idempotency-Key; kept for 24 hours."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.UUIDField()
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["owner", "path", "key"], name="idempotency_keys_once")]
        # The nightly sweep deletes by age.
        indexes = [models.Index(fields=["created_at"], name="idempotency_keys_created")]


class Job(models.Model):
    """A long piece of work somebody waits for: its progress and what came of it."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.UUIDField()
    kind = models.CharField(max_length=60)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    done_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "jobs"
        # The owner's list of jobs, newest first.
        indexes = [models.Index(fields=["owner", "-created_at"], name="jobs_owner_created")]
