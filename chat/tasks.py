"""Chat's background work."""

from datetime import datetime, timedelta
from typing import Final

from celery import shared_task
from django.utils import timezone
from redis import RedisError

from accounts.tenancy import system_access
from chat import services
from chat.attachments.services import sweep_unsent
from chat.models import TypingIndicator
from chat.privacy.retention import forget_the_old
from common import valkey

LOOKED_AT: Final = "chat:hours-looked-at"


@shared_task(name="chat.tasks.forget_stale_typing")
def forget_stale_typing(**kwargs: object) -> None:
    """Delete typing rows that have run out."""
    with system_access("typing rows expire"):
        TypingIndicator.unscoped.filter(expires_at__lt=timezone.now()).delete()


@shared_task(name="chat.tasks.tend_conversations")
def tend_conversations(**kwargs: object) -> None:
    """Return, abandon and close what nobody tends, then offer what waits: the net under every drain after a commit."""
    now = timezone.now()
    services.tend_all(now=now)
    services.drain_all(now=now)
    services.tell_openings(since=_last_look(now), now=now)


def _last_look(now: datetime) -> datetime:
    """Return when hours were last held against the clock, and note that they are now; at most an hour ago."""
    earliest = now - timedelta(hours=1)
    try:
        before = valkey.client().set(LOOKED_AT, now.isoformat(), get=True)
    except RedisError:
        return now - timedelta(minutes=1)  # visitors may be told twice: it is a doorbell
    return max(earliest, datetime.fromisoformat(str(before))) if before else earliest


@shared_task(name="chat.tasks.compare_active_chats")
def compare_active_chats(**kwargs: object) -> None:
    """Hold every agent's count of chats against the conversations."""
    services.compare_all()


@shared_task(name="chat.tasks.sweep_files")
def sweep_files(**kwargs: object) -> None:
    """Remove files nobody sent within a day, and those that were erased."""
    while sweep_unsent(now=timezone.now()):
        continue


@shared_task(name="chat.tasks.forget_the_old", time_limit=3600)
def forget_the_old_ones(**kwargs: object) -> None:
    """Delete what tenants do not keep any longer."""
    forget_the_old(now=timezone.now())


@shared_task(name="chat.tasks.mail_unread")
def mail_unread(**kwargs: object) -> None:
    """Write to visitors who left before they read an answer."""
    services.mail_unread(now=timezone.now())
