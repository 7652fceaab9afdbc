"""The audit log's chain: numbered and linked at the commit, frozen for everybody, and what was tampered with is named."""

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from accounts import audit
from accounts.audit.canonical import START, digest, link
from accounts.audit.models import AuditChain, AuditEntry
from accounts.tenancy import system_access, tenant_scope
from irisx.local.testsession import TestSession, database_of
from tests import factories


def write(tenant_id: UUID, *, action: str = "thing.changed", **more: Any) -> UUID:
    with tenant_scope(tenant_id):
        return audit.record(tenant_id=tenant_id, action=action, by=audit.SYSTEM, **more).pk


def entries(tenant_id: UUID) -> list[AuditEntry]:
    with system_access("test"):
        return list(AuditEntry.objects.for_tenant(tenant_id).order_by("sequence"))


def head(tenant_id: UUID) -> AuditChain:
    with system_access("test"):
        return AuditChain.objects.for_tenant(tenant_id).get()


@pytest.fixture
def company(committed_db: None) -> factories.Company:
    return factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")


class TestTheChain:
    def test_links_each_entry_to_the_one_before_when_it_commits(self, company: factories.Company) -> None:
        tenant_id = company.tenant.pk
        first = len(entries(tenant_id))
        for number in range(3):
            write(tenant_id, changes={"number": number})
        found, previous = entries(tenant_id), START
        assert [entry.sequence for entry in found] == list(range(1, first + 4))
        for entry in found:
            assert bytes(entry.digest) == digest(entry.facts)
            previous = link(previous=previous, sequence=entry.sequence or 0, entry_digest=bytes(entry.digest))
            assert bytes(entry.entry_hash or b"") == previous
        assert (head(tenant_id).last_sequence, bytes(head(tenant_id).last_hash)) == (first + 3, previous)

    def test_gives_no_number_to_what_is_rolled_back(self, company: factories.Company) -> None:
        tenant_id = company.tenant.pk
        write(tenant_id)
        before = head(tenant_id).last_sequence
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            write(tenant_id)
            raise ZeroDivisionError
        write(tenant_id)
        assert head(tenant_id).last_sequence == before + 1

    def test_is_each_tenants_own_and_the_platform_has_one_too(self, company: factories.Company) -> None:
        globex = factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max")
        counts = [len(entries(company.tenant.pk)), len(entries(globex.tenant.pk)), len(entries(audit.PLATFORM))]
        write(company.tenant.pk)
        write(globex.tenant.pk)
        with system_access("test"):
            audit.record(tenant_id=audit.PLATFORM, action="platform.changed", by=audit.SYSTEM)
        found = [entries(id) for id in (company.tenant.pk, globex.tenant.pk, audit.PLATFORM)]
        assert [each[-1].sequence for each in found] == [count + 1 for count in counts]

    def test_survives_many_at_once(self, company: factories.Company) -> None:
        tenant_id, before = company.tenant.pk, len(entries(company.tenant.pk))
        at_once([lambda: [write(tenant_id) for _ in range(5)] for _ in range(6)])
        assert [entry.sequence for entry in entries(tenant_id)] == list(range(1, before + 31))
        assert verified() == 0

    def test_holds_nobody_up_until_its_own_commit(self, company: factories.Company) -> None:
        """Two transactions that audit first and lock each other's rows in turn do not deadlock over the chain."""
        tenant_id, written, done = company.tenant.pk, threading.Event(), threading.Event()

        def slow() -> None:
            with tenant_scope(tenant_id):
                audit.record(tenant_id=tenant_id, action="slow.changed", by=audit.SYSTEM)
                written.set()
                assert done.wait(10)

        thread = threading.Thread(target=closing(slow))
        thread.start()
        assert written.wait(10)
        write(tenant_id, action="quick.changed")  # commits while the other transaction is still open
        done.set()
        thread.join(10)
        assert [entry.action for entry in entries(tenant_id)][-2:] == ["quick.changed", "slow.changed"]


