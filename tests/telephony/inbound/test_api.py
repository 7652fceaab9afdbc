"""Extensions and numbers' routes over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.tenancy import tenant_scope
from common.ids import encode
from telephony.inbound.models import Extension, NumberRoute
from telephony.models import PhoneNumber
from tests.conftest import ApiClient
from tests.factories import Company

Api = Callable[[str | None], ApiClient]


@pytest.fixture
def client(acme_line: Company, api: Api) -> ApiClient:
    return api(acme_line.api_key)


@pytest.fixture
def path(acme_line: Company) -> str:
    with tenant_scope(acme_line.tenant.pk):
        return f"/v1/phone-numbers/{encode('pn', PhoneNumber.objects.for_tenant(acme_line.tenant.pk).get().pk)}/route"


def put(client: ApiClient, path: str, body: dict[str, Any]) -> Any:
    return client.put(path, body, content_type="application/json")


def refusals(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_a_password_is_shown_once_and_a_replay_shows_none(client: ApiClient, acme: Company):
    body = {"number": "101", "label": "Desk", "user": encode("us", acme.agent.pk)}
    first, again = (client.post("/v1/extensions", body, headers={"Idempotency-Key": "k1"}) for _ in range(2))

    assert first.status_code == again.status_code == 201
    assert len(first.json()["password"]) == 24
    assert again.json() == {**first.json(), "password": None}
    assert first.json()["user"] == {"id": encode("us", acme.agent.pk), "name": "Bob"}
    assert "password" not in client.get(f"/v1/extensions/{first.json()['id']}").json()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"number": "1"}, "/number"),
        ({"number": "101", "user": "us_nobody"}, "/user"),
        ({"number": "101", "user": "us_" + "0" * 32}, "/user"),
        ({"number": "101", "password": "mine"}, "/password"),
        ({}, "/number"),
    ],
)
def test_a_wrong_extension_is_refused_with_a_pointer(client: ApiClient, acme: Company, body: Any, pointer: str):
    assert [p for p, _ in refusals(client.post("/v1/extensions", body))] == [pointer]
    with tenant_scope(acme.tenant.pk):
        assert Extension.objects.for_tenant(acme.tenant.pk).count() == 0


def test_an_extension_a_number_leads_to_stays(client: ApiClient, path: str):
    made = client.post("/v1/extensions", {"number": "101"}).json()["id"]
    assert put(client, path, {"kind": "extension", "extension": made}).status_code == 200

    assert client.delete(f"/v1/extensions/{made}").json()["code"] == "in-use"
    assert client.delete(path).status_code == 204
    assert client.delete(f"/v1/extensions/{made}").status_code == 204
    assert client.get(path).status_code == 404


def test_a_route_that_leads_elsewhere_forgets_where_it_led(client: ApiClient, path: str):
    made = client.post("/v1/extensions", {"number": "101"}).json()["id"]
    put(client, path, {"kind": "extension", "extension": made})

    answer = put(client, path, {"kind": "sip_uri", "sip_uri": "sip:desk@pbx.example.com:5080"})

    shown = {"kind": "sip_uri", "queue": None, "extension": None, "sip_uri": "sip:desk@pbx.example.com:5080"}
    assert answer.json() == client.get(path).json() == shown


WRONG_ROUTES = [
    ({"kind": "fax"}, "/kind", "invalid-choice"),
    ({"kind": "flow"}, "/kind", "invalid-choice"),
    ({"kind": "queue", "queue": "qu_" + "0" * 32}, "/queue", "not-found"),
    ({"kind": "extension", "extension": "101"}, "/extension", "not-found"),
]
NO_SIP_URI = [
    "", "desk@pbx.example.com", "sips:desk@pbx.example.com", "sip:desk@", "sip:de sk@x.example", "sip:a@x.example;x=1",
    "sip:a@x.example\r\nX: y", "sip:${system(id)}@x.example", "sip:a,b@x.example", "sip:a@x.example|error/USER_BUSY",
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [*WRONG_ROUTES, *(({"kind": "sip_uri", "sip_uri": uri}, "/sip_uri", "no-sip-uri") for uri in NO_SIP_URI)],
)
def test_a_route_that_leads_nowhere_is_refused(
    client: ApiClient, path: str, acme: Company, body: Any, pointer: str, code: str
):
    assert refusals(put(client, path, body)) == [(pointer, code)]
    with tenant_scope(acme.tenant.pk):
        assert NumberRoute.objects.for_tenant(acme.tenant.pk).count() == 0


def test_another_companys_targets_are_not_there(client: ApiClient, path: str, globex: Company, api: Api):
    theirs = api(globex.api_key).post("/v1/queues", {"name": "Theirs"}).json()["id"]

    assert refusals(put(client, path, {"kind": "queue", "queue": theirs})) == [("/queue", "not-found")]
    assert put(api(globex.api_key), path, {"kind": "queue", "queue": theirs}).status_code == 404
