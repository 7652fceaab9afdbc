"""Tenants, members and keys: how they come to be."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import tokens
from accounts.identity import wording
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.permissions import SCOPES, Role
from accounts.signals import member_added, tenant_created
from accounts.tenancy import system_access, tenant_scope
from common import mail
from common.errors import FieldProblem, Invalid

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


def issue_api_key(
    *,
    tenant_id: UUID,
    name: str,
    scopes: Iterable[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key and return it with its text, which nobody can read again."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise Invalid.many([FieldProblem("/scopes", "unknown-scope", f"{scope} is not a scope.") for scope in unknown])
    fresh = tokens.new_key()
    key = ApiKey.objects.create(
        tenant_id=tenant_id,
        name=name,
        prefix=fresh.prefix,
        secret_hash=fresh.secret_hash,
        scopes=wanted,
        created_by=created_by,
        expires_at=expires_at,
    )
    return key, fresh.text
