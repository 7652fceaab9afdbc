"""`GET /metrics`: what operators page on, in Prometheus' text format.

How the platform stands is asked of the database and Valkey at the scrape, so that any web process answers the same; requests
and sockets are this process's own. Nothing in it names a tenant or a person.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from redis import RedisError

from accounts.sockets.pulse import sockets_open
from accounts.tenancy import system_access
from common.errors import NotAuthenticated
from common.problems import not_found, response_for
from common.valkey import client
from irisx import heartbeat
from irisx.release.standing import standing

logger = logging.getLogger(__name__)

STATEMENT_MS: Final = 2_000  # a figure that takes longer is left out of this scrape, and counted
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PROCESSES: Final = ("worker", "webhooks", "listener")
SECONDS_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True)
class Figure:
    """A gauge read by one statement: a row for each value of its label, or one row."""

    name: str
    help: str
    query: str
    label: str = ""

    @property
    def labels(self) -> list[str]:
        return [self.label] if self.label else []


def _age(column: str) -> str:
    return f"SELECT coalesce(greatest(extract(epoch FROM now() - min({column})), 0), 0) FROM"  # noqa: S608 - columns of ours


FIGURES: Final = (
    Figure(
        "irisx_webhook_outbox_age_seconds",
        "For how long the oldest event waits to be handed to its endpoints.",
        f"{_age('created_at')} webhook_outbox WHERE position IS NULL",
    ),
    Figure(
        "irisx_webhook_deliveries_pending",
        "Deliveries on their way, those that wait for another attempt included.",
        "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'",
    ),
    Figure(
        "irisx_webhook_lane_lag_seconds",
        "How late the most overdue attempt is.",
        f"{_age('due_at')} webhook_lanes WHERE due_at < now() AND (leased_until IS NULL OR leased_until < now())",
    ),
    Figure(
        "irisx_mails_waiting",
        "E-mails due and not sent.",
        "SELECT (SELECT count(*) FROM identity_letters WHERE done_at IS NULL)"
        " + (SELECT count(*) FROM billing_mails WHERE state = 'waiting' AND next_at <= now())",
    ),
    Figure(
        "irisx_mails_stuck",
        "E-mails about billing that failed or may not have gone out: an operator decides.",
        "SELECT state, count(*) FROM billing_mails WHERE state IN ('failed', 'unclear') GROUP BY 1",
        "state",
    ),
    Figure(
        "irisx_usage_deltas_waiting",
        "Sums of usage not yet folded into the daily summaries.",
        "SELECT count(*) FROM usage_summary_deltas",
    ),
    Figure(
        "irisx_usage_uploads_age_seconds",
        "For how long the oldest file of usage waits to be read whole.",
        f"{_age('received_at')} usage_uploads WHERE content IS NOT NULL",
    ),
    Figure(
        "irisx_reconcile_findings",
        "What the last reconciliation found not to agree.",
        "SELECT jsonb_array_length(findings) FROM reconciliations ORDER BY started_at DESC LIMIT 1",
    ),
    Figure(
        "irisx_reconcile_age_seconds",
        "When the last reconciliation ended.",
        "SELECT extract(epoch FROM now() - max(finished_at)) FROM reconciliations HAVING max(finished_at) IS NOT NULL",
    ),
    Figure(
        "irisx_invoice_run_items",
        "Billing periods of runs not finished, by state.",
        "SELECT i.state, count(*) FROM invoice_run_items i JOIN invoice_runs r ON r.id = i.run_id"
        " WHERE r.finished_at IS NULL OR i.next_at IS NOT NULL GROUP BY 1",
        "state",
    ),
    Figure(
        "irisx_calls_live",
        "Calls under way, by status.",
        "SELECT status, count(*) FROM calls WHERE status IN ('queued', 'initiated', 'ringing', 'answered') GROUP BY 1",
        "status",
    ),
    Figure(
        "irisx_call_queue_wait_seconds",
        "For how long the caller waits who waits longest in a queue.",
        f"{_age('created_at')} queue_entries WHERE status IN ('waiting', 'offered')",
    ),
    Figure(
        "irisx_call_records_age_seconds",
        "How overdue the oldest call detail record is that is not worked yet.",
        f"{_age('due_at')} call_reports WHERE status = 'waiting' AND due_at < now()",
    ),
    Figure(
        "irisx_conversations_open",
        "Conversations not closed, by status.",
        "SELECT status, count(*) FROM chat_conversations WHERE status <> 'closed' GROUP BY 1",
        "status",
    ),
)

registry = CollectorRegistry()
REQUESTS = Histogram(
    "irisx_http_request_duration_seconds",
    "Requests this process answered, by route, method and class of status.",
    ["route", "method", "status"],
    buckets=SECONDS_BUCKETS,
    registry=registry,
)


class RequestTimer:
    """Time every request under the route it matched: no path, no id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun = time.perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        route = match.route if match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - begun)
        return response


class Standing:
    """The gauges, read when they are asked for."""

    def describe(self) -> Iterable[Metric]:
        """Say at registering that nothing is to be read then."""
        return []

    def collect(self) -> Iterable[Metric]:
        failed = GaugeMetricFamily("irisx_scrape_failures", "Figures this scrape could not read.")
        gauges, failures = _of_the_database()
        yield from gauges
        try:
            yield from _of_valkey()
        except RedisError:
            logger.warning("Valkey did not tell how it stands", exc_info=True)
            failures += 1
        yield _gauge("irisx_sockets_open", "Sockets signed in at this process.", sockets_open())
        yield _gauge("irisx_release_drift", "Files and libraries that are not what was built.", standing().drift)
        failed.add_metric([], failures)
        yield failed


registry.register(Standing())


def _gauge(name: str, help: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help, value=value)


def _of_the_database() -> tuple[list[Metric], int]:
    found: list[Metric] = []
    try:
        with system_access("metrics"), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
            for figure in FIGURES:
                gauge = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
                try:
                    with transaction.atomic():
                        cursor.execute(figure.query)
                        for *labels, value in cursor.fetchall():
                            gauge.add_metric(labels, float(value))
                except DatabaseError:
                    logger.warning("the figure %s could not be read", figure.name, exc_info=True)
                    continue
                found.append(gauge)
    except DatabaseError:
        logger.warning("the database did not tell how it stands", exc_info=True)
    return found, len(FIGURES) - len(found)


def _of_valkey() -> Iterable[Metric]:
    valkey = client()
    signs: Any = valkey.mget([heartbeat.key(process) for process in PROCESSES])
    now = time.time()
    ages = GaugeMetricFamily(
        "irisx_process_silence_seconds", "Since the last sign of life of a process.", labels=["process"]
    )
    for process, sign in zip(PROCESSES, signs, strict=True):
        if sign is not None:
            ages.add_metric([process], max(now - float(sign), 0))
    yield ages
    waiting: Any = valkey.llen(settings.CELERY_TASK_DEFAULT_QUEUE)
    yield _gauge("irisx_tasks_waiting", "Tasks no worker has taken yet.", waiting)


@transaction.non_atomic_requests  # it answers without a database, too
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, which sends IRISX_METRICS_TOKEN as its Bearer token; without that setting there is no such page."""
    token = settings.IRISX_METRICS_TOKEN
    if not token:
        return not_found(request)
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode(), f"Bearer {token}".encode()):
        return response_for(NotAuthenticated("Send IRISX_METRICS_TOKEN as `Authorization: Bearer …`."))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_1_0_0)
