"""Whatever goes wrong outside a view is a problem too."""

from typing import Any

import pytest
from django.test import Client

from common.problems import MEDIA_TYPE
from tests import factories


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", {}, "", 404, "not-found"),
        ("DELETE", "/v1/me", {}, "", 405, "method-not-allowed"),
        ("GET", "/v1/me", {"Accept": "text/html"}, "", 406, "not-acceptable"),
        ("POST", "/v1/calls", {"Content-Type": "text/plain"}, "x", 415, "unsupported-media-type"),
        ("POST", "/v1/calls", {"Content-Type": "application/json"}, "{", 400, "unreadable"),
        ("POST", "/v1/calls", {"Content-Type": "application/json"}, "[]", 422, "invalid"),
        ("POST", "/v1/calls", {"Content-Type": "application/json"}, "x" * 5_300_000, 413, "too-large"),
        ("GET", "/v1/me", {"Host": "evil.example"}, "", 400, "host-not-allowed"),
        ("GET", "/v1/me", {"Authorization": "Basic x"}, "", 401, "not-authenticated"),
    ],
)
def test_is_told_in_the_house_form(
    acme: factories.Company, method: str, path: str, headers: dict[str, str], body: str, status: int, code: str
) -> None:
    sent = {"Authorization": f"Bearer {acme.api_key}", **headers}
    kind = sent.pop("Content-Type", "application/json")
    answer = Client(raise_request_exception=False).generic(method, path, body, content_type=kind, headers=sent)
    assert (answer.status_code, answer["Content-Type"]) == (status, MEDIA_TYPE)
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:irisx:problem:{code}")
    assert problem["title"]
    assert problem["request_id"] == answer["X-Request-Id"]


def test_a_wrong_method_is_told_the_right_ones(acme: factories.Company, api: Any) -> None:
    answer = api(acme.api_key).delete("/v1/me")
    assert {"GET", "POST"} <= {name.strip() for name in answer["Allow"].split(",")}


def test_a_form_without_its_token_is_refused(acme: factories.Company) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(acme.owner)
    page = client.post("/portal/finance/draft")
    assert (page.status_code, b"open too long" in page.content) == (403, True)
    program = client.post("/portal/finance/draft", headers={"Accept": "application/json"})
    assert (program.status_code, program.json()["code"]) == (403, "csrf")


def test_a_crash_tells_nothing(acme: factories.Company, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(principal: object) -> None:
        raise RuntimeError("the inner life of the house")

    monkeypatch.setattr("accounts.views.present_me", crash)
    answer = api(acme.api_key).get("/v1/me")
    assert (answer.status_code, answer["Content-Type"]) == (500, MEDIA_TYPE)
    assert b"inner life" not in answer.content
    assert answer.json()["request_id"] == answer["X-Request-Id"]
