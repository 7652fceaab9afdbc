"""Leaving: a company is shut out at once, reopened for 30 days, and erased after them; only what the law keeps stays."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.audit.models import AuditEntry
from accounts.leaving import erasing, services
from accounts.leaving.kept import kept_tables
from accounts.models import Tenant, User
from accounts.tenancy import system_access, tenant_scope
from chat.models import Attachment
from common.errors import WrongState
from telephony.models import Call
from tests import factories
from tests.conftest import ApiClient
from tests.matrix.world import build

PATH = "/v1/tenant/close"
LONG_AGO = services.KEPT + timedelta(hours=1)  # the database measures by its own clock: the transaction's beginning


def close(client: Client, password: str = factories.PASSWORD) -> Any:
    return client.post(PATH, {"password": password}, content_type="application/json")


def company(tenant: Tenant) -> Tenant:
    with system_access("test"):
        return Tenant.objects.get(pk=tenant.pk)


def closed_since(tenant: Tenant, moment: datetime) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=tenant.pk).update(status=Tenant.Status.CLOSED)
        Tenant.objects.filter(pk=tenant.pk).update(closed_at=moment)


def rows_of(tenant: Tenant) -> dict[str, int]:
    """Return table → rows of a tenant, of every table that bears its id."""
    found = {}
    with system_access("test"), connection.cursor() as cursor:
        cursor.execute(erasing.TABLES)
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}" = %s', [tenant.pk])
            found[table] = cursor.fetchone()[0]
    return {table: count for table, count in found.items() if count}


class TestClosing:
    def test_shuts_everybody_out_at_once(self, acme: factories.Company, signed_in: Callable[[Any], Client]) -> None:
        owner, agent, key = signed_in(acme.owner), signed_in(acme.agent), ApiClient(acme.api_key)
        answer = close(owner)
        assert (answer.status_code, answer.json()["status"]) == (200, "closed")
        assert [client.get("/v1/me").status_code for client in (owner, agent, key)] == [403, 403, 403]
        with tenant_scope(acme.tenant.pk):
            entry = AuditEntry.objects.for_tenant(acme.tenant).get(action="tenant.closed")
        assert (entry.actor_name, entry.changes) == ("Alice", {"status": {"from": "trial", "to": "closed"}})

    def test_ends_the_calls_under_way(self, db: None) -> None:
        world = build()
        assert close(world.callers["owner"]()).status_code == 200
        with tenant_scope(world.acme.tenant.pk):
            calls = Call.objects.for_tenant(world.acme.tenant)
            assert [bool(call.cancel_requested_at or call.ended_at) for call in calls] == [True] * len(calls)
            assert len(calls) >= 1

    def test_is_the_owners_who_knows_the_password(
        self, acme: factories.Company, signed_in: Callable[[Any], Client]
    ) -> None:
        assert close(signed_in(acme.owner), "wrong").status_code == 422
        assert close(signed_in(acme.agent)).status_code == 403
        assert close(ApiClient(acme.api_key)).status_code == 403
        assert company(acme.tenant).status == Tenant.Status.TRIAL

    def test_lets_nobody_guess_the_password_for_long(
        self, acme: factories.Company, signed_in: Callable[[Any], Client]
    ) -> None:
        client = signed_in(acme.owner)
        assert [close(client, f"guess {n}").status_code for n in range(6)] == [422] * 5 + [429]

    def test_remembers_when_on_every_path(self, acme: factories.Company) -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status="closed")
            assert Tenant.objects.get(pk=acme.tenant.pk).closed_at is not None
            acme.tenant.status, acme.tenant.closed_at = Tenant.Status.CLOSED, None
            acme.tenant.save()  # of before it was closed
            assert Tenant.objects.get(pk=acme.tenant.pk).closed_at is not None


class TestReopening:
    def test_lets_everybody_in_again(self, acme: factories.Company, signed_in: Callable[[Any], Client]) -> None:
        close(signed_in(acme.owner))
        for _ in range(2):
            services.reopen(tenant_id=acme.tenant.pk, actor=audit.SYSTEM, now=timezone.now())
        assert ApiClient(acme.api_key).get("/v1/me").status_code == 200
        assert company(acme.tenant).closed_at is None

    def test_is_too_late_after_30_days(self, acme: factories.Company) -> None:
        now = timezone.now()
        closed_since(acme.tenant, now - LONG_AGO)
        with pytest.raises(WrongState):
            services.reopen(tenant_id=acme.tenant.pk, actor=audit.SYSTEM, now=now)
        assert company(acme.tenant).status == Tenant.Status.CLOSED

    def test_of_an_erased_one_is_refused_by_the_database(self, acme: factories.Company) -> None:
        now = timezone.now()
        closed_since(acme.tenant, now - LONG_AGO)
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(erased_at=now)
        with pytest.raises(IntegrityError), system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status="active")


class TestErasing:
    def test_leaves_nothing_but_what_is_kept_and_touches_nobody_else(self, db: None) -> None:
        world, now = build(), timezone.now()
        acme, globex = world.acme.tenant, world.globex.tenant
        people = {world.acme.owner.pk, world.acme.agent.pk, world.acme.finance.pk}
        both = factories.make_user("Both")
        for tenant in (acme, globex):
            with tenant_scope(tenant.pk):
                from accounts.permissions import Role
                from accounts.services import add_member

                add_member(tenant_id=tenant.pk, user=both, role=Role.AGENT)
        with tenant_scope(acme.pk):
            keys = list(Attachment.objects.for_tenant(acme).values_list("storage_key", flat=True))
        connection.check_constraints()  # the audit chains are made now, as at a commit
        before, theirs = rows_of(acme), rows_of(globex)
        closed_since(acme, now - LONG_AGO)
        counts = erasing.erase(tenant_id=acme.pk, now=now)
        connection.check_constraints()
        left = rows_of(acme)
        assert set(left) <= set(kept_tables())
        assert {table: before[table] for table in before if table in kept_tables()} == left
        assert set(counts) == set(before) - set(left)
        assert rows_of(globex) == theirs
        assert keys
        assert not any(default_storage.exists(key) for key in keys if key)
        assert not User.objects.filter(pk__in=people).exists()
        assert User.objects.filter(pk__in=[both.pk, world.globex.owner.pk]).count() == 2
        stored = company(acme)
        assert (stored.name, stored.billing_email, stored.erased_at) == ("Erased company", "", now)
        with system_access("test"):
            entries = AuditEntry.objects.for_tenant(audit.PLATFORM).filter(action="tenant.erased")
            assert entries.count() == 1
        assert erasing.erase(tenant_id=acme.pk, now=now) == {}
        with system_access("test"):
            assert entries.count() == 1

    def test_keeps_only_tables_that_are_there(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(erasing.TABLES)
            there = {table for table, _ in cursor.fetchall()}
        assert set(kept_tables()) <= there
        assert {place.table for place in erasing.plan()} == there - set(kept_tables())

    @pytest.mark.parametrize("how", ["open", "suspended", "closed lately"])
    def test_touches_nobody_before_the_time(self, acme: factories.Company, how: str) -> None:
        now = timezone.now()
        if how == "closed lately":
            closed_since(acme.tenant, now - services.KEPT + timedelta(minutes=1))
        elif how == "suspended":
            with system_access("test"):
                Tenant.objects.filter(pk=acme.tenant.pk).update(status="suspended")
        before = rows_of(acme.tenant)
        assert erasing.erase_due(now=now) == 0
        assert erasing.erase(tenant_id=acme.tenant.pk, now=now) == {}
        assert rows_of(acme.tenant) == before
        assert company(acme.tenant).name == "Acme"

    def test_goes_on_where_it_was_broken_off(self, acme: factories.Company, monkeypatch: pytest.MonkeyPatch) -> None:
        now = timezone.now()
        closed_since(acme.tenant, now - LONG_AGO)
        connection.check_constraints()
        whole = erasing._erase_batch

        def dying(tenant_id: Any, place: erasing.Place, now: datetime) -> int:
            if place.table == "memberships":
                raise ZeroDivisionError
            return whole(tenant_id, place, now)

        monkeypatch.setattr(erasing, "_erase_batch", dying)
        assert erasing.erase_due(now=now) == 1  # logged, and left to the next night
        assert company(acme.tenant).erased_at is None
        monkeypatch.setattr(erasing, "_erase_batch", whole)
        erasing.erase_due(now=now)
        assert set(rows_of(acme.tenant)) <= set(kept_tables())
        assert company(acme.tenant).erased_at == now

    def test_is_done_once_by_two_at_once(self, committed_db: None) -> None:
        from django.db import connections

        acme, now = factories.make_company("Acme", owner="A", agent="B", finance="C"), timezone.now()
        closed_since(acme.tenant, now - LONG_AGO)

        def work() -> None:
            try:
                erasing.erase_due(now=now)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        with system_access("test"):
            assert AuditEntry.objects.for_tenant(audit.PLATFORM).filter(action="tenant.erased").count() == 1
        assert set(rows_of(acme.tenant)) <= set(kept_tables())
