"""irisx.local.testtemplate"""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import sql

from irisx.local import testtemplate
from irisx.local.testsession import TestSession, at_database, role_of

SHAPE = """
    SELECT 'column', table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '')
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'policy', tablename || ' ' || policyname || ' ' || coalesce(qual, '') FROM pg_policies
    UNION ALL SELECT 'trigger', tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'table', concat(relname, ' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, ' ')
           || pg_get_userbyid(relowner) || ' ' || coalesce(relacl::text, '') FROM pg_class
      WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function', concat(proname, md5(prosrc), prosecdef, pg_get_userbyid(proowner), proacl)
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'permission', codename FROM auth_permission
    UNION ALL SELECT 'migration', app || '.' || name FROM django_migrations
    ORDER BY 1, 2
"""

# Read anew, PostgreSQL writes the casts of an expression more often, and its parentheses with them.
CASTS = re.compile(r"::(text|character varying|bpchar)(\(\d+\))?(\[\])?|[()]")


def test_a_kept_result_is_restored_whole(tmp_path: Path) -> None:
    session = TestSession.inherited()
    if session.admin_url == session.migration_url:  # a given server: nothing is kept there
        return
    migrated, restored = (f"{session.template}_{word}_{uuid4().hex[:8]}" for word in ("migrated", "restored"))
    session.create_copy(migrated)
    kept = tmp_path / "kept.dump"
    with session.connect() as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}")
        connection.execute(create.format(sql.Identifier(restored), sql.Identifier(role_of(session.migration_url))))
        try:
            testtemplate.keep(kept, url=at_database(session.admin_url, migrated))
            assert testtemplate.restore(
                kept,
                url=at_database(session.admin_url, restored),
                owner_url=at_database(session.migration_url, restored),
                serving_role=role_of(session.database_url),
            )
            assert _shape(session, restored) == _shape(session, migrated)
        finally:
            for name in (migrated, restored):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_broken_result_is_forgotten(tmp_path: Path) -> None:
    session = TestSession.inherited()
    broken = tmp_path / "broken.dump"
    broken.write_bytes(b"PGDMP half of it")
    used = {"url": session.admin_url, "owner_url": session.migration_url, "serving_role": role_of(session.database_url)}
    assert not testtemplate.restore(broken, **used)
    assert not broken.exists()


def test_a_changed_migration_is_another_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migration = tmp_path / "usage" / "migrations" / "0001_initial.py"
    migration.parent.mkdir(parents=True)
    migration.write_text("operations = []\n")
    (tmp_path / "requirements-local.lock").touch()
    monkeypatch.setattr(testtemplate, "ROOT", tmp_path)
    before = testtemplate.kept_template()
    assert testtemplate.kept_template() == before
    migration.write_text("operations = [1]\n")
    assert testtemplate.kept_template() != before


def _shape(session: TestSession, database: str) -> list[tuple[str, str]]:
    with session.connect(database=database) as connection:
        return sorted((kind, CASTS.sub("", text)) for kind, text in connection.execute(SHAPE).fetchall())
