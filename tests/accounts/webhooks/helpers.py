"""A receiver that answers what it is told, and the engine driven step by step."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from standardwebhooks import Webhook

from accounts.models import OutboxEvent, WebhookDelivery, WebhookEndpoint, WebhookLane
from accounts.tenancy import tenant_scope
from accounts.webhooks import endpoints
from accounts.webhooks.claiming import Job, claim
from accounts.webhooks.delivering import attempt
from accounts.webhooks.dispatching import dispatch
from accounts.webhooks.services import WebhookEvent, enqueue
from accounts.webhooks.settling import Settled, settle
from common.ids import uuid7
from common.outgoing import Answer, Unreachable
from tests.assertions import rows
from tests.factories import Company

URL = "https://hooks.example.com/in"


@dataclass(frozen=True)
class Received:
    url: str
    body: dict[str, Any]
    raw: bytes
    headers: dict[str, str]

    @property
    def sequence(self) -> int:
        return int(self.body["sequence"])


@dataclass
class Receiver:
    """Answers `status`, or what `answers` says for a request; keeps what came."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    answers: Callable[[Received], int | Exception] | None = None
    got: list[Received] = field(default_factory=list)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str], on_behalf_of: str = "") -> Answer:
        received = Received(url, orjson.loads(content), content, dict(headers))
        self.got.append(received)
        said = self.answers(received) if self.answers else self.status
        if isinstance(said, Exception):
            raise said
        return Answer(said, self.headers, self.body, False, 1)

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.got]

    @property
    def sequences(self) -> list[int]:
        return [one.sequence for one in self.got]


def no_answer() -> Unreachable:
    return Unreachable("Nobody answered.", reason="timeout")


def endpoint(company: Company, *types: str, url: str = URL) -> tuple[WebhookEndpoint, str]:
    with tenant_scope(company.tenant.pk):
        return endpoints.create_endpoint(
            tenant_id=company.tenant.pk, url=url, event_types=types, now=company.tenant.created_at
        )


def happen(
    company: Company, *, object_id: str = "cc_1", type: str = "chat.message.created", times: int = 1, at: datetime
) -> list[UUID]:
    with tenant_scope(company.tenant.pk):
        return [enqueue(WebhookEvent(type, company.tenant.pk, object_id, {"n": number}, at)) for number in range(times)]


def send(jobs: Sequence[Job], receiver: Receiver, *, now: datetime) -> Settled:
    """Attempt what was claimed and settle it, without chance."""
    wanted = [job for job in jobs if job.delivery_id is not None]

    async def all_of_them() -> list[Any]:
        return [await attempt(job, receiver.post, now=now) for job in wanted]

    outcomes = asyncio.run(all_of_them())
    return settle(outcomes=outcomes, unused=[job for job in jobs if job.delivery_id is None], now=now, spread=0.0)


def work(receiver: Receiver, *, now: datetime, rounds: int = 100) -> int:
    """Dispatch, claim, send and settle until nothing is due at `now`; return how many attempts there were."""
    count = 0
    for _ in range(rounds):
        dispatched = dispatch(now=now)
        jobs = claim(lease=uuid7(), most=200, now=now)
        if not jobs and not dispatched:
            return count
        count += len([job for job in jobs if job.delivery_id])
        if jobs:
            send(jobs, receiver, now=now)
    raise AssertionError("there is always something due")


def deliveries(**filters: Any) -> list[WebhookDelivery]:
    return sorted(rows(WebhookDelivery, **filters), key=lambda one: (one.object_id, one.sequence))


def lanes() -> list[WebhookLane]:
    return rows(WebhookLane)


def of(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Return an endpoint as it is now."""
    [row] = rows(WebhookEndpoint, pk=endpoint.pk)
    return row


def verify(received: Received, secret: str) -> None:
    """Raise WebhookVerificationError unless the signature is right; the time plays its part too."""
    Webhook(secret).verify(received.raw, received.headers)


def events() -> list[OutboxEvent]:
    return rows(OutboxEvent)
