"""A company's own copy of its data: everything in it, no secret, nothing of another's; who dies over it loses nothing."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.exports import contents, services
from accounts.exports.models import TenantExport
from accounts.exports.tasks import make_exports
from accounts.leaving import erasing
from accounts.tenancy import system_access, tenant_scope
from chat.models import ChatEvent
from common.errors import WrongState
from tests import factories
from tests.accounts.leaving.test_leaving import closed_since
from tests.matrix.world import MARK, World, build

PATH = "/v1/tenant/export"
# Named like a secret, and none: digests of what is in the archive itself, and names.
HARMLESS = {
    *("audit_entries.entry_hash", "audit_chains.last_hash", "usage_dedup.content_hash"),
    *("usage_reversals.content_hash", "chat_widgets.widget_key", "chat_messages.storage_key"),
    *("chat_attachments.storage_key", "usage_records.dedup_key"),
}
SECRET = re.compile(r"secret|password|token|hash$|sealed|private|storage_key|_key$")


def ask(client: Client) -> dict[str, Any]:
    answer = client.post(PATH, content_type="application/json")
    assert answer.status_code == 202, answer.content
    return dict(answer.json())


def fetch(client: Client, export_id: str, **headers: str) -> Any:
    return client.get(f"/v1/tenant/exports/{export_id}/file", headers=headers)


def unpacked(content: bytes) -> tuple[dict[str, list[dict[str, Any]]], dict[str, bytes], dict[str, Any]]:
    """Return (table → rows, path → file, the manifest)."""
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        rows = {
            Path(name).stem: [json.loads(line) for line in archive.read(name).splitlines()]
            for name in names
            if name.startswith("data/")
        }
        files = {name: archive.read(name) for name in names if name.startswith("files/")}
        return rows, files, json.loads(archive.read("manifest.json"))


def stored(tenant_id: UUID) -> list[Path]:
    folder = Path(settings.MEDIA_ROOT) / "exports" / tenant_id.hex
    return [path for path in folder.rglob("*") if path.is_file()]


def made(tenant_id: UUID) -> TenantExport:
    with tenant_scope(tenant_id):
        return TenantExport.objects.for_tenant(tenant_id).latest("created_at")


@pytest.fixture
def world(db: None) -> World:
    return build()


class TestAnArchive:
    def test_holds_every_row_and_file_and_nothing_of_another(
        self, world: World, signed_in: Callable[[Any], Client]
    ) -> None:
        owner, tenant_id = signed_in(world.acme.owner), world.acme.tenant.pk
        asked = ask(owner)
        assert (asked["status"], asked["url"]) == ("waiting", None)
        make_exports()
        done = owner.get(f"/v1/tenant/exports/{asked['id']}").json()
        assert (done["status"], done["done_count"]) == ("done", done["total_count"])
        content = b"".join(fetch(owner, asked["id"]).streaming_content)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (done["size_bytes"], done["sha256"])
        rows, files, manifest = unpacked(content)
        assert manifest["rows"] == {table: len(found) for table, found in rows.items()}
        assert manifest["files"] == len(files)
        assert {Path(name).suffix for name in files} == {".png", ".pdf", ".xml"}
        assert all(file.startswith((b"\x89PNG", b"%PDF", b"<?xml")) for file in files.values())
        with system_access("test"), connection.cursor() as cursor:
            cursor.execute(erasing.TABLES)
            for table, column in cursor.fetchall():
                if table in contents.left_out():
                    continue
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}" = %s', [tenant_id])
                grown = {"audit_entries", "audit_chains"}  # that the archive was asked for stands there too
                assert table in grown or len(rows.get(table, [])) == cursor.fetchone()[0], table
        assert MARK in json.dumps(rows["chat_messages"])
        assert [person["name"] for person in rows["users"] if person["name"] == "Alice"] == ["Alice"]
        assert {"chat_messages", "invoices", "calls", "usage_records", "memberships", "tenants"} <= set(rows)
        said = json.dumps(rows)
        assert world.globex.tenant.pk.hex not in said.replace("-", "")
        assert "Mallory" not in said

    def test_never_holds_a_secret(self, world: World, signed_in: Callable[[Any], Client]) -> None:
        owner = signed_in(world.acme.owner)
        asked = ask(owner)
        make_exports()
        rows, _, manifest = unpacked(b"".join(fetch(owner, asked["id"]).streaming_content))
        for table, columns in contents.withheld().items():
            assert not [row for row in rows.get(table, []) if set(columns) & set(row)]
        shown = {f"{table}.{column}" for table, found in rows.items() for row in found for column in row}
        assert {name for name in shown if SECRET.search(name.partition(".")[2])} <= HARMLESS
        assert manifest["withheld"]["webhook_endpoints"] == ["secret", "former_secret"]
        assert "password" not in rows["users"][0]

    def test_a_download_cut_short_goes_on(self, world: World, signed_in: Callable[[Any], Client]) -> None:
        owner = signed_in(world.acme.owner)
        asked = ask(owner)
        make_exports()
        whole = fetch(owner, asked["id"])
        content, etag = b"".join(whole.streaming_content), whole["ETag"]
        rest = fetch(owner, asked["id"], Range="bytes=1000-", **{"If-Range": etag})
        assert (rest.status_code, b"".join(rest.streaming_content)) == (206, content[1000:])

    def test_is_made_once_however_often_it_is_asked_for(self, world: World, signed_in: Callable[[Any], Client]) -> None:
        owner = signed_in(world.acme.owner)
        asked = ask(owner)
        again = owner.post(PATH, content_type="application/json")
        assert (again.status_code, again.json()["id"]) == (200, asked["id"])

    def test_is_not_there_before_it_is_made(self, world: World, signed_in: Callable[[Any], Client]) -> None:
        owner = signed_in(world.acme.owner)
        answer = fetch(owner, ask(owner)["id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "no-file")

    def test_reads_long_tables_part_by_part(
        self, world: World, signed_in: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "ROWS_A_PART", 2)
        owner = signed_in(world.acme.owner)
        asked = ask(owner)
        make_exports()
        rows, _, _ = unpacked(b"".join(fetch(owner, asked["id"]).streaming_content))
        with tenant_scope(world.acme.tenant.pk):
            assert len(rows["chat_events"]) == ChatEvent.objects.for_tenant(world.acme.tenant).count() > 2
        keys = [row["id"] for row in rows["memberships"]]
        assert len(keys) == len(set(keys)) > 2
        assert len(stored(world.acme.tenant.pk)) == 2  # this archive and the world's own: no part is left


class TestAWorkerThatDies:
    @pytest.mark.parametrize("at", [0, 1, 5, 30])
    def test_loses_nothing_and_reads_nothing_twice(
        self, world: World, signed_in: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch, at: int
    ) -> None:
        owner, tenant_id = signed_in(world.acme.owner), world.acme.tenant.pk
        asked = ask(owner)
        really, calls = services._add_part, [0]

        def die(*args: Any, **options: Any) -> bool:
            if calls[0] == at:
                raise KeyboardInterrupt
            calls[0] += 1
            return really(*args, **options)

        monkeypatch.setattr(services, "_add_part", die)
        monkeypatch.setattr(services, "ROWS_A_PART", 3)
        with pytest.raises(KeyboardInterrupt):
            make_exports()
        monkeypatch.setattr(services, "_add_part", really)
        make_exports()
        assert made(tenant_id).finished_at is None  # the lease of the dead one has not ended
        later = timezone.now() + services.LEASE + timedelta(seconds=1)
        assert services.make_archive(tenant_id=tenant_id, export_id=made(tenant_id).pk, clock=lambda: later)
        rows, _, _ = unpacked(b"".join(fetch(owner, asked["id"]).streaming_content))
        for table, found in rows.items():
            texts = [json.dumps(row, sort_keys=True) for row in found]
            assert len(texts) == len(set(texts)), table
        assert len(rows["users"]) >= 3
        assert "chat_events" in rows

    def test_too_late_is_told_that_another_goes_on(self, world: World, signed_in: Callable[[Any], Client]) -> None:
        tenant_id = world.acme.tenant.pk
        ask(signed_in(world.acme.owner))
        mine = services._lease(tenant_id, made(tenant_id).pk, timezone.now())
        assert mine is not None
        services._lease(tenant_id, mine.pk, timezone.now() + services.LEASE + timedelta(seconds=1))
        with pytest.raises(WrongState):
            services._add_part(mine, "tenants", None, now=timezone.now())

    def test_of_a_full_disk_leaves_a_failed_export(
        self, world: World, signed_in: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*args: Any) -> None:
            raise OSError(28, "No space left on device")

        owner = signed_in(world.acme.owner)
        asked = ask(owner)
        monkeypatch.setattr(default_storage, "save", full)
        make_exports()
        shown = owner.get(f"/v1/tenant/exports/{asked['id']}").json()
        assert (shown["status"], shown["url"]) == ("failed", None)
        assert "No space" not in shown["error"]
        assert ask(owner)["id"] != asked["id"]


def test_is_forgotten_after_a_week(world: World, signed_in: Callable[[Any], Client]) -> None:
    owner, tenant_id = signed_in(world.acme.owner), world.acme.tenant.pk
    asked = ask(owner)
    make_exports()
    assert len(stored(tenant_id)) == 2
    assert services.forget(now=timezone.now() + services.KEPT - timedelta(hours=1)) == 0
    assert services.forget(now=timezone.now() + services.KEPT + timedelta(hours=1)) == 2
    assert stored(tenant_id) == []
    assert owner.get(f"/v1/tenant/exports/{asked['id']}").status_code == 404


def test_goes_with_its_company(world: World, signed_in: Callable[[Any], Client]) -> None:
    tenant = world.acme.tenant
    ask(signed_in(world.acme.owner))
    make_exports()
    long_ago = timezone.now() - timedelta(days=31)
    closed_since(tenant, long_ago)
    erasing.erase(tenant_id=tenant.pk, now=timezone.now())
    assert stored(tenant.pk) == []


def test_every_column_that_sounds_like_a_secret_is_withheld(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        columns = cursor.fetchall()
    taken = {table.name for table in contents.tables()}
    withheld = {f"{table}.{column}" for table, names in contents.withheld().items() for column in names}
    sounding = {f"{table}.{column}" for table, column in columns if table in taken and SECRET.search(column)}
    assert sounding - withheld <= HARMLESS
    known = {f"{table}.{column}" for table, column in columns}
    assert withheld <= known


def test_two_who_ask_at_once_get_one(committed_db: None) -> None:
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    gate, found = Barrier(4), []

    def run() -> None:
        client = Client()
        client.force_login(acme.owner)
        gate.wait()
        found.append(client.post(PATH, content_type="application/json"))
        connection.close()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in found) == [200, 200, 200, 202]
    assert len({answer.json()["id"] for answer in found}) == 1
