"""What people change about their own security stands in the audit log of each of their companies."""

from collections.abc import Mapping
from typing import Any

from accounts import audit
from accounts.models import Membership, User
from accounts.principals import Kind
from accounts.tenancy import system_access, tenant_scope
from common.ids import encode


def note(user: User, action: str, changes: Mapping[str, Any] | None = None) -> None:
    """Record an act of a person's own in every company they are an active member of, in the caller's transaction."""
    with system_access("the companies of a person whose security changed"):
        places = Membership.unscoped.filter(user=user, is_active=True).order_by("tenant_id")
        companies = list(places.values_list("tenant_id", flat=True))
    by = audit.Actor(Kind.USER, user.name, user.pk)
    for tenant_id in companies:
        with tenant_scope(tenant_id):
            audit.record(tenant_id=tenant_id, action=action, by=by, object_id=encode("us", user.pk), changes=changes)
