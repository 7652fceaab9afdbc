"""A company's settings: changed under its row's lock, so that of two changes neither undoes the other."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.models import Tenant

CORS_ORIGINS: Final = "cors_origins"
REQUIRE_MFA: Final = "require_mfa"
# What lies in `tenants.settings`, and what it is until somebody says otherwise; the rest are columns.
USUAL: Final[dict[str, Any]] = {CORS_ORIGINS: [], REQUIRE_MFA: False}


@dataclass(frozen=True)
class Settings:
    """What a company sets for itself."""

    name: str
    locale: str
    cors_origins: list[str]
    require_mfa: bool


def settings_of(*, tenant_id: UUID) -> Settings:
    """Return a company's settings. One query."""
    return _read(Tenant.objects.get(pk=tenant_id))


def change_settings(*, tenant_id: UUID, changes: dict[str, Any]) -> tuple[Settings, Settings]:
    """Change what is named; return the settings before and after. What is the same already is not written."""
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
        before = _read(tenant)
        tenant.settings = {**tenant.settings, **{name: changes[name] for name in USUAL if name in changes}}
        tenant.name, tenant.locale = changes.get("name", tenant.name), changes.get("locale", tenant.locale)
        after = _read(tenant)
        if after != before:
            tenant.save(update_fields=["name", "locale", "settings"])
    return before, after


def _read(tenant: Tenant) -> Settings:
    own = {**USUAL, **tenant.settings}
    return Settings(tenant.name, tenant.locale, list(own[CORS_ORIGINS]), bool(own[REQUIRE_MFA]))
