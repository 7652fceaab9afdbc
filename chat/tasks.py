"""Chat's background work."""

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access
from chat.models import TypingIndicator


@shared_task(name="chat.tasks.forget_stale_typing")
def forget_stale_typing(**kwargs: object) -> None:
    """Delete typing rows that have run out."""
    with system_access("typing rows expire"):
        TypingIndicator.unscoped.filter(expires_at__lt=timezone.now()).delete()
