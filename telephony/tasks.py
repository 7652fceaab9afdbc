"""Telephony's periodic work."""

from celery import shared_task
from django.utils import timezone

from telephony.queues import waiting


@shared_task
def tend_queues() -> int:
    """Do in every queue what is due by the clock."""
    return waiting.tend(now=timezone.now())
