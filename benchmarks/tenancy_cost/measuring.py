"""The same queries and requests, with and without walls, in turn."""

import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import tenant_scope
from benchmarks.conditions import table
from benchmarks.tenancy_cost.seed import CONVERSATIONS, seed
from chat.models import Conversation
from common import rowlevel
from tests.conftest import ApiClient

Call = Callable[[], Any]
QUERIES_PER_BLOCK = 200
REQUESTS_PER_BLOCK = 20


@dataclass(frozen=True)
class Walls:
    """The role that goes around them."""

    user: str
    password: str

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Run the block as the product runs."""
        yield

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Run the block as the other role, with no statement of tenancy sent."""
        settings, original = dict(connection.settings_dict), rowlevel._set
        connect_as(user=self.user, password=self.password)
        rowlevel._set = lambda wanted: {}
        try:
            yield
        finally:
            rowlevel._set = original
            connect_as(user=settings["USER"], password=settings["PASSWORD"])

    def alternate(self, block: Callable[[], float], *, rounds: int) -> tuple[float, float]:
        """Run a block in turn without and with walls; return the medians in seconds."""
        without, standing = [], []
        for _ in range(rounds):
            with self.gone():
                without.append(block())
            with self.standing():
                standing.append(block())
        return statistics.median(without), statistics.median(standing)


def connect_as(*, user: str, password: str) -> None:
    """Let the next statement go over a new connection of this role."""
    connection.close()
    connection.close_pool()
    connection.settings_dict.update({"USER": user, "PASSWORD": password})


def measure(walls: Walls, *, rounds: int) -> None:
    """Measure queries, then requests; print both."""
    acme, conversation_id = seed()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    print(f"database  PostgreSQL {version}, fsync off, {CONVERSATIONS} conversations in each of 2 tenants")
    print(f"rounds    {rounds}, each {QUERIES_PER_BLOCK} queries or {REQUESTS_PER_BLOCK} requests; medians\n")
    print(measure_queries(walls, acme.tenant.pk, conversation_id, rounds=rounds), flush=True)
    print(measure_requests(walls, acme.api_key, conversation_id, rounds=rounds))


def measure_queries(walls: Walls, tenant_id: UUID, conversation_id: UUID, *, rounds: int) -> str:
    """Time statements inside a transaction that is open already, and the statement that sets the tenant."""
    rows = Conversation.objects.for_tenant(tenant_id)
    newest = rows.order_by("-last_message_at", "-id").values_list("id", "status", "last_seq")
    queries: dict[str, Call] = {
        "one conversation by id": rows.filter(pk=conversation_id).values_list("id").first,
        "the 50 newest conversations": lambda: list(newest[:50]),
        "the count of all conversations": rows.count,
    }
    lines = []
    for name, query in queries.items():

        def block(query: Call = query) -> float:
            with tenant_scope(tenant_id):
                return seconds_each(query, times=QUERIES_PER_BLOCK)

        lines.append([name, *microseconds(*walls.alternate(block, rounds=rounds))])
    lines.append(["setting the tenant (without: SELECT 1)", *microseconds(*setting_cost(tenant_id, rounds=rounds))])
    return table(["one statement", "without µs", "with µs", "difference", "ratio"], lines) + "\n"


def setting_cost(tenant_id: UUID, *, rounds: int) -> tuple[float, float]:
    """Time the statement that sets the tenant beside the least a statement can cost."""

    def select_1() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()

    def set_tenant() -> None:
        rowlevel._set({rowlevel.SETTING: str(tenant_id)})

    floors, settings = [], []
    with transaction.atomic():
        for _ in range(rounds):
            floors.append(seconds_each(select_1, times=QUERIES_PER_BLOCK))
            settings.append(seconds_each(set_tenant, times=QUERIES_PER_BLOCK))
    return statistics.median(floors), statistics.median(settings)


def measure_requests(walls: Walls, api_key: str, conversation_id: UUID, *, rounds: int) -> str:
    """Time whole requests in this process (no sockets), and count their statements."""
    client, public_id = ApiClient(api_key), f"cc_{conversation_id.hex}"

    def send() -> Any:
        body = {"conversation_id": public_id, "client_message_id": secrets.token_hex(8), "text": "Hello"}
        return client.post("/v1/chat/message/send", body)

    calls: dict[str, Call] = {
        "GET /v1/me": lambda: client.get("/v1/me"),
        "GET /v1/chat/agent/conversations": lambda: client.get("/v1/chat/agent/conversations?limit=50"),
        "GET …/conversation/{id}/messages": lambda: client.get(f"/v1/chat/conversation/{public_id}/messages"),
        "POST /v1/chat/message/send": send,
    }
    lines = []
    for name, call in calls.items():
        checked = answered(call)
        counts = [str(count) for count in count_statements(checked)]

        def block(call: Call = checked) -> float:
            return seconds_each(call, times=REQUESTS_PER_BLOCK)

        lines.append([name, *counts, *microseconds(*walls.alternate(block, rounds=rounds))])
    return table(["one request", "statements", "of tenancy", "without µs", "with µs", "difference", "ratio"], lines)


def answered(call: Call) -> Call:
    """Return the call, made to fail unless it is answered well."""

    def checked() -> None:
        answer = call()
        assert answer.status_code in {200, 201}, answer.content

    return checked


def seconds_each(call: Call, *, times: int) -> float:
    """Return the mean duration of a call, after two that count for nothing."""
    call(), call()
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times


def count_statements(call: Call) -> tuple[int, int]:
    """Return how many statements a call sends, and how many of these set or restore a tenant or role."""
    call()
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured), sum("set_config(" in query["sql"] for query in captured.captured_queries)


def microseconds(without: float, standing: float) -> list[str]:
    """Lay out a pair, its difference and its ratio."""
    difference = (standing - without) * 1e6
    return [f"{without * 1e6:,.0f}", f"{standing * 1e6:,.0f}", f"{difference:+,.0f}", f"{standing / without:.2f}"]
