"""Gap-free numbers: a rolled-back transaction gives its number back, because the counter is a row, no sequence."""

from uuid import UUID

from django.db import connection


def next_value(*, owner: UUID, name: str) -> int:
    """Return the next number, 1 first; one statement. Holds the counter's row until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sequences (owner, name, last) VALUES (%s, %s, 1) "
            "ON CONFLICT (owner, name) DO UPDATE SET last = sequences.last + 1 RETURNING last",
            [owner, name],
        )
        return int(cursor.fetchone()[0])
