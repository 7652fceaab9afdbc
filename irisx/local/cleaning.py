"""Put a test database back as the migrations left it after work was committed to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

LOCK_SECONDS = 10
TABLES = """
    SELECT c.oid::regclass::text, c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 1
"""  # partitions are listed each, their parents hold nothing
IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


class Cleaner:
    """Knows the rows that migrations shipped; deletes and restores around triggers, keys and row-level security."""

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        with self._unruled() as connection:
            self._tables = [name for name, _ in connection.execute(TABLES)]
            self._known = set(self._tables)
            self._shipped = {name: rows for name in self._tables if (rows := copy_out(connection, name))}

    def clean(self) -> None:
        """Delete what tests committed, partitions they made included, and bring back what they changed or deleted."""
        with self._connect() as connection:
            connection.execute(sql.SQL("SET lock_timeout = '{}s'").format(sql.SQL(str(LOCK_SECONDS))))
            for table, _ in connection.execute(TABLES).fetchall():
                if table not in self._known:
                    connection.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(table)))
        with self._unruled() as connection:
            for table in self._changed(connection):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.SQL(table)))
                copy_in(connection, table, self._shipped.get(table, []))

    def _changed(self, connection: psycopg.Connection) -> list[str]:
        """List the tables whose rows differ from those shipped."""
        empty = [name for name in self._tables if name not in self._shipped]
        return non_empty(connection, empty) + [
            name for name, rows in self._shipped.items() if copy_out(connection, name) != rows
        ]

    @contextmanager
    def _unruled(self) -> Iterator[psycopg.Connection]:
        """Open a transaction in which triggers, foreign keys and row-level security stand aside."""
        with self._connect() as connection, connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = '{}s'").format(sql.SQL(str(LOCK_SECONDS))))
            row = connection.execute(IS_SUPERUSER).fetchone()
            if row and row[0]:
                connection.execute("SET LOCAL session_replication_role = replica")
                yield connection
            else:
                with rules_lifted(connection):
                    yield connection


@contextmanager
def rules_lifted(connection: psycopg.Connection) -> Iterator[None]:
    """Lift the rules of each table as its owner may, who is no superuser; Django's foreign keys are deferrable."""
    tables = connection.execute(TABLES).fetchall()
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    _alter(connection, [name for name, _ in tables], "DISABLE TRIGGER USER")
    _alter(connection, [name for name, is_forced in tables if is_forced], "NO FORCE ROW LEVEL SECURITY")
    yield
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no ALTER TABLE while checks wait
    _alter(connection, [name for name, is_forced in tables if is_forced], "FORCE ROW LEVEL SECURITY")
    _alter(connection, [name for name, _ in tables], "ENABLE TRIGGER USER")


def non_empty(connection: psycopg.Connection, tables: list[str]) -> list[str]:
    """List those of the tables that hold a row, in one query."""
    if not tables:
        return []
    probe = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    probes = [probe.format(sql.Literal(table), sql.SQL(table)) for table in tables]
    return [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(probes))]


def copy_out(connection: psycopg.Connection, table: str) -> list[bytes]:
    """Read a table's rows, as COPY writes them, in an order that does not depend on their place."""
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.SQL(table))) as copy:
        return sorted(b"".join(bytes(block) for block in copy).splitlines(keepends=True))


def copy_in(connection: psycopg.Connection, table: str, rows: list[bytes]) -> None:
    """Write rows that COPY read."""
    if rows:
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.SQL(table))) as copy:
            copy.write(b"".join(rows))


def _alter(connection: psycopg.Connection, tables: list[str], action: str) -> None:
    for table in tables:
        connection.execute(sql.SQL("ALTER TABLE {} {}").format(sql.SQL(table), sql.SQL(action)))
