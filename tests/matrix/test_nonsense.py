"""Whatever is sent to usage and billing, the answer says what is wrong in the house's form, and is never our own failure."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from django.http import HttpResponse

from tests.matrix.test_routes import ROUTES, Route
from tests.matrix.world import build

Json = Any
DEEP: Json = "x"
for _ in range(200):
    DEEP = [DEEP]
TEXTS = ("\0", "‮é𝔘", "x" * 5_000, "-1", "1e999999", "NaN", "9" * 400, "' OR 1=1 --")
NONSENSE: tuple[Json, ...] = (None, True, -1, 2**63, 1e308, [], {}, [None], {"\0": "\0"}, DEEP, *TEXTS)
NAMES = (
    "cursor", "limit", "status", "start_date", "end_date", "channel", "resource_type", "idempotency_key", "number",
    "format", "period", "month", "tenant",
)  # fmt: skip
FIELDS = {
    "v1/usage/events": ("idempotency_key", "channel", "resource_type", "quantity", "occurred_at", "resource_id", "direction",
                        "destination", "metadata", "events"),
    "v1/usage/events/<str:id>/amend": ("quantity", "occurred_at", "metadata", "reason", "destination", "channel"),
    "v1/usage/events/<str:id>/void": ("reason",),
    "v1/usage/thresholds": ("subject", "feature", "percents", "amounts"),
    "v1/billing/profile": ("country", "tax_id", "language", "billing_email", "address", "legal_name"),
    "v1/billing/subscription": ("plan", "when"),
    "v1/billing/subscription/preview": ("plan", "when"),
    "v1/billing/subscription/cancel": ("when",),
    "v1/billing/top-ups": ("amount", "currency"),
}  # fmt: skip
OURS = [route for route in ROUTES if route.path.startswith(("v1/usage/", "v1/billing/"))]


def held(answer: HttpResponse, what: object) -> None:
    """Hold an answer to the house's form: no failure of ours, and every refusal a problem that is explained."""
    assert answer.status_code < 500, (what, answer.content[:300])
    assert answer.status_code != 429, "nobody looked at what was sent"
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"].startswith("application/problem+json"), what
        problem = orjson.loads(answer.content)
        assert problem["status"] == answer.status_code
        assert problem["title"], what


def bodies(route: Route) -> Iterator[Json]:
    yield from NONSENSE[:10]
    for name in FIELDS.get(route.path, ()):
        for value in NONSENSE:
            yield {**route.body, name: value}
    yield {**route.body, "surplus": 1}


@pytest.mark.timeout(400)  # some thousand requests
@pytest.mark.parametrize("room", ["v1/usage/", "v1/billing/"])
def test_is_refused_in_words(room: str, api: Any, db: None) -> None:
    world = build()
    client = api(world.acme.api_key)
    for route in (route for route in OURS if route.path.startswith(room)):
        path = "/" + route.path.replace("<str:id>", world.objects.get(route.names, ""))
        for value, names in [("\0", [name]) for name in NAMES] + [(value, NAMES) for value in TEXTS]:
            if route.method == "GET":
                query = urlencode(dict.fromkeys(names, value))
                held(client.get(f"{path}?{query}"), (str(route), names, value))
        if route.method != "GET":
            _send_nonsense(client, route, path)


def _send_nonsense(client: Any, route: Route, path: str) -> None:
    def send(data: bytes, content_type: str = "application/json", **more: Any) -> None:
        answer = client.generic(route.method, path, data, content_type=content_type, **more)
        held(answer, (str(route), data[:200], content_type, more))

    for body in bodies(route):
        send(orjson.dumps(body))
    for raw in (b"{", b"\xff", b"NaN", b'{"a":"\\ud800"}', b"[" * 100_000, b"\0"):
        send(raw)
    for kind in ("text/csv", "multipart/form-data", "application/xml", "multipart/form-data; boundary=x", ""):
        send(b"a,b\n\0,\xff\n", kind)
    for key in ("\x00", "x" * 300, ""):
        send(b"{}", headers={"Idempotency-Key": key})


def test_an_id_of_nothing_is_found_nowhere(api: Any, acme: Any) -> None:
    client = api(acme.api_key)
    for route in (route for route in OURS if "<str:id>" in route.path):
        for id in ("0", "inv_", "inv_" + "0" * 32, "inv_" + "g" * 32, "x" * 3_000, "%00", "..", "ur_" + "f" * 32):
            path = "/" + route.path.replace("<str:id>", quote(id, safe="%"))
            answer = client.generic(route.method, path, b"{}", content_type="application/json")
            held(answer, (str(route), id))
            assert answer.status_code in (404, 422), (str(route), id)
