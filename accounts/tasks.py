"""Background work about people."""

from celery import shared_task
from django.utils import timezone

from accounts.presence import services as presence


@shared_task(name="accounts.tasks.declare_gone")
def declare_gone(**kwargs: object) -> None:
    """Tell of agents whose lease has run out."""
    presence.declare_gone(now=timezone.now())
