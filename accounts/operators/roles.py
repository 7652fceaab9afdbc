"""Operators' roles: Django groups, made once with what they usually may. Superusers change them in the admin, as any data."""

from typing import Any, Final

SUPPORT, FINANCE, TELEPHONY = "Support", "Finance", "Telephony"
EVERYBODY: Final = ("accounts.view_tenant", "accounts.view_user", "accounts.view_membership")
# Group → single permissions, and apps whose every page may be seen or changed.
ROLES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    SUPPORT: (
        (
            "accounts.change_tenant", "accounts.change_user", "accounts.add_tenant", "accounts.change_membership",
            "accounts.delete_membership", "accounts.operate_support", "accounts.impersonate_user", "accounts.view_auditentry",
        ),
        ("chat", "usage", "telephony"),
        (),
    ),
    FINANCE: (("accounts.operate_finance", "accounts.view_auditentry"), (), ("billing", "usage")),
    TELEPHONY: (("accounts.operate_telephony",), (), ("telephony",)),
}  # fmt: skip


def ensure_roles(*, using: str) -> None:
    """Make the groups that are missing; those there are stay as somebody left them. Runs after migrations, on their database."""
    from django.contrib.auth.models import Group, Permission  # the app of these is not ready while models are read

    for name, (single, seen, changed) in ROLES.items():
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        if is_new:
            wanted = [row for row in _all(Permission, using) if _is_granted(row, (*EVERYBODY, *single), seen, changed)]
            group.permissions.set(wanted)


def _all(model: Any, using: str) -> Any:
    return model.objects.using(using).select_related("content_type")


def _is_granted(row: Any, single: tuple[str, ...], seen: tuple[str, ...], changed: tuple[str, ...]) -> bool:
    app = row.content_type.app_label
    is_view = row.codename.startswith("view_")
    return f"{app}.{row.codename}" in single or app in changed or (app in seen and is_view)
