"""Background work about webhooks; the deliveries themselves have a process of their own (delivering)."""

from celery import shared_task
from django.utils import timezone

from accounts.webhooks import keeping


@shared_task(name="accounts.tasks.forget_webhooks")
def forget_webhooks(**kwargs: object) -> None:
    """Delete events and deliveries older than 30 days."""
    keeping.forget_old(now=timezone.now())