class TestAnEntry:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entries SET action = 'nothing.happened'",
            "UPDATE audit_entries SET sequence = sequence + 100",
            "DELETE FROM audit_entries",
            "UPDATE audit_chains SET last_sequence = 0",
            "UPDATE audit_chains SET last_hash = decode('00', 'hex')",
            "DELETE FROM audit_chains",
        ],
    )
    def test_is_frozen_for_every_path(self, company: factories.Company, statement: str) -> None:
        write(company.tenant.pk)
        for scope in (lambda: tenant_scope(company.tenant.pk), lambda: system_access("test")):
            with pytest.raises(IntegrityError), scope():
                connection.cursor().execute(statement)
        assert verified() == 0

    def test_cannot_be_truncated(self, company: factories.Company) -> None:
        for table in ("audit_entries", "audit_chains"):
            with pytest.raises(psycopg.errors.RestrictViolation), as_owner() as owner:
                owner.execute(f"TRUNCATE {table}")

    def test_takes_no_number_of_its_writers(self, company: factories.Company) -> None:
        tenant_id = company.tenant.pk
        with tenant_scope(tenant_id):
            entry = audit.record(tenant_id=tenant_id, action="thing.changed", by=audit.SYSTEM)
            forged = AuditEntry(tenant_id=tenant_id, actor_kind="user", actor_name="X", action="x", sequence=1)
            forged.digest = digest(forged.facts)
            forged.save(force_insert=True)
        found = entries(tenant_id)
        assert [e.pk for e in found[-2:]] == [entry.pk, forged.pk]
        assert found[-1].sequence == len(found)

    def test_is_seen_by_its_tenant_alone(self, company: factories.Company) -> None:
        globex = factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max")
        key = write(company.tenant.pk)
        with tenant_scope(globex.tenant.pk):
            assert not AuditEntry.unscoped.filter(pk=key).exists()
            assert not AuditEntry.unscoped.filter(tenant_id=audit.PLATFORM).exists()


class TestVerifying:
    def test_finds_nothing_wrong_with_what_nobody_touched(self, company: factories.Company) -> None:
        write(company.tenant.pk, changes={"née": "Zoë", "n": 1, "price": "1.50", "list": [1, {"a": None}]})
        assert verified() == 0

    @pytest.mark.parametrize(
        ("tampering", "reason"),
        [
            ("UPDATE audit_entries SET actor_name = 'Somebody' WHERE id = %s", "says something else"),
            ("UPDATE audit_entries SET digest = sha256('x') WHERE id = %s", "says something else"),
            ("UPDATE audit_entries SET entry_hash = sha256('x') WHERE id = %s", "does not follow"),
            ("DELETE FROM audit_entries WHERE id = %s", "is missing"),
            ("UPDATE audit_entries SET sequence = NULL WHERE id = %s", "is missing"),
        ],
    )
    def test_names_the_first_broken_link(self, company: factories.Company, tampering: str, reason: str) -> None:
        tenant_id = company.tenant.pk
        write(tenant_id)
        key, place = write(tenant_id), len(entries(tenant_id))
        write(tenant_id)
        with as_owner() as owner:
            owner.execute("SET session_replication_role = replica")  # whoever owns the machine can lift triggers
            owner.execute(tampering, [key])
        out = StringIO()
        with pytest.raises(CommandError, match="1 chain is broken"):
            call_command("audit_verify", stdout=out)
        assert f"{company.tenant.slug}: entry {place} {reason}" in out.getvalue()

    def test_notices_that_the_last_entries_are_gone(self, company: factories.Company) -> None:
        write(company.tenant.pk)
        key, place = write(company.tenant.pk), len(entries(company.tenant.pk))
        with as_owner() as owner:
            owner.execute("SET session_replication_role = replica")
            owner.execute("DELETE FROM audit_entries WHERE id = %s", [key])
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("audit_verify", stdout=out)
        assert f"entry {place} is missing" in out.getvalue()

    def test_notices_an_entry_slipped_in_behind_the_head(self, company: factories.Company) -> None:
        write(company.tenant.pk)
        place = len(entries(company.tenant.pk))
        with as_owner() as owner:
            owner.execute("SET session_replication_role = replica")
            owner.execute(
                "INSERT INTO audit_entries SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(),"
                " 'sequence', sequence + 1))).* FROM audit_entries e WHERE sequence = %s AND tenant_id = %s",
                [place, company.tenant.pk],
            )
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("audit_verify", stdout=out)
        assert f"entry {place + 1} says something else" in out.getvalue()

    def test_looks_at_one_tenant_when_named(self, company: factories.Company) -> None:
        write(company.tenant.pk)
        out = StringIO()
        call_command("audit_verify", tenant=company.tenant.slug, stdout=out)
        assert out.getvalue().count("whole") == 1
        with pytest.raises(CommandError, match="no tenant"):
            call_command("audit_verify", tenant="nobody")


def verified() -> int:
    """Return 0 when every chain is whole; raise CommandError otherwise."""
    call_command("audit_verify", stdout=StringIO())
    return 0


def as_owner() -> psycopg.Connection:
    """Connect as whoever owns the tables."""
    import os

    return TestSession.inherited().connect(database=database_of(os.environ["DATABASE_URL"]))


def closing(work: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    return run


def at_once(works: list[Callable[[], Any]]) -> None:
    problems: list[BaseException] = []

    def guarded(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=closing(lambda work=work: guarded(work))) for work in works]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
