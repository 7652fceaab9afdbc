"""The OpenAPI document: valid, complete, its examples true."""

import io
from contextlib import redirect_stderr
from functools import cache
from typing import Any

import pytest
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.matrix.documented import JSON, document, example_faults, resolved
from tests.matrix.test_routes import ROUTES, mounted

METHODS = ("get", "post", "put", "patch", "delete")
# Parts of a form, of which one is a file: no example of JSON says how it is sent.
FORMS = {("post", "/v1/chat/attachments")}


@cache
def operations() -> list[tuple[str, str, Any]]:
    paths = document()["paths"]
    return [(method, path, item[method]) for path, item in paths.items() for method in METHODS if method in item]


def name_of(operation: tuple[str, str, Any]) -> str:
    return f"{operation[0].upper()} {operation[1]}"


def test_is_valid_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1")
    assert [
        f"{list(e.absolute_path)}: {e.message[:200]}" for e in OpenAPIV31SpecValidator(document()).iter_errors()
    ] == []


def test_is_made_without_a_warning() -> None:
    said = io.StringIO()
    with redirect_stderr(said):
        SchemaGenerator().get_schema(request=None, public=True)
    assert said.getvalue() == ""


def test_knows_every_route_and_no_other() -> None:
    found = {(method.upper(), path) for method, path, _ in operations()}
    routes = {
        (method, "/" + path.replace("<str:", "{").replace(">", "}"))
        for method, path in mounted(get_resolver().url_patterns)
        if path.startswith("v1/") and path not in {"v1/schema", "v1/docs"}
    }
    assert found == routes
    assert len(ROUTES) == len(routes)


def test_names_each_operation_once() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("operation", operations(), ids=name_of)
class TestAnOperation:
    def test_is_described(self, operation: tuple[str, str, Any]) -> None:
        _, _, said = operation
        assert said["summary"]
        assert said["tags"]
        assert said["security"]

    def test_says_what_it_answers(self, operation: tuple[str, str, Any]) -> None:
        _, _, said = operation
        assert any(status.startswith("2") for status in said["responses"])
        assert {"401", "403", "406", "429"} <= said["responses"].keys()
        for status, response in said["responses"].items():
            content = resolved(response).get("content", {})
            assert content or status in {"204", "302"}, status
            for media_type, body in content.items():
                if "json" in media_type:
                    assert not is_free(resolved(body["schema"])), (status, "says nothing of its members")

    def test_shows_a_body_that_may_be_sent(self, operation: tuple[str, str, Any]) -> None:
        method, path, said = operation
        body = said.get("requestBody", {}).get("content", {}).get(JSON)
        if body is None or (method, path) in FORMS:
            assert method != "put"
            return
        assert body.get("examples"), "no example"

    def test_shows_what_its_schemas_allow(self, operation: tuple[str, str, Any]) -> None:
        assert example_faults(operation[2]) == []


def is_free(schema: dict[str, Any]) -> bool:
    """Say whether a schema allows any object."""
    return schema == {} or (schema.get("type") == "object" and not schema.get("properties"))
