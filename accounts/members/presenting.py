"""Members and invitations as the API shows them."""

from datetime import datetime
from typing import Any

from accounts.models import Invitation, Membership
from common.ids import encode
from common.timestamps import rfc3339


def present_member(member: Membership) -> dict[str, Any]:
    """Return a member; the person is read with it."""
    person = member.user
    return {
        "id": encode("mb", member.pk),
        "user": {"id": encode("us", person.pk), "name": person.name, "email": person.email},
        "role": member.role,
        "is_active": member.is_active,
        "created_at": rfc3339(member.created_at),
    }


def present_invitation(invitation: Invitation, *, now: datetime) -> dict[str, Any]:
    """Return an invitation; never what its link holds."""
    return {
        "id": encode("iv", invitation.pk),
        "email": invitation.email,
        "name": invitation.name,
        "role": invitation.role,
        "status": status_of(invitation, now=now),
        "created_at": rfc3339(invitation.created_at),
        "sent_at": rfc3339(invitation.sent_at),
        "expires_at": rfc3339(invitation.expires_at),
    }


def status_of(invitation: Invitation, *, now: datetime) -> str:
    """Return what became of an invitation."""
    if invitation.accepted_at:
        return "accepted"
    if invitation.revoked_at:
        return "revoked"
    if invitation.expires_at <= now:
        return "expired"
    return "sent" if invitation.sent_at else "waiting"
