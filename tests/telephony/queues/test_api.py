"""Queues over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from common.ids import encode
from tests.conftest import ApiClient
from tests.factories import Company

Api = Callable[[str | None], ApiClient]


@pytest.fixture
def client(acme: Company, api: Api) -> ApiClient:
    return api(acme.api_key)


def make(client: ApiClient, **body: Any) -> Any:
    return client.post("/v1/queues", {"name": "Support", **body})


def patch(client: ApiClient, id: str, **body: Any) -> Any:
    return client.patch(f"/v1/queues/{id}", body, content_type="application/json")


def staff(client: ApiClient, id: str, *members: Any) -> Any:
    return client.put(f"/v1/queues/{id}/members", {"members": members}, content_type="application/json")


def refusals(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_a_queue_is_made_with_the_usual_patience(client: ApiClient):
    answer = make(client, skills=["german", "billing", "german"], announce_position=False)

    body = answer.json()
    assert answer.status_code == 201
    assert body.pop("id").startswith("qu_")
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "name": "Support",
        "skills": ["billing", "german"],
        "announce_position": False,
        "announce_every_seconds": 45,
        "ring_seconds": 20,
        "wrap_up_seconds": 10,
        "max_wait_seconds": 600,
        "max_waiting": 100,
        "overflow": "hangup",
        "overflow_queue": None,
        "is_active": True,
    }


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"name": ""}, "/name", "blank"),
        ({"ring_seconds": 4}, "/ring_seconds", "min-value"),
        ({"skills": ["a b"]}, "/skills/0", "invalid"),
        ({"overflow": "queue"}, "/overflow_queue", "not-found"),
        ({"overflow": "flow"}, "/overflow", "invalid-choice"),
        ({"overflow": "queue", "overflow_queue": "other"}, "/overflow_queue", "not-found"),
        ({"colour": "red"}, "/colour", "unknown"),
    ],
)
def test_a_wrong_queue_is_refused_with_a_pointer(client: ApiClient, body: Any, pointer: str, code: str):
    assert refusals(make(client, **body)) == [(pointer, code)]
    assert client.get("/v1/queues").json()["results"] == []


def test_a_queue_never_overflows_into_itself_and_is_kept_while_another_does(client: ApiClient):
    first = make(client).json()["id"]
    second = make(client, name="Second", overflow="queue", overflow_queue=first).json()["id"]

    assert refusals(patch(client, first, overflow="queue", overflow_queue=first)) == [("/overflow_queue", "not-found")]
    assert client.delete(f"/v1/queues/{first}").json()["code"] == "in-use"
    assert client.delete(f"/v1/queues/{second}").status_code == 204
    assert client.delete(f"/v1/queues/{first}").status_code == 204


def test_exactly_those_named_serve_a_queue(client: ApiClient, acme: Company):
    id = make(client).json()["id"]
    bob, alice = (encode("us", user.pk) for user in (acme.agent, acme.owner))

    staff(client, id, {"user": alice}, {"user": bob, "skills": ["german"], "tier": 2})
    answer = staff(client, id, {"user": bob, "skills": ["french"]})

    bobs = {"user": bob, "name": "Bob", "skills": ["french"], "tier": 1}
    assert answer.json() == client.get(f"/v1/queues/{id}/members").json() == {"members": [bobs]}
    status = client.get(f"/v1/queues/{id}/status").json()
    agent = {"user": bob, "name": "Bob", "presence": "offline", "phase": "idle", "extension": None}
    assert status == {"callers": [], "agents": [agent]}


def test_strangers_serve_no_queue(client: ApiClient, acme: Company, globex: Company):
    id = make(client).json()["id"]
    bob, mark = (encode("us", user.pk) for user in (acme.agent, globex.agent))

    answer = staff(client, id, {"user": bob}, {"user": mark}, {"user": bob})

    assert refusals(answer) == [("/members/1/user", "no-member"), ("/members/2/user", "twice")]
    assert client.get(f"/v1/queues/{id}/members").json() == {"members": []}
