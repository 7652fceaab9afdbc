"""The OpenAPI document as an oracle: is a value one that its schemas allow?"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Json = Any
JSON = "application/json"
NAME = "urn:irisx:api"


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


def example_faults(operation: dict[str, Any]) -> list[str]:
    """Return what of an operation's examples, sent or answered, its own schemas do not allow."""
    return [fault for schema, value in _examples(operation) for fault in faults(schema, value)]


def _examples(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Json]]:
    bodies = [operation.get("requestBody", {}), *(resolved(r) for r in operation["responses"].values())]
    for body in bodies:
        for content in body.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]
