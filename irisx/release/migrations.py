"""Migrations a running release survives: expand first, contract a release later.

While a release is deployed, the one before still serves on the migrated schema, and a rollback returns to it. So a migration
that takes something away from it needs a mark, one line in its class that says why nobody misses it any more:

    contracts = "0.4 stopped reading the column"
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from irisx.release.findings import Finding
from irisx.release.sources import PACKAGES

DESTRUCTIVE_SQL: Final = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|SCHEMA|VIEW)|TRUNCATE\s+(?!ON\b)\w+|RENAME\s+(TO|COLUMN)|ALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE|SET\s+NOT\s+NULL)\b",
    re.IGNORECASE,
)

# The schema of the first release. Nothing served before it, so nothing it did could break what served.
FIRST_RELEASE: Final = {"accounts": 11, "usage": 12, "billing": 11, "chat": 8, "telephony": 9}


def findings() -> Iterator[Finding]:
    """Yield conflicts, changes of models that no migration makes, and destructive steps without a mark."""
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(None)
    for label, names in loader.detect_conflicts().items():
        yield Finding("migrations", label, f"has several last migrations: {', '.join(sorted(names))}")
        return
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    for label, missing in changes.items():
        for operation in (operation for migration in missing for operation in migration.operations):
            yield Finding("migrations", label, f"no migration makes this change: {operation.describe()}")
    for (label, name), migration in sorted(loader.disk_migrations.items()):
        if label not in PACKAGES or int(name[:4]) <= FIRST_RELEASE.get(label, 0) or getattr(migration, "contracts", ""):
            continue
        created = {
            operation.name_lower for operation in _flat(migration.operations) if _kind(operation) == "CreateModel"
        }
        for operation in _flat(migration.operations):
            if reason := _destroys(operation, created, is_first=bool(migration.initial)):
                yield Finding(
                    "migrations", f"{label}.{name}", f"{reason}; a migration that contracts says why: contracts = “…”"
                )


def _kind(operation: Any) -> str:
    return type(operation).__name__


def _flat(operations: Any) -> Iterator[Any]:
    """Yield the operations that reach the database."""
    for operation in operations:
        if _kind(operation) == "SeparateDatabaseAndState":
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _destroys(operation: Any, created: set[str], *, is_first: bool) -> str:
    kind = _kind(operation)
    if kind in {"RemoveField", "DeleteModel", "RenameField", "RenameModel", "AlterModelTable"}:
        return f"takes something away from the release that serves ({operation.describe()})"
    if kind == "RunSQL":
        for statement in _statements(operation.sql):
            if found := DESTRUCTIVE_SQL.search(statement):
                return f"takes something away from the release that serves ({' '.join(found.group().split())})"
    if (
        kind == "AddField"
        and not is_first
        and operation.model_name_lower not in created
        and _old_inserts_fail(operation.field)
    ):
        return f"the release that serves could no longer insert ({operation.describe()}: NOT NULL without db_default)"
    return ""


def _old_inserts_fail(field: Any) -> bool:
    return not (field.null or field.has_db_default() or field.many_to_many or getattr(field, "generated", False))


def _statements(sql: Any) -> Iterator[str]:
    for statement in [sql] if isinstance(sql, str) else sql:
        yield statement if isinstance(statement, str) else statement[0]
