"""irisx.local.cleaning, as a superuser and as the owner who is none"""

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest

from irisx.local.cleaning import Cleaner
from irisx.local.testsession import TestSession, at_database, role_of

SCHEMA = """
    CREATE TABLE plans (id int PRIMARY KEY, name text);
    CREATE TABLE tenants (id int PRIMARY KEY, plan int REFERENCES plans DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE rates (id int PRIMARY KEY, tenant int REFERENCES tenants DEFERRABLE INITIALLY DEFERRED, price text);
    CREATE TABLE ledger (id int, tenant int REFERENCES tenants DEFERRABLE INITIALLY DEFERRED);
    ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ledger FORCE ROW LEVEL SECURITY;
    CREATE POLICY nobody ON ledger USING (false) WITH CHECK (true);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append only'; END $$;
    CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse();
    INSERT INTO plans VALUES (1, 'starter'), (2, E'a tab\\there');
    INSERT INTO rates VALUES (1, NULL, '0.0140');
"""
WORK = """
    INSERT INTO tenants VALUES (7, 1);
    INSERT INTO ledger VALUES (1, 7);
    UPDATE plans SET name = 'changed' WHERE id = 1;
    DELETE FROM plans WHERE id = 2;
    INSERT INTO rates VALUES (2, 7, '0.0100');
"""
Connect = Callable[[], psycopg.Connection]


@pytest.fixture(params=["superuser", "owner"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """A way into a small database of its own, as either role."""
    session = TestSession.inherited()
    name = f"{session.template}_small_{secrets.token_hex(3)}"
    owner_role = role_of(session.migration_url)
    with session.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner_role}"')
    url = session.admin_url if request.param == "superuser" else session.migration_url
    with psycopg.connect(at_database(session.migration_url, name), autocommit=True) as owner:
        owner.execute(SCHEMA)
    yield lambda: psycopg.connect(at_database(url, name), autocommit=True)
    with session.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def rows(connect: Connect, table: str) -> list[tuple[object, ...]]:
    with connect() as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def test_only_what_was_shipped_is_left(connect: Connect) -> None:
    cleaner = Cleaner(connect)
    with connect() as connection:
        connection.execute(WORK)
    cleaner.clean()
    assert rows(connect, "plans") == [(1, "starter"), (2, "a tab\there")]
    assert rows(connect, "rates") == [(1, None, "0.0140")]
    assert rows(connect, "tenants") == []
    with connect() as connection:
        connection.execute("ALTER TABLE ledger NO FORCE ROW LEVEL SECURITY")
    assert rows(connect, "ledger") == []


def test_the_rules_stand_again_afterwards(connect: Connect) -> None:
    Cleaner(connect).clean()
    with connect() as connection:
        forced = connection.execute("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'ledger'").fetchone()
        enabled = connection.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'kept'").fetchone()
    assert (forced, enabled) == ((True,), ("O",))


def test_a_table_made_meanwhile_goes_with_its_rows(connect: Connect) -> None:
    cleaner = Cleaner(connect)
    with connect() as connection:
        connection.execute("CREATE TABLE records_2026_08 (id int); INSERT INTO records_2026_08 VALUES (1)")
    cleaner.clean()
    with connect() as connection:
        assert connection.execute("SELECT to_regclass('records_2026_08')").fetchone() == (None,)
