"""`Idempotency-Key`: whatever operation the document says takes one has one effect and one answer, however often it is sent."""

from collections import Counter
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.http import HttpResponse

from accounts.operators.roles import ROLES
from chat.models import CannedReply
from tests import factories
from tests.accounts.identity.helpers import at_once
from tests.accounts.operators.test_admin_api import operator
from tests.assertions import count
from tests.conftest import ApiClient
from tests.matrix.documented import operation_of
from tests.matrix.test_routes import ROUTES, Route, allowed, call
from tests.matrix.world import World, build

PARAMETER = {"$ref": "#/components/parameters/IdempotencyKey"}
TAKING = [
    route
    for route in ROUTES
    if route.path.startswith("v1/") and PARAMETER in operation_of(route.method, route.path).get("parameters", [])
]
TWINS = 50
SHOWN_ONCE = {"secret", "key", "password"}
# As the matrix sends them these are full seats, a full plan, a wrong country, no CSV, a dry run: refusals are not kept.
MAKES_NOTHING_HERE = {
    "POST v1/members/invitations",
    "POST v1/chat/widgets",
    "POST v1/admin/tenants",
    "POST v1/admin/agents/import",
    "POST v1/calls",
}


@pytest.fixture
def world(db: None, tmp_path: Any, settings: Any) -> World:
    settings.MEDIA_ROOT = tmp_path
    return build()


def test_the_second_time_is_a_replay(world: World) -> None:
    assert len(TAKING) > 20
    olga = operator("Olga", *ROLES, is_superuser=True)
    world.callers["operator"] = lambda: olga
    wrong = []
    for route in TAKING:
        caller = "operator" if route.path.startswith("v1/admin/") else _one_who_may(route)
        with transaction.atomic():
            first, second = (call(world, route, caller, headers={"Idempotency-Key": "k1"}) for _ in range(2))
            transaction.set_rollback(True)
        if str(route) in MAKES_NOTHING_HERE:
            assert first.status_code in {200, 409, 415, 422}, str(route)
            continue
        is_alike = second.status_code == first.status_code < 300 and _shown_again(second) == _shown_again(first)
        if not is_alike or second.headers.get("Idempotency-Replayed") != "true":
            wrong.append((str(route), first.status_code, second.status_code, dict(second.headers)))
    assert wrong == []


def _one_who_may(route: Route) -> str:
    callers = ["owner"] if route.is_personal else ["key", "owner", route.visitor, "visitor"]
    return next(caller for caller in callers if route.is_personal or allowed(route, caller))


def _shown_again(answer: HttpResponse) -> dict[str, Any]:
    """Return an answer without what is shown once: a secret is not kept to be shown again."""
    return {name: value for name, value in orjson.loads(answer.content).items() if name not in SHOWN_ONCE}


def test_fifty_at_once_make_one_row(committed_db: None) -> None:
    """Who comes while the first is at work is told to ask again; whoever asks again is answered what the first was."""
    key = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona").api_key

    def post() -> Any:
        body = {"shortcut": "hello", "text": "Hello!"}
        return ApiClient(key).post("/v1/chat/canned-replies", body, headers={"Idempotency-Key": "k1"})

    answers = at_once([post] * TWINS)
    assert count(CannedReply) == 1
    assert Counter(answer.status_code for answer in answers).keys() <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency-twin"}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    again = post()
    assert made == {again.json()["id"]}
    assert again.headers["Idempotency-Replayed"] == "true"
