"""E-mails about money: written down with their reason, sent by a worker, at most once each.

A mail is prepared and claimed in one transaction, sent after that, and its outcome noted in another. A worker that dies
before the claim has done nothing; one that dies after it leaves a mail that may have been sent, which only an operator sends
again. What the mail server refused is tried again.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from billing.errors import NoAddress
from billing.models import BillingMail, CreditNote, Invoice, TopUp
from billing.services.letters import write
from common import mail
from common.errors import DomainError, NotFound
from common.ids import uuid7

logger = logging.getLogger(__name__)
Kind, State = BillingMail.Kind, BillingMail.State
FIRST_RETRY, LAST_RETRY, GIVES_UP_AFTER = timedelta(minutes=5), timedelta(days=1), timedelta(days=14)
SENT_BY_THEN = timedelta(minutes=15)  # whoever has not said by then what became of a mail is dead


@dataclass(frozen=True)
class _Claimed:
    row: BillingMail
    message: mail.Message


def queue_mail(about: Invoice | CreditNote | TopUp, *, now: datetime, key: str = "") -> None:
    """Have a document sent to the tenant's billing address, once per `key`, in the caller's transaction.

    Without a key it is the first time; an operator who sends it again gives one.
    """
    kind, field = _kind(about)
    row = BillingMail(
        tenant_id=about.tenant_id, kind=kind, key=key or f"{kind}:{about.pk.hex}", next_at=now, created_at=now
    )
    setattr(row, field, about)
    BillingMail.objects.bulk_create([row], ignore_conflicts=True)


def send_again(*, tenant_id: UUID, mail_id: UUID, now: datetime) -> BillingMail:
    """Have a mail sent once more, whatever became of it; return the new one. Raise NotFound for a foreign one."""
    first = BillingMail.objects.for_tenant(tenant_id).filter(pk=mail_id).first()
    if first is None:
        raise NotFound("There is no such e-mail.")
    return BillingMail.objects.create(
        tenant_id=tenant_id,
        kind=first.kind,
        key=f"again:{uuid7().hex}",
        invoice_id=first.invoice_id,
        credit_note_id=first.credit_note_id,
        top_up_id=first.top_up_id,
        days=first.days,
        next_at=now,
        created_at=now,
    )


def send_next(*, now: datetime) -> bool:
    """Send the next mail that is due; False when none is. What goes wrong with one is noted with it, and delays no other."""
    with system_access("an e-mail about money is sent"):
        due = BillingMail.unscoped.filter(state=State.WAITING, next_at__lte=now).order_by("next_at", "id")
        row = due.select_for_update(skip_locked=True, of=("self",)).first()
        if row is None:
            return False
        with tenant_scope(row.tenant_id):
            claimed = _claim(row, now)
    if claimed is not None:
        _send(claimed, now)
    return True


def give_up_unclear(*, now: datetime) -> int:
    """Mark what a worker was sending when it died; return how many. An operator decides whether to send them again."""
    with system_access("e-mails whose sender died"):
        left = BillingMail.unscoped.filter(state=State.SENDING, claimed_at__lt=now - SENT_BY_THEN)
        count = left.update(state=State.UNCLEAR, reason="The worker stopped while it was sending.")
    if count:
        logger.error("%d e-mails about money may or may not have been sent; see the operators' pages", count)
    return count


def _kind(about: Invoice | CreditNote | TopUp) -> tuple[str, str]:
    if isinstance(about, Invoice):
        return Kind.INVOICE, "invoice"
    return (Kind.CREDIT_NOTE, "credit_note") if isinstance(about, CreditNote) else (Kind.TOP_UP, "top_up")


def _claim(row: BillingMail, now: datetime) -> _Claimed | None:
    """Prepare the mail and say that it is being sent; None where there is nothing to send, or not yet."""
    row.attempts += 1
    try:
        with transaction.atomic():
            message = _message(row, now)
    except DomainError as error:
        _try_later(row, error.message, now)
        return None
    except Exception as error:
        logger.exception("The e-mail %s could not be prepared.", row.pk)
        _try_later(row, f"{type(error).__name__}: {error}", now)
        return None
    row.next_at = None
    if message is None:
        row.state, row.reason = State.CANCELED, "There was nothing to say any more."
    else:
        row.state, row.claimed_at, row.recipient, row.reason = State.SENDING, now, message.to[0], ""
    row.save(update_fields=["state", "next_at", "attempts", "claimed_at", "recipient", "reason"])
    return None if message is None else _Claimed(row, message)


def _message(row: BillingMail, now: datetime) -> mail.Message | None:
    """Return the mail as it is now; None for a reminder of what is owed no more. Raise NoAddress."""
    recipient = Tenant.objects.get(pk=row.tenant_id).billing_email
    if not recipient:
        raise NoAddress("The tenant has no billing address.")
    letter = write(row, now=now)
    if letter is None:
        return None
    return mail.render(
        template="billing/mail/document",
        to=[recipient],
        context={"letter": letter},
        language=letter.language,
        attachments=letter.attachments,
        headers={"Message-ID": f"<{row.pk.hex}@{_host()}>", "Auto-Submitted": "auto-generated"},
    )


def _host() -> str:
    return urlsplit(settings.IRISX_BASE_URL).hostname or "localhost"


def _send(claimed: _Claimed, now: datetime) -> None:
    """Send what was claimed and note what became of it."""
    row = claimed.row
    try:
        mail.send(claimed.message)
    except mail.NotSent as error:
        outcome = partial(_try_later, row, str(error), now)
    except Exception as error:
        logger.exception("The e-mail %s may or may not have been sent.", row.pk)
        outcome = partial(_is_unclear, row, str(error) or type(error).__name__)
    else:
        outcome = partial(_is_sent, row, now)
    with tenant_scope(row.tenant_id):
        outcome()


def _is_sent(row: BillingMail, now: datetime) -> None:
    row.state, row.sent_at = State.SENT, now
    row.save(update_fields=["state", "sent_at"])
    if row.kind == Kind.REMINDER:
        return
    for model, key in ((Invoice, row.invoice_id), (CreditNote, row.credit_note_id), (TopUp, row.top_up_id)):
        if key:
            model.objects.for_tenant(row.tenant_id).filter(pk=key, sent_at=None).update(sent_at=now)


def _is_unclear(row: BillingMail, reason: str) -> None:
    row.state, row.reason = State.UNCLEAR, reason[:300]
    row.save(update_fields=["state", "reason"])


def _try_later(row: BillingMail, reason: str, now: datetime) -> None:
    """Wait longer each time; give up after two weeks."""
    delay = min(FIRST_RETRY * 2 ** min(row.attempts - 1, 10), LAST_RETRY)
    row.reason, row.claimed_at = reason[:300], None
    row.state, row.next_at = State.WAITING, now + delay
    if now - row.created_at > GIVES_UP_AFTER:
        row.state, row.next_at = State.FAILED, None
        logger.error("The e-mail %s was not sent in two weeks: %s", row.pk, row.reason)
    row.save(update_fields=["state", "next_at", "attempts", "claimed_at", "reason"])
