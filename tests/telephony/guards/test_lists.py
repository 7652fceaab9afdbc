"""The list of numbers not to call: by hand, by file, and asked before a call leaves."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.audit.models import AuditEntry
from accounts.tenancy import tenant_scope
from telephony.guards.models import DoNotCall
from tests import factories
from tests.accounts.identity.helpers import at_once
from tests.assertions import count
from tests.conftest import ApiClient
from tests.factories import Company

PATH = "/v1/do-not-call"
CALL = {"to": "+15550100212", "from": "+15550109999"}


@pytest.fixture
def client(acme_line: Company, api: Callable[[str | None], ApiClient]) -> ApiClient:
    return api(acme_line.api_key)


def upload(client: ApiClient, text: str | bytes) -> Any:
    return client.post(f"{PATH}/import", text, content_type="text/csv")


def noted(company: Company) -> list[tuple[str, Any]]:
    with tenant_scope(company.tenant.pk):
        found = (
            AuditEntry.objects.for_tenant(company.tenant.pk).filter(action__startswith="do_not_call.").order_by("id")
        )
        return [(entry.action, entry.changes) for entry in found]


def test_a_number_on_the_list_is_not_called_until_it_is_taken_off(client: ApiClient, acme: Company) -> None:
    first = client.post(PATH, {"number": "+1 (555) 010-0212", "note": "Asked"})
    again = client.post(PATH, {"number": "+15550100212", "note": "Another note"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (first.json()["number"], first.json()["note"]) == ("+15550100212", "Asked")

    refused = client.post("/v1/calls", CALL)
    assert (refused.status_code, refused.json()["code"]) == (422, "do-not-call")

    entry = f"{PATH}/{first.json()['id']}"
    assert [client.delete(entry).status_code for _ in range(2)] == [204, 404]
    assert client.post("/v1/calls", CALL).status_code == 202
    number = {"number": "+15550100212"}
    assert noted(acme) == [("do_not_call.added", number), ("do_not_call.removed", number)]


def test_is_listed_and_looked_up(client: ApiClient) -> None:
    for number in ("+15550100201", "+15550100202"):
        client.post(PATH, {"number": number})
    assert [row["number"] for row in client.get(PATH).json()["results"]] == ["+15550100202", "+15550100201"]
    [row] = client.get(f"{PATH}?number=%2B1%20555%200100201").json()["results"]
    assert row["number"] == "+15550100201"
    assert client.get(f"{PATH}?number=x").status_code == 422


@pytest.mark.parametrize("number", ["", "112", "not a number", "+1" * 30])
def test_what_is_no_number_is_refused(client: ApiClient, number: str) -> None:
    answer = client.post(PATH, {"number": number})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/number"


class TestAFile:
    def test_takes_what_is_right_and_names_what_is_wrong(self, client: ApiClient, acme: Company) -> None:
        client.post(PATH, {"number": "+15550100201", "note": "Mine"})
        text = "note,Number\r\n,+15550100201\r\nnew,+1 555 010 0202\r\n,\r\n,0202\r\n,+15550100202\r\n\r\n"
        answer = upload(client, text)
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert (said["added"], said["present"], said["refused"]) == (1, 1, 1)
        assert [error["pointer"] for error in said["errors"]] == ["/rows/3/number"]
        assert {row["number"]: row["note"] for row in client.get(PATH).json()["results"]} == {
            "+15550100201": "Mine",
            "+15550100202": "",
        }
        assert noted(acme)[-1] == ("do_not_call.imported", {"added": 1, "refused": 1})
        assert upload(client, text).json()["added"] == 0

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ("", "header"),
            ("name\nx\n", "header"),
            ("number,number\n1,2\n", "header"),
            (b"number\n\xff\n", "encoding"),
            ("number\n\0\n", "encoding"),
            ('number\n"x', "not-csv"),
            ("number\n" + "1\n" * 50_001, "too-many-rows"),
        ],
    )
    def test_that_is_none_changes_nothing(self, client: ApiClient, content: Any, code: str) -> None:
        answer = upload(client, content)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
        assert count(DoNotCall) == 0

    def test_of_many_wrong_rows_names_a_hundred(self, client: ApiClient) -> None:
        said = upload(client, "number\n" + "x\n" * 150).json()
        assert (said["refused"], len(said["errors"])) == (150, 100)

    def test_under_one_key_is_taken_once(self, client: ApiClient) -> None:
        key = {"Idempotency-Key": "f1"}
        first, again = (
            client.post(f"{PATH}/import", "number\n+15550100201\n", content_type="text/csv", headers=key)
            for _ in range(2)
        )
        assert first.json() == again.json()
        assert first.json()["added"] == 1


def test_eight_at_once_are_one_entry(committed_db: None) -> None:
    key = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona").api_key
    answers = at_once([lambda: ApiClient(key).post(PATH, {"number": "+15550100201"})] * 8)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count(DoNotCall) == 1
