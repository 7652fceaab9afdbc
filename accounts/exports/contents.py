"""What goes into a company's archive: every table that bears its id, and the files apps register.

The database says which tables there are, so that one that comes later is taken along; what may not leave is withheld by name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from django.db import connection

FileSource = Callable[[UUID], Iterator["StoredFile"]]

TABLES = """
SELECT c.relname, a.attname, array_agg(k.attname ORDER BY k.place), array_agg(k.type ORDER BY k.place)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('tenant_id', 'owner') AND NOT a.attisdropped
JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
CROSS JOIN LATERAL (
    SELECT attname, format_type(atttypid, atttypmod) AS type, position.place
    FROM unnest(i.indkey) WITH ORDINALITY AS position (attnum, place)
    JOIN pg_attribute p ON p.attrelid = c.oid AND p.attnum = position.attnum
) AS k
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
  AND a.atttypid = 'uuid'::regtype
GROUP BY c.relname, a.attname ORDER BY c.relname
"""
# The company and its people bear no tenant's id.
COMPANY = "SELECT to_jsonb(t)::text FROM tenants t WHERE id = %s"
PEOPLE = """
SELECT jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'language', u.language)::text
FROM users u JOIN memberships m ON m.user_id = u.id WHERE m.tenant_id = %s ORDER BY u.id
"""
SINGLE = {"tenants": COMPANY, "users": PEOPLE}

_withheld: dict[str, tuple[str, ...]] = {}
_left_out: dict[str, str] = {}
_files: list[FileSource] = []


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its column of the company, and its primary key with the columns' types."""

    name: str
    column: str
    key: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the company's: its path in the archive, and how its bytes are opened."""

    path: str
    open: Callable[[], IO[bytes]]


def withhold(table: str, *columns: str) -> None:
    """Say, once while the apps start, which columns hold secrets that never leave."""
    _withheld[table] = columns


def leave_out(*tables: str, reason: str) -> None:
    """Say, once while the apps start, which tables are our own machinery and tell the company nothing."""
    _left_out.update(dict.fromkeys(tables, reason))


def add_files(source: FileSource) -> None:
    """Register where an app keeps a company's files."""
    _files.append(source)


def withheld() -> dict[str, tuple[str, ...]]:
    """Return table → columns that never leave."""
    return dict(_withheld)


def left_out() -> dict[str, str]:
    """Return table → why it is not in the archive."""
    return dict(_left_out)


def files_of(tenant_id: UUID) -> Iterator[StoredFile]:
    """Return a company's files, app by app. Inside its scope."""
    for source in _files:
        yield from source(tenant_id)


def tables() -> list[Table]:
    """Return what is read, in order of name. One query."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        found = [Table(name, column, tuple(key), tuple(types)) for name, column, key, types in cursor.fetchall()]
    return [table for table in found if table.name not in _left_out]


def single_lines(name: str, tenant_id: UUID) -> list[str]:
    """Return the rows of one of SINGLE as JSON texts."""
    with connection.cursor() as cursor:
        cursor.execute(SINGLE[name], [tenant_id])
        return [line for (line,) in cursor.fetchall()]


def lines(table: Table, tenant_id: UUID, *, after: list[str] | None, most: int) -> tuple[list[str], list[str] | None]:
    """Return up to `most` rows after a key as JSON texts, and the key of the last; None when no row is left.

    PostgreSQL writes the JSON: numbers keep every digit.
    """
    key = ", ".join(f't."{name}"' for name in table.key)
    where, arguments = f't."{table.column}" = %s', [tenant_id, *(after or ())]
    if after is not None:
        where += f" AND ({key}) > ({', '.join(f'%s::{kind}' for kind in table.types)})"
    texts = ", ".join(f't."{name}"::text' for name in table.key)
    statement = (
        f"SELECT (to_jsonb(t) - %s::text[])::text, ARRAY[{texts}] "  # noqa: S608 - names out of the catalogue
        f'FROM "{table.name}" t WHERE {where} ORDER BY {key} LIMIT %s'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(_withheld.get(table.name, ())), *arguments, most])
        rows = cursor.fetchall()
    return [line for line, _ in rows], rows[-1][1] if len(rows) == most else None
