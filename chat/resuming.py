"""The signed link in a mail that opens a visitor's conversation again, wherever the shop's page has gone."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac

from accounts.tenancy import tenant_scope
from chat.models import Conversation
from common.errors import NotFound

LINK_LASTS = timedelta(days=7)
SALT = "chat-resume"


@dataclass(frozen=True)
class Claim:
    tenant_id: UUID
    conversation_id: UUID
    visitor_id: UUID
    auth_version: int
    mailbox: str


def resume_link(conversation: Conversation) -> str:
    """Return an address on our origin that shows the conversation to its visitor for seven days."""
    visitor = conversation.visitor
    claim = [
        conversation.tenant_id.hex, conversation.pk.hex, visitor.pk.hex, visitor.auth_version, _mailbox(visitor.email),
    ]  # fmt: skip
    path = reverse("resume", args=[signing.dumps(claim, salt=SALT)])
    return f"{settings.IRISX_BASE_URL}{path}"


def conversation_of_link(token: str) -> Conversation:
    """Return the conversation a link opens, with visitor and widget.

    Raises NotFound when the link is forged or older than seven days, or its visitor blocked, erased, signed out, somebody else
    by now, or of another address: what was mailed to one does not open what another person has proven to be theirs.
    """
    claim = _read(token)
    with tenant_scope(claim.tenant_id):
        rows = Conversation.objects.for_tenant(claim.tenant_id).select_related("visitor", "widget__tenant")
        found = rows.filter(
            pk=claim.conversation_id,
            visitor_id=claim.visitor_id,
            visitor__auth_version=claim.auth_version,
            visitor__blocked_at=None,
            visitor__erased_at=None,
            widget__is_active=True,
        ).first()
    if found is None or not found.widget.tenant.is_open or _mailbox(found.visitor.email) != claim.mailbox:
        raise NotFound("This link has ended.")
    return found


def _read(token: str) -> Claim:
    try:
        tenant, conversation, visitor, version, mailbox = signing.loads(token, salt=SALT, max_age=LINK_LASTS)
        return Claim(UUID(hex=tenant), UUID(hex=conversation), UUID(hex=visitor), int(version), str(mailbox))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotFound("This link has ended.") from error


def _mailbox(email: str) -> str:
    """Return a mark of an address, which itself stands in no link."""
    return salted_hmac(SALT, email.lower()).hexdigest()[:16]
