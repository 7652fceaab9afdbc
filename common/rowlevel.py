"""The second wall, in PostgreSQL: row-level security by one setting of the transaction, and one role that sees every row.

`irisx.tenant` holds the id whose rows are visible; unset or empty, no row is (NULLIF, because a pooled connection keeps `''`
after a transaction-local setting). The role `irisx_system` is let through by a policy of its own, so no role
needs BYPASSRLS.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import InternalError, transaction
from django.db.migrations.operations.base import Operation

from common.db import prepared

SYSTEM_ROLE = "irisx_system"
SETTING = "irisx.tenant"


class EnableRowLevelSecurity(Operation):
    """Show rows of `table` only where `column` equals the transaction's tenant; force it on the table's owner too."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str, column: str = "tenant_id") -> None:
        self.table, self.column = table, column

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in Django's state: policies are PostgreSQL's alone."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        rule = f"\"{self.column}\" = NULLIF(current_setting('{SETTING}', true), '')::uuid"
        for statement in (
            f'ALTER TABLE "{self.table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{self.table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY "{self.table}_tenant" ON "{self.table}" USING ({rule}) WITH CHECK ({rule})',
            f'CREATE POLICY "{self.table}_system" ON "{self.table}" TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)',
        ):
            schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for policy in ("tenant", "system"):
            schema_editor.execute(f'DROP POLICY "{self.table}_{policy}" ON "{self.table}"')
        schema_editor.execute(f'ALTER TABLE "{self.table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{self.table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Row-level security on {self.table} by {self.column}"


class CompositeKey(Operation):
    """Make the database's primary key of `table` span `columns`; Django goes on using `id`.

    A ledger's every unique key must hold the tenant, so that the table can be partitioned and distributed.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self.table, self.columns = table, columns

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in Django's state: to Django the key stays `id`."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._replace(schema_editor, self.columns)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._replace(schema_editor, ("id",))

    def _replace(self, schema_editor: Any, columns: tuple[str, ...]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        schema_editor.execute(f'ALTER TABLE "{self.table}" DROP CONSTRAINT "{self.table}_pkey"')
        schema_editor.execute(f'ALTER TABLE "{self.table}" ADD CONSTRAINT "{self.table}_pkey" PRIMARY KEY ({names})')

    def describe(self) -> str:
        return f"Primary key of {self.table} is ({', '.join(self.columns)})"


class Turn:
    """A block under `transaction_settings`."""

    def __init__(self, *, is_guest: bool) -> None:
        self._is_guest = is_guest
        self.is_settled = False

    def settle(self, **settings: str) -> bool:
        """Leave the open transaction with the block's settings and these: its end restores all, and no statement need.

        Return False, with nothing changed, where that is not for this block to say: inside a savepoint, what comes after it
        would inherit them.
        """
        if not self._is_guest or transaction.get_connection().savepoint_ids or transaction.get_rollback():
            return False
        if settings:
            _set(settings)
        self.is_settled = True
        return True


@contextmanager
def transaction_settings(*, role: str | None = None, tenant: str | None = None) -> Iterator[Turn]:
    """Run the block in a transaction with these settings, and restore what was set before, unless its turn settles.

    Inside an open transaction: one statement to set and one to restore. Otherwise the block is a transaction of its own, whose
    end restores everything.
    """
    wanted = {name: value for name, value in (("role", role), (SETTING, tenant)) if value is not None}
    if not transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            _set(wanted)
            yield Turn(is_guest=False)
        return
    before, turn = _set(wanted), Turn(is_guest=True)
    try:
        yield turn
    finally:
        # An aborted transaction takes no statement; its rollback, to the savepoint or whole, restores.
        if not turn.is_settled and not transaction.get_rollback():
            with suppress(InternalError):
                _set(before)


def _set(wanted: dict[str, str]) -> dict[str, str]:
    """Set each transaction-local setting in one statement and return what stood there."""
    reads = ", ".join("coalesce(current_setting(%s, true), '')" for _ in wanted)
    writes = ", ".join("set_config(%s, %s, true)" for _ in wanted)
    values = [*wanted, *(part for pair in wanted.items() for part in pair)]
    rows = prepared(f"WITH was AS MATERIALIZED (SELECT {reads}) SELECT was.*, {writes} FROM was", values)  # noqa: S608
    return dict(zip(wanted, rows[0], strict=False))
