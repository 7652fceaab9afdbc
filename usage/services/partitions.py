"""Months of the ledger, made ahead."""

from datetime import date

from django.db import connection

MONTHS_AHEAD = 3


def make_partitions(*, today: date) -> list[str]:
    """Make the partitions of this month and the next three where they are missing; return their names.

    Needs system access. Raises what PostgreSQL raises when DEFAULT holds rows of a month to be made.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT usage_make_partition((date_trunc('month', %s::date) + n * interval '1 month')::date) "
            "FROM generate_series(0, %s) AS n",
            [today, MONTHS_AHEAD],
        )
        return [name for (name,) in cursor.fetchall()]
