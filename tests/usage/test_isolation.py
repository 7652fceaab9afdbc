"""PostgreSQL itself keeps tenants apart, in the parent, in its partitions and among prices."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.tenancy import system_access, tenant_scope
from tests.factories import Company
from tests.usage.helpers import at, record
from usage.models import PricingRate, UsageRecord
from usage.services import make_partitions

TABLES = [
    "billing_periods",
    "credit_entries",
    "subscriptions",
    "usage_dedup",
    "usage_records",
    "usage_summaries",
    "usage_summary_deltas",
]
TYPES = """
    SELECT attname, replace(format_type(atttypid, atttypmod), ' ', '') FROM pg_attribute
    WHERE attrelid = 'usage_records'::regclass AND attnum > 0
"""
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_records'::regclass ORDER BY 1"


def select(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        select(statement)
    return str(refusal.value)


@pytest.fixture
def both_used(acme: Company, globex: Company) -> tuple[Company, Company]:
    for company in (acme, globex):
        record(company)
        record(company)
        with tenant_scope(company.tenant.pk), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO usage_summaries SELECT * FROM usage_summary_deltas LIMIT 1"
            )  # one of each, as after a fold
    return acme, globex


@pytest.mark.parametrize("table", TABLES)
def test_one_connection_shows_each_tenant_its_own_and_nobody_nothing(
    table: str, both_used: tuple[Company, Company]
) -> None:
    acme, globex = both_used
    query = f"SELECT DISTINCT tenant_id FROM {table}"
    with tenant_scope(acme.tenant.pk):
        assert select(query) == [(acme.tenant.pk,)]
    assert select(query) == []
    with tenant_scope(globex.tenant.pk):
        assert select(query) == [(globex.tenant.pk,)]
    with system_access("test"):
        assert len(select(query)) == 2


@pytest.mark.parametrize("table", TABLES)
def test_no_row_of_another_tenant_can_be_written(table: str, both_used: tuple[Company, Company]) -> None:
    acme, globex = both_used
    with system_access("test"):
        columns = [name for (name,) in select(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        )]  # fmt: skip
    values = ", ".join(f"'{globex.tenant.pk}'::uuid" if name == "tenant_id" else name for name in columns)
    with tenant_scope(acme.tenant.pk):
        message = refused(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} LIMIT 1 RETURNING 1"
        )
    assert "row-level security" in message


class TestPartitions:
    def test_are_closed_to_everybody_but_through_their_parent(self, both_used: tuple[Company, Company]) -> None:
        acme, _ = both_used
        partitions = [str(name) for (name,) in select(PARTITIONS)]
        assert "usage_records_default" in partitions
        for name in partitions:
            for access in (tenant_scope(acme.tenant.pk), system_access("test")):
                with access:
                    assert select(f"SELECT * FROM {name}") == []
                    if name == "usage_records_default":
                        copied = f"INSERT INTO {name} SELECT * FROM usage_records LIMIT 1 RETURNING 1"
                        assert "row-level security" in refused(copied)

    def test_four_months_are_there_from_the_first_migration(self, db: None) -> None:
        (first,) = select("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
        months = [str(name) for (name,) in select(PARTITIONS) if name != "usage_records_default"]
        assert f"usage_records_{first[0]}" in months
        assert len(months) >= 4

    def test_are_made_three_months_ahead_once(self, acme: Company) -> None:
        with system_access("test"):
            made = make_partitions(today=date(2031, 11, 30))
            again = make_partitions(today=date(2031, 11, 30))
        assert made == again == [f"usage_records_{month}" for month in ("2031_11", "2031_12", "2032_01", "2032_02")]

    def test_a_month_takes_its_rows_and_is_closed_like_the_others(self, acme: Company) -> None:
        with system_access("test"):
            make_partitions(today=date(2026, 4, 15))
        record(acme, occurred_at=at(2026, 3, 31, 23, 59, 59))
        record(acme, occurred_at=at(2026, 4, 1, 0))
        record(acme, occurred_at=at(2026, 4, 30, 23, 59, 59))
        record(acme, occurred_at=at(2026, 5, 1, 0))
        with tenant_scope(acme.tenant.pk):
            homes = select("SELECT tableoid::regclass::text FROM usage_records ORDER BY occurred_at")
            assert select("SELECT * FROM usage_records_2026_04") == []
        assert [str(name) for (name,) in homes] == [
            "usage_records_default",
            "usage_records_2026_04",
            "usage_records_2026_04",
            "usage_records_2026_05",
        ]

    def test_only_the_system_may_make_them(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            assert "permission denied" in refused("SELECT usage_make_partition('2033-01-01')")


class TestRates:
    @pytest.fixture
    def own_rate(self, acme: Company) -> PricingRate:
        with system_access("test"):
            return PricingRate.objects.create(
                tenant=acme.tenant,
                channel="sms",
                resource_type="message",
                currency="USD",
                unit_price=0,
                effective_from=date(2026, 1, 1),
            )

    def test_plans_are_for_all_to_read_a_tenant_s_own_for_itself(
        self, acme: Company, globex: Company, own_rate: PricingRate
    ) -> None:
        with tenant_scope(acme.tenant.pk):
            assert PricingRate.objects.filter(tenant__isnull=False).exists()
            assert PricingRate.objects.filter(plan__slug="starter").exists()
        with tenant_scope(globex.tenant.pk):
            assert not PricingRate.objects.filter(pk=own_rate.pk).exists()
            assert PricingRate.objects.filter(plan__slug="starter").exists()

    def test_a_tenant_writes_none(self, acme: Company, own_rate: PricingRate) -> None:
        columns = (
            "tenant_id, channel, resource_type, direction, destination_prefix, country, currency, model, unit_price"
        )
        columns += ", tiers, package_size, connect_fee, initial_seconds, step_seconds, included_quantity"
        columns += ", minimum_amount, version, created_at"
        with tenant_scope(acme.tenant.pk):
            message = refused(
                f"INSERT INTO pricing_rates (id, effective_from, {columns}) "
                f"SELECT gen_random_uuid(), '2026-02-01', {columns} FROM pricing_rates WHERE id = '{own_rate.pk}' "
                "RETURNING 1"
            )
            assert "row-level security" in message
            assert PricingRate.objects.filter(pk=own_rate.pk).update(unit_price=9) == 0

    def test_a_rate_never_changes_but_ends(self, own_rate: PricingRate) -> None:
        with system_access("test"):
            assert "add a version" in refused(f"UPDATE pricing_rates SET unit_price = 1 WHERE id = '{own_rate.pk}'")
            assert "effective_until" in refused(f"DELETE FROM pricing_rates WHERE id = '{own_rate.pk}'")
            assert PricingRate.objects.filter(pk=own_rate.pk).update(effective_until=date(2026, 3, 31)) == 1

    def test_a_rate_of_no_meter_is_refused(self, db: None) -> None:
        with system_access("test"):
            message = refused(
                "INSERT INTO pricing_rates SELECT * FROM jsonb_populate_record(NULL::pricing_rates, (SELECT to_jsonb(r) "
                "|| jsonb_build_object('id', gen_random_uuid(), 'channel', 'fax') FROM pricing_rates r LIMIT 1)); "
                "SET CONSTRAINTS ALL IMMEDIATE"
            )
        assert "pricing_rates_meter" in message


def test_the_ledger_s_table_has_the_columns_django_believes(db: None) -> None:
    """The partitioned table is made by hand."""
    with connection.cursor() as cursor:
        described = {
            row.name: (row.type_code, row.null_ok)
            for row in connection.introspection.get_table_description(cursor, "usage_records")
        }
    assert set(described) == {field.column for field in UsageRecord._meta.fields}
    assert {name for name, (_, null_ok) in described.items() if null_ok} == {"reverses", "total_cost"}
    types = dict(select(TYPES))
    for field in UsageRecord._meta.fields:
        assert types[field.column] == (field.db_type(connection) or "").replace(" ", "").replace(
            "varchar", "charactervarying"
        )
