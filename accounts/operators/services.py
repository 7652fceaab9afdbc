"""What operators do about companies and people. Runs under system access; every act is in the log of the company concerned,
or in the installation's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import services as accounts
from accounts.audit import PLATFORM, changed, record
from accounts.identity import letters, sign_ins
from accounts.leaving import services as leaving
from accounts.members.invitations import clean_email
from accounts.models import Letter, Membership, Tenant, User
from accounts.operators.gate import Operator
from accounts.signals import tenant_reopened, tenant_stopped
from accounts.tenancy import tenant_scope
from common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, WrongState
from common.ids import encode

EDITABLE = ("name", "billing_email", "billing_cycle_day", "timezone", "locale")
OPEN = (Tenant.Status.TRIAL, Tenant.Status.ACTIVE)


def create_company(*, said: Mapping[str, Any], by: Operator, now: datetime) -> Tenant:
    """Found a company on trial, its owner a person there is or a new one who is mailed a link to choose a password.

    Raises Invalid with pointers, Conflict for a short name that is taken.
    """
    email = clean_email(said["owner_email"])
    owner = User.objects.filter(email=email).first()
    try:
        with transaction.atomic():
            if is_new := owner is None:
                owner = User.objects.create_user(email, None, name=said["owner_name"])
            tenant = accounts.create_tenant(
                name=said["name"],
                slug=said["slug"],
                owner=owner,
                timezone=said["timezone"],
                currency=said["currency"],
                locale=said["locale"],
                now=now,
            )
    except ValidationError as error:
        raise _refusal(error) from error
    except IntegrityError as error:
        raise Conflict("This short name is taken.", code="slug-taken", pointer="/slug") from error
    if is_new:
        letters.write(Letter.Kind.RESET, email=email, now=now)
    _note(tenant.pk, "tenant.created", by, encode("tn", tenant.pk), {"owner": email, "slug": tenant.slug})
    return tenant


def edit_company(*, tenant_id: UUID, changes: Mapping[str, Any], by: Operator) -> Tenant:
    """Change what a company is called, and its billing address, day, zone and language."""
    tenant = company(tenant_id, is_locked=True)
    before = {name: getattr(tenant, name) for name in EDITABLE}
    for name, value in changes.items():
        setattr(tenant, name, value)
    try:
        tenant.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise _refusal(error) from error
    differing = changed(before, {name: getattr(tenant, name) for name in EDITABLE})
    if differing:
        tenant.save(update_fields=sorted(differing))
        _note(tenant_id, "tenant.changed", by, encode("tn", tenant_id), differing)
    return tenant


def suspend_company(*, tenant_id: UUID, reason: str, by: Operator, now: datetime) -> Tenant:
    """Shut a company out at once: keys, pages, sockets. A repeat changes nothing; a closed one raises WrongState."""
    tenant = company(tenant_id, is_locked=True)
    if tenant.status == Tenant.Status.SUSPENDED:
        return tenant
    if tenant.status not in OPEN:
        raise WrongState("This company is closed.", code="closed")
    _change_status(tenant, Tenant.Status.SUSPENDED, "tenant.suspended", reason, by)
    with tenant_scope(tenant_id):
        tenant_stopped.send(sender=Tenant, tenant=tenant, now=now)
    return tenant


def close_company(*, tenant_id: UUID, reason: str, by: Operator, now: datetime) -> Tenant:
    """Close a company: it is out at once and erased after 30 days, unless it is let in again. A repeat changes nothing."""
    return leaving.close(tenant_id=tenant_id, actor=by.actor, now=now, reason=reason)


def reactivate_company(*, tenant_id: UUID, by: Operator, now: datetime) -> Tenant:
    """Let a suspended company in again, or one closed within 30 days: on trial while that lasts, else active.

    A repeat changes nothing. Raises WrongState once the 30 days are over.
    """
    tenant = company(tenant_id, is_locked=True)
    if tenant.status in OPEN:
        return tenant
    if tenant.status == Tenant.Status.CLOSED:
        return leaving.reopen(tenant_id=tenant_id, actor=by.actor, now=now)
    is_trial = tenant.plan == "free_trial" and tenant.trial_ends_at is not None and tenant.trial_ends_at > now
    status = Tenant.Status.TRIAL if is_trial else Tenant.Status.ACTIVE
    _change_status(tenant, status, "tenant.reactivated", "", by)
    with tenant_scope(tenant_id):
        tenant_reopened.send(sender=Tenant, tenant=tenant, now=now)
    return tenant


def company(tenant_id: UUID, *, is_locked: bool = False) -> Tenant:
    """Return a company; raise NotFound."""
    rows = Tenant.objects.select_for_update(no_key=True) if is_locked else Tenant.objects.all()
    if (tenant := rows.filter(pk=tenant_id).first()) is None:
        raise NotFound("There is no such company.")
    return tenant


# --- people ----------------------------------------------------------------------------------------------------------


def edit_person(*, user_id: UUID, name: str, by: Operator) -> User:
    """Change what somebody is called. Their address they change themselves: they prove that it is theirs."""
    user = person(user_id, by=by)
    if name != user.name:
        before, user.name = user.name, name
        user.save(update_fields=["name"])
        _note_person(user, "user.changed", by, {"name": {"from": before, "to": name}})
    return user


def send_reset(*, user_id: UUID, by: Operator, now: datetime) -> User:
    """Have a link mailed by which somebody chooses another password."""
    user = person(user_id, by=by)
    letters.write(Letter.Kind.RESET, email=user.email, now=now)
    _note_person(user, "user.reset_sent", by, {})
    return user


def suspend_person(*, user_id: UUID, reason: str, by: Operator) -> User:
    """Shut somebody out of every company at once, sessions and sockets included. A repeat changes nothing."""
    user = person(user_id, by=by)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        _sign_out(user)
        _note_person(user, "user.suspended", by, {"reason": reason})
    return user


def reactivate_person(*, user_id: UUID, by: Operator) -> User:
    """Let somebody sign in again. A repeat changes nothing."""
    user = person(user_id, by=by)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        _note_person(user, "user.reactivated", by, {})
    return user


def sign_out_everywhere(*, user_id: UUID, by: Operator) -> User:
    """End all sessions, tokens and sockets of somebody."""
    user = person(user_id, by=by)
    _sign_out(user)
    _note_person(user, "user.signed_out", by, {})
    return user


def person(user_id: UUID, *, by: Operator) -> User:
    """Return somebody, the row locked; raise NotFound, or Forbidden for another operator: those are a superuser's to change."""
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    require_may_touch(user, by=by.user)
    return user


