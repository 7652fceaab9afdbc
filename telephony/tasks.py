"""Telephony's periodic work."""

from celery import shared_task
from django.utils import timezone

from telephony.cdr.services import forget, work_off
from telephony.queues import waiting
from telephony.services.reconciling import end_gone


@shared_task
def tend_queues() -> int:
    """Do in every queue what is due by the clock."""
    return waiting.tend(now=timezone.now())


@shared_task
def work_off_reports() -> int:
    """Bring the call detail records that are due into the books."""
    return work_off(now=timezone.now())


@shared_task
def forget_reports() -> int:
    """Delete call detail records that are old, and those of channels nobody knows."""
    return forget(now=timezone.now())


@shared_task
def reap_calls() -> int:
    """End what nobody has heard of for an hour, as an estimate."""
    return end_gone(now=timezone.now())
