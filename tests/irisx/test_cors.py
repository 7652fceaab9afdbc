"""Which sites' pages may call the API: those the company named, and each company's for itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.api.cors import known
from accounts.company.origins import serialized
from chat.models import Label
from tests import factories
from tests.assertions import count

PAGE = "https://app.acme.example"


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    known.forget()
    yield
    known.forget()


@pytest.fixture
def named(acme: factories.Company, api: Any) -> factories.Company:
    answer = api(acme.api_key).patch("/v1/tenant/settings", {"cors_origins": [PAGE]}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return acme


def preflight(client: Any, path: str, origin: str) -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return client.options(path, headers=headers)


def test_a_preflight_of_a_named_origin_passes(named: factories.Company, api: Any) -> None:
    answer = preflight(api(), "/v1/calls", PAGE)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, PAGE)
    assert "authorization" in answer["Access-Control-Allow-Headers"]
    assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", f"{PAGE}.evil.example", f"{PAGE}:8443"])
def test_a_preflight_of_another_origin_does_not(named: factories.Company, api: Any, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(api(), "/v1/calls", origin)


def test_a_page_that_was_named_reads_the_answer(named: factories.Company, api: Any) -> None:
    answer = api(named.api_key).get("/v1/me", headers={"Origin": PAGE})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert "RateLimit" in answer["Access-Control-Expose-Headers"]


def test_a_page_reads_that_its_key_is_wrong(named: factories.Company, api: Any) -> None:
    answer = api("irisx_live_" + "a" * 44).get("/v1/me", headers={"Origin": PAGE})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, PAGE)


def test_another_companys_page_does_nothing(named: factories.Company, globex: factories.Company, api: Any) -> None:
    for path, body in (("/v1/chat/labels", {"name": "vip"}), ("/v1/billing/invoices/draft", {})):
        answer = api(globex.api_key).post(path, body, headers={"Origin": PAGE})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin-not-allowed")
    assert "Access-Control-Allow-Origin" not in answer
    assert count(Label) == 0


def test_a_program_names_no_origin_and_our_own_pages_are_ours(globex: factories.Company, api: Any) -> None:
    assert api(globex.api_key).get("/v1/me").status_code == 200
    assert api(globex.api_key).get("/v1/me", headers={"Origin": factories.base_url()}).status_code == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://App.Acme.example", PAGE),
        ("https://app.acme.example/", PAGE),
        ("https://app.acme.example:443", PAGE),
        ("https://app.acme.example:8443", f"{PAGE}:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://app.acme.example", None),
        ("https://app.acme.example/path", None),
        ("https://u:p@app.acme.example", None),
        ("https://app.acme.example?x", None),
        ("https://*.acme.example", None),
        ("https://a b.example", None),
        ("https://x:99999", None),
        ("*", None),
        ("null", None),
        ("", None),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(given: str, kept: str | None) -> None:
    assert serialized(given) == kept
