"""Members of a company: their roles, and whether they may come in.

Whatever counts owners or seats holds the tenant's row first (`lock`): two owners who step down at once, or two guests at the last
seat, come one after the other. A count inside one statement would not do: it sees what was there when the statement began.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.audit import Actor, record
from accounts.models import AgentPresence, Membership, Tenant
from accounts.permissions import Role
from accounts.presence import services as presence
from accounts.signals import member_left
from common.errors import Forbidden, NotFound, WrongState
from common.ids import encode


@dataclass(frozen=True)
class Chief:
    """Who changes members: an owner or an operator may touch owners, an admin or an API key may not."""

    actor: Actor
    may_touch_owners: bool
    user_id: UUID | None = None


def lock(tenant_id: UUID) -> Tenant:
    """Return the tenant, its row held until the transaction ends. Credit and limits lock the same row: it comes first."""
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)


def change_role(*, tenant_id: UUID, member_id: UUID, role: Role, by: Chief) -> Membership:
    """Give a member another role. Raises Forbidden for owners' affairs, WrongState for the last owner."""
    lock(tenant_id)
    member = find(tenant_id=tenant_id, member_id=member_id)
    before = Role(member.role)
    if before == role:
        return member
    require_may_touch(by, before, role)
    if before == Role.OWNER:
        _require_another_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    _note(member, "member.role_changed", by, {"role": {"from": str(before), "to": str(role)}})
    return member


def suspend(*, tenant_id: UUID, member_id: UUID, by: Chief, now: datetime) -> Membership:
    """Shut a member out, at once and sockets included; the seat is free. A repeat changes nothing."""
    lock(tenant_id)
    member = find(tenant_id=tenant_id, member_id=member_id)
    if not member.is_active:
        return member
    _require_may_end(member, by)
    member.is_active = False
    member.save(update_fields=["is_active"])
    _end(member, now)
    _note(member, "member.suspended", by, {})
    return member


def reactivate(*, tenant_id: UUID, member_id: UUID, by: Chief) -> Membership:
    """Let a member in again, if there is a seat. A repeat changes nothing."""
    tenant = lock(tenant_id)
    member = find(tenant_id=tenant_id, member_id=member_id)
    if member.is_active:
        return member
    require_may_touch(by, Role(member.role))
    require_seats(tenant, taken=active_count(tenant_id), wanted=1)
    member.is_active = True
    member.save(update_fields=["is_active"])
    _note(member, "member.reactivated", by, {})
    return member


def remove(*, tenant_id: UUID, member_id: UUID, by: Chief, now: datetime) -> None:
    """Take somebody out of the company; what they did stays under their name. People may leave themselves."""
    lock(tenant_id)
    member = find(tenant_id=tenant_id, member_id=member_id)
    if member.user_id != by.user_id:
        require_may_touch(by, Role(member.role))
    if member.role == Role.OWNER and member.is_active:
        _require_another_owner(member)
    _note(member, "member.removed", by, {"role": {"from": member.role, "to": None}})
    _end(member, now)
    member.delete()


def find(*, tenant_id: UUID, member_id: UUID, is_locked: bool = True) -> Membership:
    """Return a member with the person, the row locked unless it is only looked at; raise NotFound."""
    rows = Membership.objects.for_tenant(tenant_id).select_related("user").filter(pk=member_id)
    member = (rows.select_for_update(of=("self",)) if is_locked else rows).first()
    if member is None:
        raise NotFound("There is no such member.")
    return member


def active_count(tenant_id: UUID) -> int:
    """Return how many seats members take: who is suspended takes none."""
    return Membership.objects.for_tenant(tenant_id).filter(is_active=True).count()


def require_seats(tenant: Tenant, *, taken: int, wanted: int) -> None:
    """Raise WrongState when the plan has not so many seats left. The tenant's row is locked."""
    seats = tenant.limits.get("seats")
    if seats is not None and taken + wanted > seats:
        raise WrongState(
            f"Your plan has {seats} {'seat' if seats == 1 else 'seats'}, {taken} of them taken or kept for people invited. "
            "Remove or suspend somebody, or change the plan.",
            code="limit-reached",
        )


def require_may_touch(by: Chief, *roles: Role) -> None:
    """Raise Forbidden when owners are concerned and this is not theirs to decide."""
    if Role.OWNER in roles and not by.may_touch_owners:
        raise Forbidden("Only an owner makes owners, or changes what owners may.", code="owners-only")


def _require_may_end(member: Membership, by: Chief) -> None:
    require_may_touch(by, Role(member.role))
    if member.user_id == by.user_id:
        raise WrongState("You cannot suspend yourself.", code="yourself")
    if member.role == Role.OWNER:
        _require_another_owner(member)


def _require_another_owner(member: Membership) -> None:
    owners = Membership.objects.for_tenant(member.tenant_id).filter(
        role=Role.OWNER, is_active=True, user__is_active=True
    )
    if not owners.exclude(pk=member.pk).exists():
        raise WrongState("A company keeps at least one owner; make somebody else an owner first.", code="last-owner")


def _end(member: Membership, now: datetime) -> None:
    """Let what the member was doing end: the desk hears that they are offline, and listeners what else there is."""
    if AgentPresence.objects.for_tenant(member.tenant_id).filter(user_id=member.user_id).exists():
        presence.choose_status(tenant_id=member.tenant_id, user_id=member.user_id, status="offline", now=now)
    member_left.send(sender=Membership, tenant_id=member.tenant_id, user_id=member.user_id, now=now)


def _note(member: Membership, action: str, by: Chief, changes: dict[str, object]) -> None:
    about = {"person": member.user.email, **changes}
    record(tenant_id=member.tenant_id, action=action, by=by.actor, object_id=encode("mb", member.pk), changes=about)
