"""The two walls: managers that refuse unscoped reads, and PostgreSQL's row-level security behind them."""

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from accounts.models import Membership, Tenant
from accounts.permissions import Role
from accounts.tenancy import system_access, tenant_scope
from accounts.tenancy.models import TenantModel, UnscopedRead
from tests import factories

WITHOUT_WALL = """
SELECT DISTINCT c.relname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY(%s) AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity
           AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) >= 2)
"""


def visible() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM tenants")
        return {row[0] for row in cursor.fetchall()}


class TestTheWallInCode:
    def test_refuses_a_read_that_names_no_tenant(self, db: None) -> None:
        for read in (Membership.objects.all, Membership.objects.count, Membership.objects.first):
            with pytest.raises(UnscopedRead):
                read()

    def test_shows_the_named_tenants_rows(self, acme: factories.Company, globex: factories.Company) -> None:
        with system_access("test"):
            people = Membership.objects.for_tenant(acme.tenant).values_list("user__name", flat=True)
            assert set(people) == {"Alice", "Bob", "Fiona"}


class TestTheWallInPostgreSQL:
    def test_stands_around_every_tenant_table(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT_WALL, [["tenant_id", "owner"]])
            without = {row[0] for row in cursor.fetchall()}
        # Shipped prices have no tenant; their table's own policy is tested with usage.
        assert {name for name in without if not _is_partition(name)} == set()

    def test_stands_around_every_tenant_model(self, db: None) -> None:
        tables = {m._meta.db_table for m in apps.get_models() if issubclass(m, TenantModel)} | {"tenants"}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relforcerowsecurity AND relname = ANY(%s)", [list(tables)]
            )
            assert {row[0] for row in cursor.fetchall()} == tables

    def test_shows_nothing_without_a_tenant(self, acme: factories.Company) -> None:
        assert visible() == set()
        assert Tenant.objects.count() == 0

    def test_shows_one_tenant_after_another_on_one_connection(
        self, acme: factories.Company, globex: factories.Company
    ) -> None:
        with tenant_scope(acme.tenant.pk):
            assert visible() == {"Acme"}
        assert visible() == set()
        with tenant_scope(globex.tenant.pk):
            assert visible() == {"Globex"}
            with tenant_scope(acme.tenant.pk):
                assert visible() == {"Acme"}
            assert visible() == {"Globex"}
        assert visible() == set()

    def test_returns_to_the_former_scope_after_an_error(self, acme: factories.Company) -> None:
        with tenant_scope(acme.tenant.pk):
            with pytest.raises(ProgrammingError), transaction.atomic(), system_access("test"):
                connection.cursor().execute("SELECT no_such_column")
            assert visible() == {"Acme"}

    def test_refuses_to_write_another_tenants_row(self, acme: factories.Company, globex: factories.Company) -> None:
        refused = pytest.raises(ProgrammingError, match="row-level security")
        with tenant_scope(globex.tenant.pk), refused, transaction.atomic():
            Membership.objects.create(tenant=acme.tenant, user=globex.owner, role=Role.OWNER)

    def test_lets_the_named_bypass_see_all(self, acme: factories.Company, globex: factories.Company) -> None:
        with system_access("test"):
            assert visible() == {"Acme", "Globex"}
            with tenant_scope(acme.tenant.pk):
                assert visible() == {"Acme"}
            assert visible() == {"Acme", "Globex"}

    def test_holds_the_owner_too(self, acme: factories.Company) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'tenants' AND relforcerowsecurity")
            assert cursor.fetchone() == (1,)


class TestOnPooledConnections:
    def test_a_setting_ends_with_its_transaction(self, committed_db: None) -> None:
        acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
        globex = factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max")
        with tenant_scope(acme.tenant.pk):
            assert visible() == {"Acme"}
        assert visible() == set()  # the setting is '' now, not NULL
        with tenant_scope(globex.tenant.pk):
            assert visible() == {"Globex"}


def _is_partition(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relispartition FROM pg_class WHERE relname = %s", [name])
        return bool(cursor.fetchone()[0])
