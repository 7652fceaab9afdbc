"""Tenants, members and keys: how they come to be."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.identity import wording
from accounts.keys.services import issue_api_key
from accounts.models import Membership, Tenant, User
from accounts.permissions import Role
from accounts.signals import member_added, tenant_created
from accounts.tenancy import system_access, tenant_scope
from common import mail

__all__ = ["add_member", "create_tenant", "issue_api_key"]

TRIAL = timedelta(days=14)


def create_tenant(
    *,
    name: str,
    slug: str,
    owner: User,
    now: datetime,
    timezone: str = "UTC",
    currency: str = "USD",
    billing_email: str = "",
    locale: str = "en",
) -> Tenant:
    """Store a tenant on trial with its owner, and let usage and chat add what belongs to it; one failure undoes all."""
    tenant = Tenant(
        name=name,
        slug=slug,
        timezone=timezone,
        currency=currency,
        locale=locale,
        billing_email=billing_email or owner.email,
        trial_ends_at=now + TRIAL,
    )
    tenant.full_clean(validate_unique=False, validate_constraints=False)
    with transaction.atomic():
        with system_access("sign-up"):
            tenant.save(force_insert=True)
        with tenant_scope(tenant.pk):
            add_member(tenant_id=tenant.pk, user=owner, role=Role.OWNER)
            tenant_created.send(sender=Tenant, tenant=tenant, now=now)
        words = wording.welcome(name=owner.name, company=name, until=now + TRIAL, language=locale)
        context = {"words": words, "link": settings.IRISX_BASE_URL}
        mail.send_on_commit(template="accounts/mail/letter", to=[owner.email], context=context, language=locale)
    return tenant


def add_member(
    *, tenant_id: UUID, user: User, role: Role, details: dict[str, Any] | None = None, now: datetime | None = None
) -> Membership:
    """Store a membership and tell listeners (`member_added`); a second one of the same user is refused by the database."""
    member = Membership.objects.create(tenant_id=tenant_id, user=user, role=role)
    member_added.send(
        sender=Membership, tenant_id=tenant_id, membership=member, details=details or {}, now=now or member.created_at
    )
    return member
