"""Inviting people: a place is kept, a link is mailed, and whoever follows it joins, once."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import services as accounts
from accounts.audit import Actor, record
from accounts.members.services import Chief, active_count, lock, require_may_touch, require_seats
from accounts.models import Invitation, Membership, User
from accounts.permissions import Role
from accounts.tenancy import system_access, tenant_scope
from common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, WrongState
from common.ids import encode

LIFE = timedelta(days=7)


@dataclass(frozen=True)
class Guest:
    """Somebody to invite. `details` go to whoever hears `member_added`, e.g. `{"extension": "101"}`."""

    email: str
    role: Role
    name: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def invite(*, tenant_id: UUID, guest: Guest, by: Chief, now: datetime) -> Invitation:
    """Keep a place for somebody and have the link mailed.

    Raises Invalid for what is no address, Conflict for a member or an open invitation, WrongState without a seat.
    """
    email = clean_email(guest.email)
    require_may_touch(by, guest.role)
    tenant = lock(tenant_id)
    known = taken_addresses(tenant_id=tenant_id, emails=[email], now=now)
    if email in known:
        raise Conflict(known[email][1], code=known[email][0], pointer="/email")
    require_seats(tenant, taken=seats_taken(tenant_id=tenant_id, now=now), wanted=1)
    [invitation] = keep_places(tenant_id=tenant_id, guests=[guest], by=by, now=now)
    return invitation


def keep_places(
    *, tenant_id: UUID, guests: Sequence[Guest], by: Chief, now: datetime, batch: UUID | None = None
) -> list[Invitation]:
    """Store invitations that were checked under the tenant's lock; those expired make way. Three statements and the log."""
    emails = [clean_email(guest.email) for guest in guests]
    _open(tenant_id).filter(email__in=emails, expires_at__lte=now).update(revoked_at=now)
    made = Invitation.objects.bulk_create(
        Invitation(
            tenant_id=tenant_id,
            email=email,
            name=guest.name.strip(),
            role=guest.role,
            details=guest.details,
            batch=batch,
            invited_by_id=by.user_id,
            created_at=now,
            expires_at=now + LIFE,
        )
        for email, guest in zip(emails, guests, strict=True)
    )
    for invitation in made:
        _note(invitation, "invitation.created", by.actor, {"role": {"from": None, "to": invitation.role}})
    return made


def resend(*, tenant_id: UUID, invitation_id: UUID, by: Chief, now: datetime) -> Invitation:
    """Mail a new link, good for seven days; the old one ends. An expired invitation needs a seat again."""
    tenant = lock(tenant_id)
    invitation = find(tenant_id=tenant_id, invitation_id=invitation_id, is_locked=True)
    require_may_touch(by, Role(invitation.role))
    if invitation.accepted_at or invitation.revoked_at:
        raise WrongState("This invitation was accepted or taken back.", code="invitation-ended")
    if invitation.expires_at <= now:
        require_seats(tenant, taken=seats_taken(tenant_id=tenant_id, now=now), wanted=1)
    invitation.expires_at, invitation.token_hash = now + LIFE, None
    invitation.sent_at = invitation.claimed_at = None
    invitation.save(update_fields=["expires_at", "token_hash", "sent_at", "claimed_at"])
    _note(invitation, "invitation.sent_again", by.actor, {})
    return invitation


def revoke(*, tenant_id: UUID, invitation_id: UUID, by: Chief, now: datetime) -> None:
    """Take an invitation back; its link ends and the place is free. Raises WrongState once accepted, NotFound once revoked."""
    invitation = find(tenant_id=tenant_id, invitation_id=invitation_id, is_locked=True)
    require_may_touch(by, Role(invitation.role))
    if invitation.accepted_at:
        raise WrongState("This invitation was accepted: suspend or remove the member.", code="invitation-ended")
    if invitation.revoked_at:
        raise NotFound("This invitation was taken back before.")
    invitation.revoked_at, invitation.token_hash = now, None
    invitation.save(update_fields=["revoked_at", "token_hash"])
    _note(invitation, "invitation.revoked", by.actor, {})


def find(*, tenant_id: UUID, invitation_id: UUID, is_locked: bool = False) -> Invitation:
    """Return an invitation; raise NotFound."""
    rows = Invitation.objects.for_tenant(tenant_id)
    found = (rows.select_for_update() if is_locked else rows).filter(pk=invitation_id).first()
    if found is None:
        raise NotFound("There is no such invitation.")
    return found


def seats_taken(*, tenant_id: UUID, now: datetime) -> int:
    """Return how many seats are taken by members or kept for people invited. The tenant's row is locked."""
    return active_count(tenant_id) + _open(tenant_id).filter(expires_at__gt=now).count()


