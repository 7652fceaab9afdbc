"""Nightly work about companies that have left."""

from celery import shared_task
from django.utils import timezone

from accounts.leaving import erasing


@shared_task(name="accounts.tasks.erase_closed")
def erase_closed(**kwargs: object) -> None:
    """Erase the companies closed 30 days ago and before."""
    erasing.erase_due(now=timezone.now())
