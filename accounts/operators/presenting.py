"""Companies, people and agents as operators see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import AgentPresence, Membership, Tenant, User
from accounts.presence.services import effective_status
from common.ids import encode
from common.models import Job
from common.timestamps import rfc3339


def present_tenant(tenant: Tenant) -> dict[str, Any]:
    """Return a company."""
    return {
        "id": encode("tn", tenant.pk),
        "name": tenant.name,
        "slug": tenant.slug,
        "status": tenant.status,
        "plan": tenant.plan,
        "billing_email": tenant.billing_email,
        "billing_cycle_day": tenant.billing_cycle_day,
        "currency": tenant.currency,
        "timezone": tenant.timezone,
        "locale": tenant.locale,
        "limits": tenant.limits,
        "trial_ends_at": rfc3339(tenant.trial_ends_at),
        "created_at": rfc3339(tenant.created_at),
    }


def present_user(user: User) -> dict[str, Any]:
    """Return somebody with the companies they belong to; these are read with them."""
    return {
        "id": encode("us", user.pk),
        "name": user.name,
        "email": user.email,
        "is_active": user.is_active,
        "is_operator": user.is_staff,
        "has_second_factor": user.second_factor_at is not None,
        "last_login": rfc3339(user.last_login),
        "created_at": rfc3339(user.date_joined),
        "memberships": [
            {
                "id": encode("mb", member.pk),
                "tenant": {"id": encode("tn", member.tenant_id), "name": member.tenant.name},
                "role": member.role,
                "is_active": member.is_active,
            }
            for member in sorted(user.memberships.all(), key=lambda member: member.pk)
        ],
    }


def present_agent(
    member: Membership, *, presences: Mapping[tuple[UUID, UUID], AgentPresence], now: datetime
) -> dict[str, Any]:
    """Return a member of any company with what they are at the desk."""
    row = presences.get((member.tenant_id, member.user_id))
    return {
        "id": encode("mb", member.pk),
        "tenant": {"id": encode("tn", member.tenant_id), "name": member.tenant.name},
        "user": {"id": encode("us", member.user_id), "name": member.user.name, "email": member.user.email},
        "role": member.role,
        "is_active": member.is_active and member.user.is_active,
        "presence": effective_status(row, now) if row else "offline",
        "active_chats": row.active_chats if row else 0,
        "max_concurrent_chats": row.max_concurrent_chats if row else 0,
        "created_at": rfc3339(member.created_at),
    }


def present_job(job: Job) -> dict[str, Any]:
    """Return how far an import is: how many links of how many are mailed."""
    return {
        "id": encode("jb", job.pk),
        "status": job.status,
        "done_count": job.done_count,
        "total_count": job.total_count,
        "created_at": rfc3339(job.created_at),
        "finished_at": rfc3339(job.finished_at),
    }
