"""An operator acts as a user: in one browser session, in one company, for thirty minutes at most, for a reason that is kept.

Every request of such a session is looked up: ended in one place it is over everywhere. Sockets carry a mark of the impersonation,
so that they end with it while the operator's session goes on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts import revocation, sessions
from accounts.audit import PLATFORM, Actor, impersonated_by, operator, record
from accounts.audit.origin import coming_from, current
from accounts.models import Impersonation, Membership, User
from accounts.principals import Principal
from accounts.tenancy import system_access, tenant_scope
from common.errors import Forbidden, NotFound, WrongState
from common.ids import encode

MOST = timedelta(minutes=30)
# Frames that say nothing to anybody: what an operator looks at, not what they do.
UNNOTED_FRAMES = {"pong", "typing", "read", "delivered", "events.get", "subscribe", "unsubscribe"}
PERMISSION = "accounts.impersonate_user"


@dataclass(frozen=True)
class Acting:
    """What a request needs to know of the impersonation it is part of."""

    id: UUID
    operator: User
    user: User
    tenant_id: UUID
    reason: str
    expires_at: datetime

    @property
    def mark(self) -> str:
        """Return what stands for it in tickets and sockets; it says itself when it ends."""
        return sessions.limited_mark(self.id, self.expires_at)


def begin(*, by: User, user_id: UUID, tenant_id: UUID, reason: str, now: datetime) -> Impersonation:
    """Let an operator act as a member of an open company.

    Raises Forbidden without the permission or for an operator, NotFound for no member, WrongState for who is suspended.
    """
    if not by.is_staff or not by.has_perm(PERMISSION):
        raise Forbidden(f"This needs the operator's permission {PERMISSION}.", code="operator-permission")
    with system_access(f"operator {by.pk} begins to act as {user_id}"):
        rows = Membership.unscoped.select_related("user", "tenant")
        member = rows.filter(user_id=user_id, tenant_id=tenant_id).first()
        if member is None:
            raise NotFound("This person is no member of that company.")
        if member.user.is_staff or member.user.is_superuser:
            raise Forbidden("Nobody acts as an operator.", code="operators-only")
        if not (member.is_active and member.user.is_active and member.tenant.is_open):
            raise WrongState("This person, or their company, is suspended.", code="suspended")
        made = Impersonation.objects.create(
            tenant_id=tenant_id, operator=by, user_id=user_id, reason=reason, started_at=now, expires_at=now + MOST
        )
        _note(made, "impersonation.began", operator(by), member.user.email)
    return made


def acting_of(*, impersonation_id: UUID, operator_id: UUID, now: datetime) -> Acting | None:
    """Return an operator's running impersonation; None once it ended, or either of the two may no more. One query."""
    with system_access("an operator's impersonation"):
        rows = Impersonation.unscoped.select_related("operator", "user")
        found = rows.filter(
            pk=impersonation_id,
            operator_id=operator_id,
            ended_at=None,
            expires_at__gt=now,
            operator__is_active=True,
            operator__is_staff=True,
            user__is_active=True,
            user__is_staff=False,
        ).first()
    if found is None:
        return None
    return Acting(found.pk, found.operator, found.user, found.tenant_id, found.reason, found.expires_at)


def end(*, impersonation_id: UUID, now: datetime) -> None:
    """End an impersonation and its sockets. A repeat changes nothing."""
    with system_access("an impersonation ends"):
        rows = Impersonation.unscoped.filter(pk=impersonation_id, ended_at=None)
        found = rows.select_related("operator", "user").first()
        if found is None or not rows.update(ended_at=now):
            return
        _note(found, "impersonation.ended", operator(found.operator), found.user.email)
    _close_sockets(found)


def end_all_of(operator_id: UUID, *, now: datetime) -> None:
    """End whatever an operator does as others: they were suspended, or are no operator any more."""
    with system_access("an operator's impersonations end"):
        running = Impersonation.unscoped.filter(operator_id=operator_id, ended_at=None, expires_at__gt=now)
        ids = list(running.values_list("pk", flat=True))
    for id in ids:
        end(impersonation_id=id, now=now)


def note_act(acting: Acting, *, what: str, status: int) -> None:
    """Write down that the operator did something as the person; the log's line carries both names."""
    with tenant_scope(acting.tenant_id):
        record(
            tenant_id=acting.tenant_id,
            action="impersonation.act",
            by=Actor("user", acting.user.name, acting.user.pk),
            object_id=encode("us", acting.user.pk),
            changes={"request": what[:200], "status": status, "operator": acting.operator.email},
        )


def is_mark(mark: str) -> bool:
    """Say whether a socket is one of an impersonation's."""
    return "@" in mark


def note_frame(principal: Principal, frame_type: str) -> None:
    """Write down what an operator did over a socket as the person."""
    with system_access("whose impersonation a socket is of"):
        rows = Impersonation.unscoped.select_related("operator", "user")
        found = rows.filter(pk=UUID(hex=principal.session.partition("@")[0])).first()
    if found is not None:
        acting = Acting(found.pk, found.operator, found.user, found.tenant_id, found.reason, found.expires_at)
        with coming_from(current()):
            impersonated_by(id=found.operator_id, name=found.operator.name)
            note_act(acting, what=f"frame {frame_type}", status=200)


def _close_sockets(found: Impersonation) -> None:
    sessions.end(sessions.limited_mark(found.pk, found.expires_at))
    revocation.ring(people=[found.user_id])


def _note(found: Impersonation, action: str, by: Actor, email: str) -> None:
    about = {"person": email, "reason": found.reason, "tenant": encode("tn", found.tenant_id)}
    record(tenant_id=PLATFORM, action=action, by=by, object_id=encode("us", found.user_id), changes=about)
    with tenant_scope(found.tenant_id):
        record(tenant_id=found.tenant_id, action=action, by=by, object_id=encode("us", found.user_id), changes=about)
