"""The OpenAPI document as an oracle: is an answer one that it tells of?"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Json = Any
JSON = "application/json"
NAME = "urn:irisx:api"
FREE_HEADERS = {"X-Request-Id"}


@cache
def document() -> dict[str, Any]:
    """Return the document as `/v1/schema` answers it."""
    made: dict[str, Any] = orjson.loads(
        orjson.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str)
    )
    return made


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return what a `$ref` points at, or the part itself."""
    while "$ref" in part:
        target: Any = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def operation_of(method: str, path: str) -> dict[str, Any]:
    """Return the operation of a route, its path as Django writes it: `v1/calls/<str:sid>`."""
    found: dict[str, Any] = document()["paths"]["/" + path.replace("<str:", "{").replace(">", "}")][method.lower()]
    return found


def faults(schema: dict[str, Any], value: Json) -> list[str]:
    """Return what of a value a schema does not allow."""
    errors = _validator(orjson.dumps(schema)).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


@cache
def _validator(schema: bytes) -> Draft202012Validator:
    """Return the schema's validator, its references read from the document once, not for each answer."""
    absolute = orjson.loads(schema.replace(b'"#/', f'"{NAME}#/'.encode()))
    return Draft202012Validator(absolute, registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(document(), default_specification=DRAFT202012)
    return Registry().with_resource(NAME, resource).crawl()


def undocumented(method: str, path: str, answer: HttpResponse) -> list[str]:
    """Return in what an answer differs from what the document says of its operation; an empty list when in nothing."""
    responses = operation_of(method, path)["responses"]
    if str(answer.status_code) not in responses:
        return [f"{answer.status_code} is not among {', '.join(responses)}"]
    response = resolved(responses[str(answer.status_code)])
    content = response.get("content", {})
    streamed = getattr(answer, "streaming", False)
    body = b"".join(answer.streaming_content) if streamed else answer.content  # type: ignore[attr-defined]
    if not content:
        return ["a body where none is told of"] if body else []
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if media_type not in content:
        return [f"{media_type} is not among {', '.join(content)}"]
    missing = [name for name in FREE_HEADERS if name not in answer.headers]
    if "json" not in media_type:
        return missing
    return missing + faults(content[media_type]["schema"], orjson.loads(body))


def example_faults(operation: dict[str, Any]) -> list[str]:
    """Return what of an operation's examples, sent or answered, its own schemas do not allow."""
    return [fault for schema, value in _examples(operation) for fault in faults(schema, value)]


def _examples(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Json]]:
    bodies = [operation.get("requestBody", {}), *(resolved(r) for r in operation["responses"].values())]
    for body in bodies:
        for content in body.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]
