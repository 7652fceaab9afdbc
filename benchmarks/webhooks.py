"""Deliveries a second beside a bare HTTP client, and how soon after its commit an event is first attempted.

The first figure: events that wait in the outbox go out to ten endpoints through one `manage.py webhooks_deliver`, signed, ordered
and written down, beside the guarded client alone and a bare httpx client, which post the same bytes to the same receiver, ten or
a hundred at once; ratios are to the quicker httpx. The second: 100 events a second, while ten other endpoints of the same tenant
never answer what they take.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx

from benchmarks.conditions import ROOT, conditions, table
from benchmarks.servers import database
from irisx.local.ports import free_port

ENDPOINTS, OBJECTS = 10, 1_000
FEW, MANY = 10, 100  # requests at once; the engine has at most a hundred to ten endpoints
HANGING, PER_SECOND = 10, 100
LEFT = """
    SELECT (SELECT count(*) FROM webhook_outbox WHERE position IS NULL)
        + (SELECT count(*) FROM webhook_deliveries WHERE status = 'pending')
"""
TURNS = count()
HEADERS = {
    "webhook-id": "evt_bare",
    "webhook-timestamp": "1770000000",
    "webhook-signature": "v1," + "A" * 44,
    "content-type": "application/json",
}
BODY = (
    b'{"id":"evt_0190c3f1d1f07e6fb2c3d4e5f6a7b8c9","type":"chat.message.created","timestamp":"2026-01-01T00:00:00Z",'
    b'"object_id":"cc_1","sequence":1,"data":{"conversation_id":"cc_1","text":"' + b"x" * 300 + b'"}}'
)
Send = Callable[[str], Awaitable[object]]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3, help="0: the second figure alone")
    parser.add_argument("--seconds", type=int, default=30, help="how long 100 events a second are written")
    parser.add_argument("--durable", action="store_true", help="fsync on, as in production")
    options = parser.parse_args()
    print(conditions(), flush=True)
    with database(is_durable=options.durable), receiver() as hears:
        if options.rounds:
            throughput(hears, options.deliveries, options.rounds)
        latency(hears, options.seconds)


class Receiver:
    """The running receiver: where it listens, and what it heard."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, file: Path) -> None:
        self._process, self._file = process, file
        self.base = f"http://127.0.0.1:{port}"

    def heard(self) -> list[tuple[str, str, float]]:
        """Return path, webhook's id and time of what came since the last time."""
        self._file.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        while not self._file.exists():
            time.sleep(0.01)
        lines = (line.split(" ") for line in self._file.read_text().splitlines())
        return [(path, id, float(at)) for path, id, at in lines]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run the receiver in a process of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "heard"
        command = [sys.executable, "-m", "benchmarks.webhooks_receiver", str(port), str(file)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            yield Receiver(process, port, file)
            process.terminate()


@contextmanager
def worker() -> Iterator[None]:
    """Run one delivery process as in production."""
    process = subprocess.Popen([sys.executable, "manage.py", "webhooks_deliver"], cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def throughput(hears: Receiver, deliveries: int, rounds: int) -> None:
    """Measure deliveries a second, in turn, and print the medians."""
    company = make_tenant("Bench", [f"{hears.base}/{number}" for number in range(ENDPOINTS)])
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for at_once in (FEW, MANY):
            rates[f"httpx, bare, {at_once} at once"].append(asyncio.run(by_httpx(hears.base, deliveries, at_once)))
            rates[f"the guarded client, {at_once} at once"].append(
                asyncio.run(by_ours(hears.base, deliveries, at_once))
            )
        hears.heard()
        write(company, deliveries // ENDPOINTS)
        rates["the engine"].append(by_the_engine(hears, deliveries))
    medians = {name: sorted(found)[len(found) // 2] for name, found in rates.items()}
    best = max(rate for name, rate in medians.items() if name.startswith("httpx"))
    rows = [[name, f"{rate:,.0f}", f"{rate / best:.2f}"] for name, rate in medians.items()]
    print(table([f"{deliveries:,} deliveries, median of {rounds}", "a second", "ratio"], rows) + "\n", flush=True)


async def by_httpx(base: str, number: int, at_once: int) -> float:
    """Return the requests a second of one AsyncClient that does nothing else; its pool is quickest with few at once."""
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx.AsyncClient(timeout=15, limits=limits, trust_env=False) as client:
        return await rate_of(lambda path: client.post(f"{base}{path}", content=BODY, headers=HEADERS), number, at_once)


async def by_ours(base: str, number: int, at_once: int) -> float:
    """Return the requests a second of the guarded client alone."""
    from common import outgoing

    async with outgoing.Client() as client:
        return await rate_of(lambda path: client.post(f"{base}{path}", content=BODY, headers=HEADERS), number, at_once)


async def rate_of(send: Send, number: int, at_once: int) -> float:
    """Send so many requests and return how many a second."""
    paths = iter([f"/{turn % ENDPOINTS}" for turn in range(number)])

    async def sender() -> None:
        for path in paths:
            await send(path)

    began = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(at_once)))
    return number / (time.perf_counter() - began)


def by_the_engine(hears: Receiver, deliveries: int) -> float:
    """Return the deliveries a second from the first request to the last outcome written down."""
    from django.db import connection

    from accounts.tenancy import system_access

    with worker():
        while True:
            time.sleep(0.05)
            with system_access("the benchmark counts what is left"), connection.cursor() as cursor:
                cursor.execute(LEFT)
                [left] = cursor.fetchone()
            if not left:
                break
        ended = time.time()
    heard = hears.heard()
    assert len(heard) == len({(path, id) for path, id, _ in heard}) == deliveries, len(heard)
    return deliveries / (ended - min(at for *_, at in heard))


def latency(hears: Receiver, seconds: int) -> None:
    """Write 100 events a second beside ten endpoints that hang; print how soon after its commit each was first attempted."""
    hanging = [f"{hears.base}/hang/{number}" for number in range(HANGING)]
    company = make_tenant("Hurry", [*hanging, f"{hears.base}/quick"])
    with worker():
        write(company, 1)
        while not any(path == "/quick" for path, *_ in hears.heard()):
            time.sleep(0.1)
        committed: dict[str, float] = {}
        began = time.perf_counter()
        for turn in range(seconds * PER_SECOND):
            time.sleep(max(0.0, began + turn / PER_SECOND - time.perf_counter()))
            [id] = write(company, 1)
            committed[id] = time.time()
        took = time.perf_counter() - began
        time.sleep(5)
        heard = hears.heard()
    first = {id: at for path, id, at in reversed(heard) if path == "/quick"}
    waits = sorted((first[id] - at) * 1000 for id, at in committed.items() if id in first)
    shares = [f"{waits[min(len(waits) - 1, int(len(waits) * share))]:,.0f}" for share in (0.5, 0.95, 0.99, 1)]
    row = [
        f"{len(committed) / took:,.0f} events/s, {HANGING} endpoints hang",
        *shares,
        str(len(committed) - len(waits)),
    ]
    print(table(["commit to first attempt, ms", "p50", "p95", "p99", "worst", "not within 5 s"], [row]), flush=True)


def make_tenant(name: str, urls: list[str]) -> Any:
    """Make a company with endpoints at these addresses."""
    from django.utils import timezone

    from accounts.tenancy import tenant_scope
    from accounts.webhooks.endpoints import create_endpoint
    from tests.factories import make_company

    company = make_company(name, owner="Olga", agent="Otto", finance="Ola")
    with tenant_scope(company.tenant.pk):
        for url in urls:
            create_endpoint(tenant_id=company.tenant.pk, url=url, now=timezone.now())
    return company


def write(company: Any, events: int) -> list[str]:
    """Write so many events, each in a transaction of its own, about a thousand objects in turn; return their ids."""
    from django.utils import timezone

    from accounts.tenancy import tenant_scope
    from accounts.webhooks.services import WebhookEvent, enqueue
    from common.ids import encode

    ids, tenant_id = [], company.tenant.pk
    for turn in islice(TURNS, events):
        object_id = f"cc_{turn % OBJECTS}"
        data = {"conversation_id": object_id, "text": "x" * 300, "turn": turn}
        with tenant_scope(tenant_id):
            event = WebhookEvent("chat.message.created", tenant_id, object_id, data, timezone.now())
            ids.append(encode("evt", enqueue(event)))
    return ids


if __name__ == "__main__":
    main()
