"""Tasks of the house itself."""

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access
from common import idempotency
from irisx.heartbeat import beat


@shared_task(name="irisx.tasks.heartbeat")
def heartbeat(**kwargs: object) -> None:
    """Leave a sign of life: it needs beat to send this and a worker to run it."""
    beat("worker")


@shared_task(name="irisx.tasks.forget_idempotency_keys")
def forget_idempotency_keys(**kwargs: object) -> None:
    """Delete the answers of requests older than a day."""
    with system_access("idempotency keys expire"):
        idempotency.forget_old(now=timezone.now())
