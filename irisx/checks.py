"""System checks of the whole: what would be wrong only in this composition."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

ROLES = """
SELECT current_user, rolsuper OR rolbypassrls, pg_has_role(current_user, 'irisx_system', 'USAGE')
FROM pg_roles WHERE rolname = current_user
"""


@register(Tags.database)
def serving_role_is_held_by_row_level_security(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a DATABASE_URL whose role PostgreSQL lets around the tenants' wall."""
    if not databases or "default" not in databases:
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'irisx_system'")
        if cursor.fetchone() is None:
            return []
        cursor.execute(ROLES)
        name, is_above, inherits = cursor.fetchone()
    if not (is_above or inherits):
        return []
    return [
        Error(
            f"DATABASE_URL signs in as {name}, whom row-level security does not hold.",
            hint="Use a role like irisx_app: LOGIN NOINHERIT, no superuser, no BYPASSRLS; see docs/guides/database.md.",
            id="irisx.E001",
        )
    ]
