"""`/v1/calls` over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.permissions import Role
from accounts.tenancy import tenant_scope
from telephony.models import Call, CallCommand, SipTrunk
from tests.conftest import ApiClient
from tests.factories import Company, add_person

Api = Callable[[str | None], ApiClient]
BODY = {"to": "+15550100203", "from": "+15550109999"}


def place(client: ApiClient, **changes: Any) -> Any:
    return client.post("/v1/calls", {**BODY, **changes})


def count(company: Company) -> int:
    with tenant_scope(company.tenant.pk):
        return Call.objects.for_tenant(company.tenant.pk).count()


def test_a_call_is_accepted_with_everything_known_of_it(acme_line: Company, api: Api):
    answer = place(
        api(acme_line.api_key), time_limit_seconds=600, metadata={"order": 7}, status_callback="https://x.example/cb"
    )

    body = answer.json()
    assert answer.status_code == 202
    assert body.pop("created_at").endswith("Z")
    assert body.pop("sid").startswith("CA")
    assert body == {
        "status": "queued",
        "direction": "outbound",
        "to": "+15550100203",
        "from": "+15550109999",
        "time_limit_seconds": 600,
        "status_callback": "https://x.example/cb",
        "metadata": {"order": 7},
        "ringing_at": None,
        "answered_at": None,
        "ended_at": None,
        "reason": None,
        "retry": None,
        "hangup_cause": None,
        "q850": None,
        "sip_status": None,
        "hangup_source": None,
        "estimated": False,
        "billed_seconds": 0,
        "price": None,
        "currency": "USD",
        "price_final": False,
    }


def test_the_same_key_places_one_call(acme_line: Company, api: Api):
    client = api(acme_line.api_key)
    keyed = {"headers": {"Idempotency-Key": "order-7"}}

    first = client.post("/v1/calls", BODY, **keyed)
    second = client.post("/v1/calls", BODY, **keyed)
    other = client.post("/v1/calls", {**BODY, "to": "+15550100200"}, **keyed)

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert count(acme_line) == 1


def test_a_dry_run_writes_nothing(acme_line: Company, api: Api):
    answer = place(api(acme_line.api_key), dry_run=True)

    assert (answer.status_code, answer.json()) == (
        200,
        {"dry_run": True, "to": "+15550100203", "from": "+15550109999", "trunk": "Carrier"},
    )
    assert count(acme_line) == 0


WRONG = [
    ({"to": "911"}, "/to", "emergency-number"),
    ({"to": "5550100"}, "/to", "not-e164"),
    ({"to": ""}, "/to", "blank"),
    ({"to": None}, "/to", "null"),
    ({"to": "',a=x}${system(id)}"}, "/to", "not-e164"),
    ({"to": "+15550100203\r\napi system id"}, "/to", "not-e164"),
    ({"from": "+15550100777"}, "/from", "not-your-number"),
    ({"from": "Acme"}, "/from", "not-e164"),
    ({"to": "+4930123456"}, "", "no-rate"),
    ({"time_limit_seconds": 0}, "/time_limit_seconds", "min-value"),
    ({"time_limit_seconds": 14401}, "/time_limit_seconds", "max-value"),
    ({"record": True}, "/record", "not-available"),
    ({"status_callback": "ftp://x.example/"}, "/status_callback", "bad-url"),
    ({"status_callback": "no address"}, "/status_callback", "invalid"),
    ({"metadata": []}, "/metadata", "not-an-object"),
    ({"metadata": {"a": "x" * 4096}}, "/metadata", "too-large"),
    ({"metadata": {"a": "\0"}}, "/metadata", "nul"),
    ({"caller_name": "x"}, "/caller_name", "unknown"),
]


@pytest.mark.parametrize(("change", "pointer", "code"), WRONG)
def test_a_wrong_value_is_named_and_nothing_written(
    acme_line: Company, api: Api, change: dict[str, Any], pointer: str, code: str
):
    answer = place(api(acme_line.api_key), **change)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    if pointer:
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    else:
        assert problem["code"] == code
    assert count(acme_line) == 0


def test_without_a_trunk_there_is_no_way_out(acme: Company, acme_line: Company, api: Api):
    with tenant_scope(acme.tenant.pk):
        SipTrunk.objects.for_tenant(acme.tenant.pk).delete()

    answer = place(api(acme_line.api_key))

    assert (answer.status_code, answer.json()["code"]) == (409, "no-trunk")


def test_lists_newest_first_by_status(acme_line: Company, api: Api):
    client = api(acme_line.api_key)
    sids = [place(client).json()["sid"] for _ in range(3)]
    client.post(f"/v1/calls/{sids[0]}/hangup")

    assert [row["sid"] for row in client.get("/v1/calls").json()["results"]] == sids[::-1]
    assert [row["sid"] for row in client.get("/v1/calls?status=canceled").json()["results"]] == sids[:1]
    page = client.get("/v1/calls?limit=2").json()
    assert [row["sid"] for row in client.get(page["next"]).json()["results"]] == sids[:1]
    assert client.get("/v1/calls?status=gone").status_code == 422


def test_the_timeline_is_read_in_pieces(acme_line: Company, api: Api):
    client = api(acme_line.api_key)
    sid = place(client).json()["sid"]
    client.post(f"/v1/calls/{sid}/hangup")

    whole = client.get(f"/v1/calls/{sid}/events").json()
    piece = client.get(f"/v1/calls/{sid}/events?limit=2").json()
    rest = client.get(piece["next"]).json()

    assert [event["type"] for event in whole["results"]] == ["queued", "hangup_requested", "canceled"]
    assert [event["seq"] for event in piece["results"] + rest["results"]] == [1, 2, 3]
    assert (whole["next"], rest["next"]) == (None, None)
    assert client.get(f"/v1/calls/{sid}/events?after_seq=-1").status_code == 422


def test_a_call_not_dialled_yet_is_canceled_by_a_hangup(acme_line: Company, api: Api):
    client = api(acme_line.api_key)
    sid = place(client).json()["sid"]

    answer, again = client.post(f"/v1/calls/{sid}/hangup"), client.post(f"/v1/calls/{sid}/hangup")

    assert (answer.status_code, answer.json()["status"]) == (202, "canceled")
    assert (again.status_code, again.json()["code"]) == (409, "call-ended")


def test_mallory_finds_nothing_and_changes_nothing(acme_line: Company, globex: Company, api: Api):
    sid = place(api(acme_line.api_key)).json()["sid"]
    mallory = api(globex.api_key)

    answers = [
        mallory.get(f"/v1/calls/{sid}"),
        mallory.get(f"/v1/calls/{sid}/events"),
        mallory.post(f"/v1/calls/{sid}/hangup"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert mallory.get("/v1/calls").json()["results"] == []
    assert place(mallory).status_code == 422
    assert api(acme_line.api_key).get(f"/v1/calls/{sid}").json()["status"] == "queued"
    assert (count(acme_line), count(globex)) == (1, 0)


@pytest.mark.parametrize("sid", ["CA", "CA" + "0" * 32, "x", "CA" + "g" * 32, "%00"])
def test_an_id_of_nothing_is_not_found(acme_line: Company, api: Api, sid: str):
    client = api(acme_line.api_key)

    assert client.get(f"/v1/calls/{sid}").status_code == 404
    assert client.post(f"/v1/calls/{sid}/hangup").status_code == 404


def test_nobody_calls_without_signing_in(acme_line: Company, api: Api):
    assert place(api(None)).status_code == 401
    assert count(acme_line) == 0


@pytest.mark.parametrize(("role", "may_read", "may_place"), [(Role.READ_ONLY, 200, 403), (Role.FINANCE, 403, 403)])
def test_roles_hold(
    acme_line: Company,
    signed_in: Callable[[Any], Any],
    role: Role,
    may_read: int,
    may_place: int,
):
    person = add_person(acme_line, "Rita", role).user

    client = signed_in(person)

    assert client.get("/v1/calls").status_code == may_read
    assert client.post("/v1/calls", BODY, content_type="application/json").status_code == may_place
    with tenant_scope(acme_line.tenant.pk):
        assert not CallCommand.objects.for_tenant(acme_line.tenant.pk).exists()