def taken_addresses(*, tenant_id: UUID, emails: Sequence[str], now: datetime) -> dict[str, tuple[str, str]]:
    """Return (code, sentence) for those addresses that cannot be invited. Two queries."""
    members = Membership.objects.for_tenant(tenant_id).filter(user__email__in=emails)
    invited = _open(tenant_id).filter(email__in=emails, expires_at__gt=now)
    return {
        **dict.fromkeys(
            invited.values_list("email", flat=True), ("already-invited", "There is an open invitation; send it again.")
        ),
        **dict.fromkeys(
            members.values_list("user__email", flat=True), ("already-member", "This person is a member already.")
        ),
    }


def clean_email(text: str) -> str:
    """Return an address in lower case; raise Invalid for what is none."""
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is no e-mail address.", pointer="/email", code="no-address") from error
    if len(email) > 254:
        raise Invalid("This address is too long.", pointer="/email", code="no-address")
    return email


# --- the link --------------------------------------------------------------------------------------------------------


def new_token() -> tuple[str, bytes]:
    """Return (token, its stored hash): 256 random bits, so that a fast hash is right."""
    token = secrets.token_urlsafe(32)
    return token, _hash(token)


def of_token(token: str, *, now: datetime) -> Invitation:
    """Return the open invitation of a link with its tenant; raise NotFound for one that is spent, old or forged."""
    with system_access("an invitation's link"):
        rows = Invitation.unscoped.select_related("tenant", "invited_by").filter(token_hash=_hash(token))
        found = rows.filter(accepted_at=None, revoked_at=None, expires_at__gt=now).first()
    if found is None or not found.tenant.is_open:
        raise NotFound("This invitation was used, taken back or is older than seven days; ask for another.")
    return found


def person_of(invitation: Invitation) -> User | None:
    """Return who has the invited address already."""
    return User.objects.filter(email=invitation.email).first()


def accept(*, token: str, user: User, now: datetime) -> Membership:
    """Let a signed-in person join by their link. Raises NotFound for a spent link, Forbidden for somebody else's."""
    invitation = of_token(token, now=now)
    if user.email != invitation.email:
        raise Forbidden(f"This invitation is for {invitation.email}.", code="another-address")
    with tenant_scope(invitation.tenant_id):
        return _join(invitation, user, now)


def accept_as_new(*, token: str, name: str, password: str, now: datetime) -> tuple[User, Membership]:
    """Make an account for an address nobody has yet, and let it join.

    The link proved the address. Raises Invalid with pointers for a name or password that will not do, Conflict when somebody has
    the address by now: they sign in.
    """
    invitation = of_token(token, now=now)
    user = User(email=invitation.email, name=name.strip())
    _check_person(user, password)
    with transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create_user(invitation.email, password, name=user.name)
        except IntegrityError as error:
            raise Conflict("This address has an account: sign in to join.", code="has-account") from error
        with tenant_scope(invitation.tenant_id):
            return user, _join(invitation, user, now)


def _join(invitation: Invitation, user: User, now: datetime) -> Membership:
    tenant = lock(invitation.tenant_id)
    # The token's hash goes with its first use: of two at once the second finds nothing to change.
    spent = _open(tenant.pk).filter(pk=invitation.pk, token_hash=invitation.token_hash, expires_at__gt=now)
    if not spent.update(accepted_at=now, token_hash=None):
        raise NotFound("This invitation was used or taken back just now.")
    if Membership.objects.for_tenant(tenant.pk).filter(user=user).exists():
        raise Conflict("You are a member already.", code="already-member")
    require_seats(tenant, taken=active_count(tenant.pk), wanted=1)
    member = accounts.add_member(
        tenant_id=tenant.pk, user=user, role=Role(invitation.role), details=invitation.details, now=now
    )
    by = Actor("user", user.name, user.pk)
    _note(invitation, "invitation.accepted", by, {"member": encode("mb", member.pk), "role": invitation.role})
    return member


def _check_person(user: User, password: str) -> None:
    problems = [] if 0 < len(user.name) <= 120 else [FieldProblem("/name", "required", "Say your name.")]
    try:
        validate_password(password, user)
    except ValidationError as error:
        problems += [FieldProblem("/password", "weak", message) for message in error.messages]
    if problems:
        raise Invalid.many(problems)


def _open(tenant_id: UUID) -> QuerySet[Invitation]:
    return Invitation.objects.for_tenant(tenant_id).filter(accepted_at=None, revoked_at=None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _note(invitation: Invitation, action: str, by: Actor, changes: dict[str, object]) -> None:
    about = {"person": invitation.email, **changes}
    record(tenant_id=invitation.tenant_id, action=action, by=by, object_id=encode("iv", invitation.pk), changes=about)