def find_person(user_id: UUID) -> User:
    """Return somebody to look at; raise NotFound."""
    if (user := User.objects.filter(pk=user_id).first()) is None:
        raise NotFound("There is no such person.")
    return user


def require_may_touch(user: User, *, by: User) -> None:
    """Raise Forbidden where an operator who is no superuser would change an operator."""
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        raise Forbidden("Only a superuser changes operators.", code="operators-only")


def _sign_out(user: User) -> None:
    sign_ins.outdate(user)
    sign_ins.end_all(user=user)


def _change_status(tenant: Tenant, status: Tenant.Status, action: str, reason: str, by: Operator) -> None:
    changes: dict[str, Any] = {"status": {"from": tenant.status, "to": str(status)}}
    if reason:
        changes["reason"] = reason
    tenant.status = status
    tenant.save(update_fields=["status"])
    _note(tenant.pk, action, by, encode("tn", tenant.pk), changes)


def _note(tenant_id: UUID, action: str, by: Operator, object_id: str, changes: Mapping[str, Any]) -> None:
    with tenant_scope(tenant_id):
        record(tenant_id=tenant_id, action=action, by=by.actor, object_id=object_id, changes=changes)


def _note_person(user: User, action: str, by: Operator, changes: Mapping[str, Any]) -> None:
    """Tell the installation's log, and that of each company the person belongs to."""
    about = {"person": user.email, **changes}
    record(tenant_id=PLATFORM, action=action, by=by.actor, object_id=encode("us", user.pk), changes=about)
    for tenant_id in Membership.unscoped.filter(user=user).order_by("tenant_id").values_list("tenant_id", flat=True):
        _note(tenant_id, action, by, encode("us", user.pk), about)


def _refusal(error: ValidationError) -> Invalid:
    problems = [
        FieldProblem(f"/{name}", "invalid", message)
        for name, messages in error.message_dict.items()
        for message in messages
    ]
    return Invalid.many(problems)
