"""Closing a company, and reopening it while there is something to reopen."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from accounts.models import Tenant, User
from accounts.signals import tenant_reopened, tenant_stopped
from accounts.tenancy import system_access, tenant_scope
from common.errors import Invalid, NotFound, WrongState
from common.ids import encode

KEPT: Final = timedelta(days=30)  # the database holds to it too: accounts/migrations/0009_leaving.py


def close_own_company(*, tenant_id: UUID, user_id: UUID, password: str, actor: Actor, now: datetime) -> Tenant:
    """Close a company as its owner, who proves by the password that it is the owner. Raises Invalid for a wrong one."""
    if not User.objects.get(pk=user_id).check_password(password):
        raise Invalid("This is not your password.", code="wrong-password", pointer="/password")
    return close(tenant_id=tenant_id, actor=actor, now=now)


def close(*, tenant_id: UUID, actor: Actor, now: datetime, reason: str = "") -> Tenant:
    """Shut a company out at once: keys, pages, sockets, calls, webhooks. A repeat changes nothing. Raises NotFound."""
    with transaction.atomic():
        tenant = _locked(tenant_id)
        if tenant.status == Tenant.Status.CLOSED:
            return tenant
        before = tenant.status
        with system_access("a company is closed"):
            tenant.status = Tenant.Status.CLOSED
            tenant.save(update_fields=["status"])
            tenant.refresh_from_db(fields=["closed_at"])
        with tenant_scope(tenant_id):
            tenant_stopped.send(sender=Tenant, tenant=tenant, now=now)
            _note(tenant, "tenant.closed", before, actor, reason)
    return tenant


def reopen(*, tenant_id: UUID, actor: Actor, now: datetime) -> Tenant:
    """Let a closed company in again, on trial while that lasts, else active. A repeat changes nothing.

    Raises NotFound, WrongState once its 30 days are over.
    """
    with transaction.atomic():
        tenant = _locked(tenant_id)
        if tenant.is_open:
            return tenant
        if tenant.status != Tenant.Status.CLOSED or tenant.closed_at is None or tenant.closed_at + KEPT <= now:
            raise WrongState("Only a company closed within the last 30 days is reopened.", code="not-reopenable")
        is_trial = tenant.plan == "free_trial" and tenant.trial_ends_at is not None and tenant.trial_ends_at > now
        with system_access("a company is reopened"):
            tenant.status = Tenant.Status.TRIAL if is_trial else Tenant.Status.ACTIVE
            tenant.save(update_fields=["status"])
            tenant.refresh_from_db(fields=["closed_at"])
        with tenant_scope(tenant_id):
            tenant_reopened.send(sender=Tenant, tenant=tenant, now=now)
            _note(tenant, "tenant.reopened", Tenant.Status.CLOSED, actor)
    return tenant


def _locked(tenant_id: UUID) -> Tenant:
    with system_access("a company's standing"):
        tenant = Tenant.objects.select_for_update(no_key=True).filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound("There is no such company.")
    return tenant


def _note(tenant: Tenant, action: str, before: str, actor: Actor, reason: str = "") -> None:
    changes: dict[str, Any] = {"status": {"from": before, "to": tenant.status}}
    if reason:
        changes["reason"] = reason
    audit.record(tenant_id=tenant.pk, action=action, by=actor, object_id=encode("tn", tenant.pk), changes=changes)
