"""Erasing companies whose 30 days after closing are over: every table that bears their id, but for what the law keeps.

Which tables there are, and which hold keys into which, the database itself says: a table that comes later is erased too,
unless somebody says `keep`. Batch by batch, each its own transaction; who dies over it leaves the rest to the next night,
and what background work wrote since goes then.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from accounts import audit
from accounts.leaving.kept import kept_tables
from accounts.leaving.services import KEPT
from accounts.models import Membership, Tenant, User
from accounts.signals import tenant_erasing
from accounts.tenancy import system_access
from common.ids import encode

logger = logging.getLogger(__name__)
BATCH = 2_000
PEOPLE = "memberships"
IDS = "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'id'"
TABLES = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
  AND a.attname IN ('tenant_id', 'owner') AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped
"""
KEYS = """
SELECT child.relname, parent.relname, a.attname FROM pg_constraint k
JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid = k.confrelid
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND NOT child.relispartition AND child.relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Place:
    """A table, its column of the company, its columns that hold keys into itself, and whether its rows have an id."""

    table: str
    column: str
    loops: tuple[str, ...]
    has_id: bool


def due(*, now: datetime) -> list[UUID]:
    """Return the companies whose time is over, the longest closed first. Needs system access."""
    closed = Tenant.objects.filter(status=Tenant.Status.CLOSED, closed_at__lte=now - KEPT)
    return list(closed.order_by("closed_at", "pk").values_list("pk", flat=True))


def erase(*, tenant_id: UUID, now: datetime) -> dict[str, int]:
    """Erase a company and return table → rows. Nothing happens to one that is not due; a repeat finds what came since."""
    counts: dict[str, int] = {}
    for place in plan():
        while count := _erase_batch(tenant_id, place, now):
            counts[place.table] = counts.get(place.table, 0) + count
    _finish(tenant_id, counts, now)
    return counts


def plan() -> list[Place]:
    """Return what is erased, children before their parents."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        columns = dict(cursor.fetchall())
        cursor.execute(KEYS)
        keys = cursor.fetchall()
        cursor.execute(IDS)
        with_id = {table for (table,) in cursor.fetchall()}
    gone = {table: column for table, column in columns.items() if table not in kept_tables()}
    order: TopologicalSorter[str] = TopologicalSorter({table: set() for table in gone})
    for child, parent, _ in keys:
        if child in gone and parent in gone and child != parent:
            order.add(parent, child)
    loops = {table: tuple(column for child, parent, column in keys if child == parent == table) for table in gone}
    return [Place(table, gone[table], loops[table], table in with_id) for table in order.static_order()]


def _erase_batch(tenant_id: UUID, place: Place, now: datetime) -> int:
    table, column = place.table, place.column
    with system_access("a closed company is erased"):
        if not _is_due(tenant_id, now):
            return 0
        if table == PEOPLE:
            return _erase_people(tenant_id)
        order = "ORDER BY id" if place.has_id else ""
        tenant_erasing.send(sender=Tenant, tenant_id=tenant_id, table=table, most=BATCH)
        with connection.cursor() as cursor:
            for loop in place.loops:
                cursor.execute(
                    f'UPDATE "{table}" SET "{loop}" = NULL WHERE "{column}" = %s AND "{loop}" IS NOT NULL',  # noqa: S608
                    [tenant_id],
                )
            cursor.execute(
                f'DELETE FROM "{table}" WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM "{table}" '  # noqa: S608
                f'WHERE "{column}" = %s {order} LIMIT %s)',
                [tenant_id, BATCH],
            )
            return int(cursor.rowcount)


def _erase_people(tenant_id: UUID) -> int:
    """Erase the memberships, and the people who belong nowhere else and operate nothing."""
    others = Membership.unscoped.filter(user_id=OuterRef("pk")).exclude(tenant_id=tenant_id)
    mine = User.objects.filter(memberships__tenant_id=tenant_id, is_staff=False).exclude(Exists(others))
    people = list(mine.values_list("pk", flat=True).distinct())
    count = Membership.objects.for_tenant(tenant_id).delete()[0]
    User.objects.filter(pk__in=people).delete()
    return count


def _is_due(tenant_id: UUID, now: datetime) -> bool:
    """Say whether the company is still closed and its time over; holds it so until the batch is committed."""
    closed = Tenant.objects.select_for_update(no_key=True).filter(pk=tenant_id, status=Tenant.Status.CLOSED)
    return closed.filter(closed_at__lte=now - KEPT).exists()


def _finish(tenant_id: UUID, counts: dict[str, int], now: datetime) -> None:
    """Take the company's own row its words, and write down in the platform's chain that it is done, once."""
    with system_access("a closed company is erased"):
        row = Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.CLOSED, closed_at__lte=now - KEPT)
        first = row.filter(erased_at=None).update(
            name="Erased company",
            slug=f"erased-{tenant_id.hex}",
            billing_email="",
            settings={},
            limits={},
            erased_at=now,
        )
        if first:
            audit.record(
                tenant_id=audit.PLATFORM,
                action="tenant.erased",
                by=audit.SYSTEM,
                object_id=encode("tn", tenant_id),
                changes={"rows": counts},
            )
            logger.info("tenant %s is erased: %s rows", tenant_id, sum(counts.values()))


def erase_due(*, now: datetime) -> int:
    """Erase all companies whose time is over; return how many. One that fails does not stop the next."""
    with system_access("companies closed long ago"):
        tenants = due(now=now)
    for tenant_id in tenants:
        try:
            erase(tenant_id=tenant_id, now=now)
        except Exception:
            logger.exception("tenant %s could not be erased; tried again tomorrow", tenant_id)
    return len(tenants)
