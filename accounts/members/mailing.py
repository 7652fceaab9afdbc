"""Links of invitations, mailed by a worker: an import of thousands waits for no mail server, and a worker that dies loses none.

A worker claims an invitation, makes its token, stores the hash and mails the token. What was claimed and never noted as sent is
taken up again after five minutes, with a new token: who then gets two mails can use the second.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.members.invitations import new_token
from accounts.members.wording import LANGUAGES, role_name
from accounts.models import Invitation
from accounts.tenancy import system_access, tenant_scope
from common import jobs, mail

AGAIN_AFTER = timedelta(minutes=5)
BATCH = 200


@dataclass(frozen=True)
class Sent:
    """How many links went out, and how many the mail server did not take just now."""

    sent: int
    refused: int


def send_waiting(*, now: datetime) -> Sent:
    """Mail the links that wait, at most 200, oldest first. Several workers may run this at once."""
    with system_access("invitations to mail"):
        waiting = list(_waiting(now).order_by("created_at", "pk").select_related("tenant", "invited_by")[:BATCH])
    outcomes = [_send(invitation, now) for invitation in waiting]
    return Sent(outcomes.count(True), outcomes.count(False))


def _waiting(now: datetime) -> QuerySet[Invitation]:
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - AGAIN_AFTER)
    return Invitation.unscoped.filter(
        free,
        sent_at=None,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=now,
        tenant__status__in=("trial", "active"),
    )


def _send(invitation: Invitation, now: datetime) -> bool | None:
    """Return whether the link was sent; None when another worker has it."""
    token, digest = new_token()
    with tenant_scope(invitation.tenant_id):
        free = Invitation.objects.for_tenant(invitation.tenant_id).filter(
            pk=invitation.pk, claimed_at=invitation.claimed_at, sent_at=None, accepted_at=None, revoked_at=None
        )
        if not free.update(claimed_at=now, token_hash=digest):
            return None
    try:
        mail.send(_message(invitation, token))
    except (mail.NotSent, mail.Unclear):
        return False
    with tenant_scope(invitation.tenant_id):
        ours = Invitation.objects.for_tenant(invitation.tenant_id).filter(pk=invitation.pk, token_hash=digest)
        if ours.update(sent_at=now) and invitation.batch:
            jobs.advance(job_id=invitation.batch)
            _finish_when_done(invitation, now)
    return True


def _finish_when_done(invitation: Invitation, now: datetime) -> None:
    batch = Invitation.objects.for_tenant(invitation.tenant_id).filter(batch=invitation.batch)
    if invitation.batch and not batch.filter(sent_at=None, accepted_at=None, revoked_at=None).exists():
        jobs.finish(job_id=invitation.batch, result={"invited": batch.count()}, now=now)


def _message(invitation: Invitation, token: str) -> mail.Message:
    tenant = invitation.tenant
    language = tenant.locale if tenant.locale in LANGUAGES else "en"
    context = {
        "words": LANGUAGES[language],
        "company": tenant.name,
        "name": invitation.name,
        "inviter": invitation.invited_by.name if invitation.invited_by else tenant.name,
        "role": role_name(invitation.role, language),
        "until": invitation.expires_at,
        "link": f"{settings.IRISX_BASE_URL}{reverse('invitation', args=[token])}",
    }
    return mail.render(template="accounts/mail/invitation", to=[invitation.email], context=context, language=language)
