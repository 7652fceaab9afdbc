"""Flows and sessions over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.tenancy import tenant_scope
from telephony.ivr.models import IvrFlow, IvrFlowVersion
from tests.conftest import ApiClient
from tests.factories import Company
from tests.telephony.ivr.test_definition import QUEUE, SAY, flow

Api = Callable[[str | None], ApiClient]


@pytest.fixture
def client(acme: Company, api: Api) -> ApiClient:
    return api(acme.api_key)


def draw(client: ApiClient, definition: Any, name: str = "Main") -> Any:
    return client.post("/v1/ivr/flows", {"name": name, "definition": definition})


def patch(client: ApiClient, id: str, body: Any) -> Any:
    return client.patch(f"/v1/ivr/flows/{id}", body, content_type="application/json")


def test_a_draft_is_kept_with_its_mistakes_and_not_published(client: ApiClient, acme: Company):
    broken = flow(a={**SAY, "next": "b"})
    made = draw(client, broken)

    problem = {"pointer": "/nodes/a/next", "code": "no-such-node", "detail": "There is no node 'b'."}
    assert (made.status_code, made.json()["definition"], made.json()["problems"]) == (201, broken, [problem])
    refused = client.post(f"/v1/ivr/flows/{made.json()['id']}/publish")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{**problem, "pointer": "/definition/nodes/a/next"}]
    with tenant_scope(acme.tenant.pk):
        assert IvrFlowVersion.objects.for_tenant(acme.tenant.pk).count() == 0


def test_calls_hear_the_published_version_until_the_next(client: ApiClient, acme: Company):
    id = draw(client, flow(a=SAY)).json()["id"]
    first, again = (client.post(f"/v1/ivr/flows/{id}/publish").json() for _ in range(2))
    changed = patch(client, id, {"definition": flow(b=SAY)})

    assert (first["version"], again["version"], changed.json()["published_version"]) == (1, 1, 1)
    assert client.post(f"/v1/ivr/flows/{id}/publish").json()["version"] == 2
    with tenant_scope(acme.tenant.pk):
        kept = IvrFlowVersion.objects.for_tenant(acme.tenant.pk).order_by("number")
        assert [version.definition["start"] for version in kept] == ["a", "b"]


def test_a_flow_names_what_is_there(client: ApiClient, api: Api, globex: Company):
    theirs = api(globex.api_key).post("/v1/queues", {"name": "Theirs"}).json()["id"]
    definition = flow(
        a={"type": "queue", "queue": QUEUE, "next": "b"},
        b={"type": "queue", "queue": theirs, "next": "c"},
        c={"type": "transfer", "extension": "101", "next": "d"},
        d={"type": "play", "url": "http://x.example/"},
    )

    problems = draw(client, definition).json()["problems"]

    assert {(problem["pointer"], problem["code"]) for problem in problems} == {
        ("/nodes/a/queue", "not-found"),
        ("/nodes/b/queue", "not-found"),
        ("/nodes/c/extension", "not-found"),
        ("/nodes/d/url", "url-not-allowed"),
    }


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        ([], "not-an-object"),
        ("x", "not-an-object"),
        (None, "null"),
        ({"start": "\0"}, "nul"),
        ({"start": "x" * 70_000}, "too-large"),
    ],
)
def test_what_can_not_be_kept_is_refused(client: ApiClient, acme: Company, definition: Any, code: str):
    answer = draw(client, definition)

    assert answer.status_code == 422, answer.content
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/definition", code)]
    with tenant_scope(acme.tenant.pk):
        assert IvrFlow.objects.for_tenant(acme.tenant.pk).count() == 0


def test_a_name_is_taken_once(client: ApiClient):
    assert draw(client, {}).status_code == 201
    assert draw(client, {}).json()["code"] == "name-taken"
    other = draw(client, {}, "Other").json()["id"]
    assert patch(client, other, {"name": "Main"}).status_code == 409


def test_a_repeat_with_a_key_draws_one_flow(client: ApiClient, acme: Company):
    for _ in range(2):
        client.post("/v1/ivr/flows", {"name": "Main", "definition": {}}, headers={"Idempotency-Key": "k"})
    with tenant_scope(acme.tenant.pk):
        assert IvrFlow.objects.for_tenant(acme.tenant.pk).count() == 1


def test_sessions_are_listed_by_status(client: ApiClient):
    assert client.get("/v1/ivr/sessions?status=active").json() == {"results": [], "next": None, "previous": None}
    assert client.get("/v1/ivr/sessions?status=asleep").status_code == 422
