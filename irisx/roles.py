"""PostgreSQL's roles: the owner migrates, the serving role is held by row-level security, `irisx_system` is let through.

`irisx_system` cannot sign in. The serving role is a member without inheriting (NOINHERIT): it must say SET ROLE, which
`accounts.tenancy.system_access` does, for a named reason and one transaction.
"""

from django.core.management.base import CommandError
from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper

from common.rowlevel import SYSTEM_ROLE


def ensure_roles(connection: BaseDatabaseWrapper, *, serving_role: str) -> None:
    """Create `irisx_system` if it is missing and grant what serving needs. A repeat changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, to_regrole(%s) IS NULL", [SYSTEM_ROLE])
        owner, is_missing = cursor.fetchone()
        if is_missing:
            try:
                cursor.execute(f"CREATE ROLE {SYSTEM_ROLE} NOLOGIN")
            except ProgrammingError as error:
                raise CommandError(
                    f"The role {owner} of DATABASE_MIGRATION_URL may not create roles. Run as a superuser, once: "
                    f"CREATE ROLE {SYSTEM_ROLE} NOLOGIN; GRANT {SYSTEM_ROLE} TO {owner} WITH ADMIN OPTION;"
                ) from error
        for member in sorted({owner, serving_role}):
            cursor.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [member, SYSTEM_ROLE])
            if not cursor.fetchone()[0] or member == owner:
                cursor.execute(f'GRANT {SYSTEM_ROLE} TO "{member}"')
        for role in sorted({SYSTEM_ROLE, serving_role} - {owner}):
            _grant(cursor, role)


def _grant(cursor: object, role: str) -> None:
    execute = cursor.execute  # type: ignore[attr-defined] # Django's cursor wrapper
    execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
    for kind, rights in (("TABLES", "SELECT, INSERT, UPDATE, DELETE"), ("SEQUENCES", "USAGE, SELECT")):
        execute(f'GRANT {rights} ON ALL {kind} IN SCHEMA public TO "{role}"')
        execute(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON {kind} TO "{role}"')
