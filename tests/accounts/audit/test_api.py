"""`/v1/audit-log`: filtered, page by page, and as a file no spreadsheet runs."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import audit
from accounts.audit import api
from accounts.audit.canonical import digest
from accounts.audit.models import AuditEntry
from accounts.tenancy import system_access, tenant_scope
from tests import factories
from tests.conftest import ApiClient

PATH = "/v1/audit-log"


def write(company: factories.Company, action: str = "thing.changed", **more: Any) -> None:
    by = more.pop("by", audit.SYSTEM)
    at = more.pop("at", None)
    with tenant_scope(company.tenant.pk):
        if at is None:
            audit.record(tenant_id=company.tenant.pk, action=action, by=by, **more)
            return
        entry = AuditEntry(tenant_id=company.tenant.pk, actor_kind="system", action=action, created_at=at)
        entry.digest = digest(entry.facts)
        entry.save(force_insert=True)


@pytest.fixture
def client(acme: factories.Company) -> ApiClient:
    return ApiClient(acme.api_key)


def actions(client: ApiClient, query: str = "") -> list[str]:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.content
    return [entry["action"] for entry in answer.json()["results"]]


def test_tells_a_tenants_own_newest_first(
    acme: factories.Company, globex: factories.Company, client: ApiClient
) -> None:
    for number in range(3):
        write(acme, f"thing.happened_{number}")
    write(globex, "their.secret")
    with system_access("test"):
        audit.record(tenant_id=audit.PLATFORM, action="platform.secret", by=audit.SYSTEM)
    assert actions(client, "action=thing.") == [f"thing.happened_{number}" for number in (2, 1, 0)]
    assert not {"their.secret", "platform.secret"} & set(actions(client))


def test_filters_by_who_what_and_about_what(acme: factories.Company, client: ApiClient) -> None:
    alice = audit.Actor("user", "Alice", acme.owner.pk)
    write(acme, "one.changed", by=alice, object_id="ak_1")
    write(acme, "two.changed", by=audit.Actor("user", "Bob", acme.agent.pk), object_id=str(acme.tenant.pk))
    by_alice = [f"actor=us_{acme.owner.pk.hex}", "actor=alice", "actor=Alice"]
    assert [actions(client, query) for query in by_alice] == [["one.changed"]] * 3
    assert actions(client, "action=two.changed") == ["two.changed"]
    assert actions(client, "object=ak_1") == ["one.changed"]
    assert actions(client, f"object=tn_{acme.tenant.pk.hex}") == ["two.changed"]
    assert actions(client, "actor=alice&action=two.changed") == []


def test_filters_by_the_tenants_own_days(db: None) -> None:
    acme = factories.make_company("Acme", owner="A", agent="B", finance="C", timezone="Asia/Tokyo")
    client = ApiClient(acme.api_key)
    write(acme, "thing.late", at=datetime(2026, 3, 9, 14, 59, 59, tzinfo=UTC))  # 23:59:59 in Tokyo
    write(acme, "thing.early", at=datetime(2026, 3, 9, 15, 0, tzinfo=UTC))  # midnight there
    assert actions(client, "action=thing.&end_date=2026-03-09") == ["thing.late"]
    assert actions(client, "action=thing.&start_date=2026-03-10") == ["thing.early"]
    assert actions(client, "action=thing.&start_date=2026-03-09&end_date=2026-03-10") == ["thing.early", "thing.late"]


@pytest.mark.parametrize(
    "query",
    ["start_date=x", "end_date=2026-02-30", "start_date=2026-03-02&end_date=2026-03-01", "cursor=x", "limit=0",
     "actor=%00", "action=" + "x" * 255],
)  # fmt: skip
def test_refuses_nonsense(client: ApiClient, query: str) -> None:
    for path in (PATH, f"{PATH}/export"):
        answer = client.get(f"{path}?file_format=csv&{query}")
        if path == PATH or not query.startswith(("cursor", "limit")):
            assert answer.status_code == 422, (path, answer.content)


def test_pages_are_stable_while_entries_arrive(acme: factories.Company, client: ApiClient) -> None:
    for number in range(5):
        write(acme, f"thing.happened_{number}")
    first = client.get(f"{PATH}?action=thing.&limit=2").json()
    write(acme, "thing.happened_5")
    second = client.get(first["next"]).json()
    seen = [entry["action"] for page in (first, second) for entry in page["results"]]
    assert seen == [f"thing.happened_{number}" for number in (4, 3, 2, 1)]


class TestTheFile:
    def test_is_csv_that_no_spreadsheet_runs(self, acme: factories.Company, client: ApiClient) -> None:
        write(acme, by=audit.Actor("user", "=cmd()", acme.owner.pk), changes={"née": "Zoë"})
        answer = client.get(f"{PATH}/export?file_format=csv&action=thing.changed")
        assert answer["Content-Disposition"].endswith('.csv"')
        [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (row["actor_name"], row["action"]) == ("'=cmd()", "thing.changed")
        assert json.loads(row["changes"]) == {"née": "Zoë"}

    def test_is_one_json_object_a_line_the_oldest_first(self, acme: factories.Company, client: ApiClient) -> None:
        for number in range(3):
            write(acme, f"thing.happened_{number}")
        answer = client.get(f"{PATH}/export?file_format=jsonl&action=thing.")
        lines = [json.loads(line) for line in answer.content.splitlines()]
        assert [line["action"] for line in lines] == [f"thing.happened_{number}" for number in range(3)]

    def test_is_itself_in_the_log(self, client: ApiClient) -> None:
        client.get(f"{PATH}/export?file_format=csv&actor=Alice")
        [entry] = client.get(f"{PATH}?action=audit_log.exported").json()["results"]
        assert entry["changes"]["filters"] == {"actor": "Alice"}
        assert entry["actor"]["kind"] == "api_key"

    def test_has_an_end(self, acme: factories.Company, client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "MOST_EXPORTED", 1)
        for _ in range(2):
            write(acme)
        answer = client.get(f"{PATH}/export?file_format=csv&action=thing.changed")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too-much")

    @pytest.mark.parametrize("query", ["", "file_format=pdf"])
    def test_comes_in_two_forms(self, client: ApiClient, query: str) -> None:
        assert client.get(f"{PATH}/export?{query}").status_code == 422
