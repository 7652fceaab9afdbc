"""Whatever changes what somebody may do rings the revocation's doorbell, wherever it is changed."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_migrate, post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts import revocation, sessions
from accounts.models import Membership, Tenant, User
from accounts.operators import impersonating, roles

MATTERS = {
    User: {"is_active", "auth_version", "password"},
    Membership: {"is_active", "role"},
    Tenant: {"status", "settings"},
}


def _matters(sender: type[Any], created: bool, update_fields: frozenset[str] | None) -> bool:
    return not created and (update_fields is None or not MATTERS[sender].isdisjoint(update_fields))


@receiver(post_save, sender=User, dispatch_uid="accounts.user_saved")
def on_user_saved(instance: User, created: bool, update_fields: frozenset[str] | None, **kwargs: Any) -> None:
    """Have a changed person's sockets re-checked."""
    if _matters(User, created, update_fields):
        revocation.ring(people=[instance.pk])
    concerns_operators = update_fields is None or not update_fields.isdisjoint({"is_active", "is_staff"})
    if not created and concerns_operators and not (instance.is_active and instance.is_staff):
        impersonating.end_all_of(instance.pk, now=timezone.now())


@receiver(post_save, sender=Membership, dispatch_uid="accounts.membership_saved")
def on_membership_saved(
    instance: Membership, created: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    """Have a member's sockets re-checked when the role or the place in the company changed."""
    if _matters(Membership, created, update_fields):
        revocation.ring(people=[instance.user_id])


@receiver(post_delete, sender=Membership, dispatch_uid="accounts.membership_deleted")
def on_membership_deleted(instance: Membership, **kwargs: Any) -> None:
    """Have a former member's sockets re-checked."""
    revocation.ring(people=[instance.user_id])


@receiver(post_save, sender=Tenant, dispatch_uid="accounts.tenant_saved")
def on_tenant_saved(instance: Tenant, created: bool, update_fields: frozenset[str] | None, **kwargs: Any) -> None:
    """Have a company's sockets re-checked when it was suspended."""
    if _matters(Tenant, created, update_fields):
        revocation.ring(tenants=[instance.pk])


@receiver(user_logged_out, dispatch_uid="accounts.logged_out")
def on_logged_out(request: Any, user: Any, **kwargs: Any) -> None:
    """Close the sockets of the browser somebody signed out in; other browsers of theirs stay."""
    mark = sessions.mark_of(getattr(request, "session", None))
    if mark and isinstance(user, User):
        sessions.end(mark)
        revocation.ring(people=[user.pk])


@receiver(post_migrate, dispatch_uid="accounts.operators_roles")
def on_migrated(sender: Any, using: str, **kwargs: Any) -> None:
    """Make the operators' groups once every app's permissions are there: Django's own app comes after ours."""
    if sender.label == "auth":
        roles.ensure_roles(using=using)
