"""Background work about people."""

from celery import shared_task
from django.utils import timezone

from accounts.exports.tasks import forget_exports, make_exports
from accounts.identity import letters, sign_ins
from accounts.leaving.tasks import erase_closed
from accounts.members import mailing
from accounts.presence import services as presence
from accounts.webhooks.tasks import forget_webhooks

__all__ = ["declare_gone", "erase_closed", "forget_exports", "forget_webhooks", "make_exports"]


@shared_task(name="accounts.tasks.declare_gone")
def declare_gone(**kwargs: object) -> None:
    """Tell of agents whose lease has run out."""
    presence.declare_gone(now=timezone.now())


@shared_task(name="accounts.tasks.send_letters")
def send_letters(**kwargs: object) -> None:
    """Send mail about people: addresses to prove, passwords to reset, what changed."""
    letters.send_waiting(now=timezone.now())


@shared_task(name="accounts.tasks.forget_sign_ins")
def forget_sign_ins(**kwargs: object) -> None:
    """Delete sessions that ran out, old sign-ups and old letters."""
    now = timezone.now()
    letters.forget_old(now=now)
    sign_ins.forget_old(now=now)


@shared_task(name="accounts.tasks.send_invitations")
def send_invitations(**kwargs: object) -> None:
    """Mail the links of invitations that wait."""
    mailing.send_waiting(now=timezone.now())
