"""Whatever schemathesis makes of the OpenAPI document, answers are such as the document tells of; none is our own failure."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.operators.roles import ROLES
from tests.accounts.operators.test_admin_api import operator
from tests.matrix.documented import document
from tests.matrix.test_routes import ROUTES, Route
from tests.matrix.world import World, build

Caller = dict[str, dict[str, str]]  # what a request carries: headers, cookies
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "3"))  # for each operation and mode; `make fuzz` takes more
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(document())
SCHEMA.config.generation.update(with_security_parameters=False)  # callers sign in, see `credentials`
BY_OPERATION: Final = {
    (route.method, "/" + route.path.replace("<str:", "{").replace(">", "}")): route for route in ROUTES
}
TAGS: Final = sorted({tag for path in document()["paths"].values() for said in path.values() for tag in said["tags"]})


class Served(WSGIHandler):
    """The product behind WSGI; browsers' sessions need no CSRF token here."""

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return super().get_response(request)


@contextmanager
def served() -> Iterator[Served]:
    """Serve requests on the test's own connection, as Django's test client does."""
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield Served()
    for signal in both:
        signal.connect(close_old_connections)


def credentials(world: World, route: Route) -> list[Caller]:
    """Return how whoever may signs in: an operator, a person, a visitor, a key."""
    if route.path.startswith("v1/admin/"):
        return [_session(operator("Olga", *ROLES, is_superuser=True))]
    callers: list[str] = [route.visitor or "visitor"] * bool(route.visitor) + ["key"] * (not route.people_only)
    found = [_bearer(world, caller) for caller in callers if caller in world.callers]
    return found + [_session(world.callers["owner"]())] * (not route.key_only)


def _bearer(world: World, caller: str) -> Caller:
    return {"headers": {"Authorization": world.callers[caller]().defaults["HTTP_AUTHORIZATION"]}}


def _session(client: Client) -> Caller:
    name = django_settings.SESSION_COOKIE_NAME
    return {"cookies": {name: client.cookies[name].value}}


def known(world: World, route: Route) -> dict[str, str]:
    """Return path parameters that name what is there."""
    named = world.objects.get(route.names, "")
    others = {name: world.objects[name.removesuffix("_id")] for name in ("message_id", "delivery_id")}
    return {"id": named, "sid": named, "widget_key": world.objects["widget_key"], **others}


@pytest.mark.timeout(max(400, EXAMPLES * 300))
@pytest.mark.parametrize("tag", TAGS)
def test_no_answer_is_undocumented_or_our_failure(tag: str, db: None, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    world = build()
    statuses: Counter[int] = Counter()
    for result in SCHEMA.include(tag=tag).get_all_operations():
        operation = result.ok()
        route = BY_OPERATION[operation.method.upper(), operation.path]
        # Whatever a path's parameter holds is a text: without a body or a query nothing is wrong for the document alone.
        modes = [GenerationMode.POSITIVE] + [GenerationMode.NEGATIVE] * bool(operation.body or operation.query)
        for mode in modes:
            _attack(operation, mode, world, route, statuses)
    print(f"{tag}: {sum(statuses.values())} requests, answered {dict(sorted(statuses.items()))}")
    assert any(status < 300 for status in statuses)


def _attack(operation: Any, mode: GenerationMode, world: World, route: Route, statuses: Counter[int]) -> None:
    known_ones, callers = known(world, route), credentials(world, route)

    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES < 10,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans(), caller=st.sampled_from(callers))
    def attack(case: Case, is_known: bool, caller: Caller) -> None:
        if is_known and case.path_parameters:
            case.path_parameters = {name: known_ones.get(name) or value for name, value in case.path_parameters.items()}
        with served() as app, transaction.atomic():
            answer = case.call(app=app, **caller)
            transaction.set_rollback(True)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    attack()
