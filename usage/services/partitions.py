"""Months of the ledger: made ahead, and healed where one was not there in time."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

MONTHS_AHEAD = 3
NAMES = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.usage_records'::regclass ORDER BY 1
"""
STRAYS = """
    SELECT to_char(date_trunc('month', occurred_at AT TIME ZONE 'UTC'), 'YYYY_MM'), count(*)
    FROM usage_records WHERE tableoid = 'public.usage_records_default'::regclass GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Healed:
    """A partition that was made, and how many records moved into it."""

    name: str
    moved: int


def make_partitions(*, today: date) -> list[str]:
    """Make the partitions of this month and the next three where they are missing; return their names.

    Needs system access. Raises what PostgreSQL raises when DEFAULT holds rows of a month to be made: heal it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT usage_make_partition((date_trunc('month', %s::date) + n * interval '1 month')::date) "
            "FROM generate_series(0, %s) AS n",
            [today, MONTHS_AHEAD],
        )
        return [name for (name,) in cursor.fetchall()]


def heal_partitions() -> list[Healed]:
    """Move every record out of DEFAULT into a partition of its month, in this transaction. A repeat moves nothing.

    Needs system access. Who records for a month without a partition waits meanwhile, nobody else; PostgreSQL refuses after
    waiting 5 s for those who do.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT partition_name, moved FROM usage_heal_partitions()")
        return [Healed(*row) for row in cursor.fetchall()]


def partition_names() -> list[str]:
    """Return the ledger's partitions by name."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES)
        return [name for (name,) in cursor.fetchall()]


def strays() -> list[tuple[str, int]]:
    """Return which months have records in DEFAULT (`2026_03`), and how many. Needs system access."""
    with connection.cursor() as cursor:
        cursor.execute(STRAYS)
        return list(cursor.fetchall())
