"""Webhooks to a receiver that fails, hangs, lies and answers late, while workers, writers and the database die by SIGKILL.

Every event arrives at least once, signed; an object's events arrive in order, but for those that failed three times and are
overtaken; never two of one object are under way at an endpoint; none is lost. The short form (1,000 deliveries) is part of every
run of the tests; `make chaos` (CHAOS=long) has 100,000.
"""

import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.tenancy import tenant_scope
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.schedule import HOLDING_TRIES, MOST_TRIES
from irisx.local.ports import free_port
from irisx.local.processes import Program
from irisx.local.programs import ROOT
from irisx.local.roles import DATABASE, SERVING
from irisx.local.testsession import outside_environment
from tests.chaos.theatre import Part, Theatre, theatre
from tests.chaos.webhook_receiver import CHARACTERS, GOOD, Fate, Request, is_refused_for_ever
from tests.chaos.webhook_writer import batches_of
from tests.factories import make_company
from tests.local.waiting import eventually

IS_LONG = os.environ.get("CHAOS") == "long"
TENANTS = 5 if IS_LONG else 1
WRITERS = 5 if IS_LONG else 2
EVENTS = 5_000 if IS_LONG else 125  # of each writer; each goes to four endpoints
OBJECTS = 300 if IS_LONG else 20  # of each tenant
# What dies together, one after the other.
SHORT = (("worker0",), ("worker0", "worker1"))
LONG = (("worker0", "worker1"), ("postgres",), ("worker1", "writer0"), ("worker0",), ("postgres", "worker0")) * 4
DONE_WITHIN_SECONDS = 3000 if IS_LONG else 240
GOOD_FATES = {fate.value for fate in GOOD}

pytestmark = pytest.mark.timeout(5400 if IS_LONG else 400)  # half a minute on a quiet machine

UNFINISHED = """
    SELECT (SELECT count(*) FROM webhook_outbox WHERE position IS NULL)
        + (SELECT count(*) FROM webhook_deliveries WHERE status = 'pending')
"""
FINISHED = "SELECT count(*) FROM webhook_deliveries WHERE status <> 'pending'"
OUTBOX = """
    SELECT o.tenant_id::text, 'evt_' || replace(o.id::text, '-', ''), o.object_id, o.sequence, o.body::json -> 'data' ->> 'key',
        (o.body::json -> 'data' ->> 'rolled_back')::bool
    FROM webhook_outbox o
"""
DELIVERIES = """
    SELECT d.endpoint_id::text, 'evt_' || replace(d.event_id::text, '-', ''), d.status, d.attempt_count FROM webhook_deliveries d
"""


@dataclass
class Play:
    """The stage, what was planned on it, and what was killed at how many finished deliveries."""

    stage: Theatre
    plan: dict[str, Any]
    log: Path
    paths: dict[str, str]  # endpoint → path
    tenants: dict[str, str]  # path → tenant
    killed: list[tuple[str, int]] = field(default_factory=list)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database, as somebody whom row-level security does not bind."""
        with self.stage.cluster.connect(database=DATABASE) as connection:
            return connection.execute(query).fetchall()

    def number(self, query: str) -> int:
        """Return a count; -1 while the database is away."""
        with suppress(psycopg.OperationalError):
            return int(self.rows(query)[0][0])
        return -1

    def kill(self, *names: str) -> None:
        """Kill parts, note how far the deliveries were, and start them again."""
        self.killed += [(name, self.number(FINISHED)) for name in names]
        for name in names:
            self.stage.parts[name].stop(signal.SIGKILL)
        for name in names:
            self.stage.parts[name].begin()

    def have_all_written(self) -> bool:
        writers = [part.process for name, part in self.stage.parts.items() if name.startswith("writer")]
        ends = [writer.poll() for writer in writers if writer]
        assert not [end for end in ends if end], self.last_lines()
        return None not in ends

    def is_over(self) -> bool:
        return self.have_all_written() and self.number(UNFINISHED) == 0

    def requests(self) -> list[Request]:
        """Return what the receiver was sent, in its order."""
        return [Request(**json.loads(line)) for line in self.log.read_text().splitlines()]

    def last_lines(self) -> str:
        logs = [part.log for part in self.stage.parts.values() if part.log.exists()]
        return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in logs)


@pytest.fixture
def play(committed_db: None, tmp_path: Path, settings: Settings) -> Iterator[Play]:
    settings.IRISX_DEMO = True
    plan: dict[str, Any] = {
        "events": EVENTS, "objects": OBJECTS, "pause_seconds": 0.0 if IS_LONG else 0.02, "tenants": [],
        "port": free_port(), "log": str(tmp_path / "requests"), "paths": {},
    }  # fmt: skip
    paths: dict[str, str] = {}
    for number in range(TENANTS):
        plan["tenants"].append(planned(number, plan, paths))
    tenants = {path: plan["tenants"][int(path.split("/")[1])]["id"] for path in paths.values()}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with theatre(ping_seconds=1.0, processes=0) as stage:
        add(stage, "receiver", "-m", "tests.chaos.webhook_receiver", str(tmp_path / "plan.json"))
        for number in range(2):
            add(stage, f"worker{number}", "-m", "tests.chaos.webhook_worker")
        for number in range(WRITERS):
            add(stage, f"writer{number}", "-m", "tests.chaos.webhook_writer", str(tmp_path / "plan.json"), str(number))
        yield Play(stage, plan, Path(plan["log"]), paths, tenants)


def planned(number: int, plan: dict[str, Any], paths: dict[str, str]) -> dict[str, str]:
    """Make a company with an endpoint of each character; remember where they are and their secrets."""
    company = make_company(f"C{number}", owner="O", agent="A", finance="F")
    tenant = {"id": str(company.tenant.pk), "rotated": ""}
    for character in CHARACTERS:
        path = f"/{number}/{character}"
        with tenant_scope(company.tenant.pk):
            endpoint, secret = create_endpoint(
                tenant_id=company.tenant.pk, url=f"http://127.0.0.1:{plan['port']}{path}", now=timezone.now()
            )
        plan["paths"][path] = {"character": character, "secret": secret}
        paths[str(endpoint.pk)] = path
        tenant["rotated"] = str(endpoint.pk)
    return tenant


def add(stage: Theatre, name: str, *arguments: str) -> None:
    """Add a program of ours to the stage, not begun."""
    environment = outside_environment() | {
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "DJANGO_SETTINGS_MODULE": "irisx.settings",
        "DATABASE_URL": stage.cluster.url(role=SERVING, database=DATABASE),
        "REDIS_URL": stage.redis_url,
        "IRISX_DEMO": "true",
    }
    program = Program(name=name, command=(sys.executable, *arguments), environment=environment, cwd=ROOT)
    stage.parts[name] = Part(program, lambda: True, stage.folder / f"{name}.log")


def test_every_event_arrives_signed_and_in_order_whatever_dies(play: Play) -> None:
    began = time.monotonic()
    for name, part in play.stage.parts.items():
        if name.startswith(("receiver", "worker", "writer")):
            part.begin()
    kills = LONG if IS_LONG else SHORT
    total = EVENTS * WRITERS * len(CHARACTERS)
    for turn, names in enumerate(kills, start=1):
        wait_for(play, total * turn // (len(kills) + 2))
        play.kill(*names)
    assert eventually(play.is_over, seconds=DONE_WITHIN_SECONDS), (play.number(UNFINISHED), play.last_lines())
    seconds = time.monotonic() - began
    play.stage.parts["receiver"].stop(signal.SIGTERM)
    requests = play.requests()
    check_events(play)
    check_deliveries(play, requests)
    check_order(requests)
    fates = Counter(request.fate for request in requests)
    print(f"{total} deliveries, {len(requests)} requests in {seconds:.0f} s; {dict(fates)}; killed at {play.killed}")


def wait_for(play: Play, count: int) -> None:
    """Wait until so many deliveries are finished, so that what is killed is killed amid them."""
    in_time = eventually(lambda: play.number(FINISHED) >= count, seconds=DONE_WITHIN_SECONDS)
    assert in_time, (play.killed, play.number(FINISHED), play.last_lines())


def check_events(play: Play) -> None:
    """The outbox holds what was committed once, nothing that was rolled back, and each object's numbers without a gap."""
    rows = play.rows(OUTBOX)
    expected = Counter(
        (str(batch.tenant_id), object_id, batch.key)
        for number in range(WRITERS)
        for batch in batches_of(play.plan, number)
        for object_id in batch.objects
        if not batch.is_rolled_back
    )
    assert Counter((tenant, object_id, key) for tenant, _, object_id, _, key, _ in rows) == expected
    assert not [key for *_, key, is_rolled_back in rows if is_rolled_back]
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for tenant, _, object_id, sequence, *_ in rows:
        numbers[tenant, object_id].append(sequence)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())


def check_deliveries(play: Play, requests: list[Request]) -> None:
    """Each event was taken at each endpoint of its tenant, or refused for ever to the end of the schedule; all signed."""
    owner = {id: tenant for tenant, id, *_ in play.rows(OUTBOX)}
    wanted = {(path, id) for path, tenant in play.tenants.items() for id, of in owner.items() if of == tenant}
    assert {(request.path, request.id) for request in requests} == wanted
    never = {(path, id) for path, id in wanted if not path.endswith("steady") and is_refused_for_ever(path, id)}
    assert {(request.path, request.id) for request in requests if request.fate in GOOD_FATES} == wanted - never
    stored = {(play.paths[endpoint], id): (status, count) for endpoint, id, status, count in play.rows(DELIVERIES)}
    assert set(stored) == wanted
    assert {place for place, (status, _) in stored.items() if status == "failed"} == never
    assert {stored[place][1] for place in never} <= {MOST_TRIES}
    assert [request for request in requests if not request.is_signed] == []
    rotated = play.paths[play.plan["tenants"][0]["rotated"]]
    assert {request.signatures for request in requests if request.path == rotated} == {1, 2}
    assert {request.signatures for request in requests if request.path != rotated} == {1}
    for name in ("worker0", "worker1"):
        assert [at for killed, at in play.killed if killed == name and 0 < at < len(wanted)], play.killed


def check_order(requests: list[Request]) -> None:
    """At each endpoint, of each object: one at a time, and none before those ahead were taken or had failed three times."""
    lanes: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for request in requests:
        lanes[request.path, request.object_id].append(request)
    for found in lanes.values():
        found.sort(key=lambda request: request.began)
        assert [(one, other) for one, other in pairwise(found) if other.began < one.ended] == []
        assert list(wrong_turns(found)) == []
    assert any(is_overtaken(found) for found in lanes.values())


def wrong_turns(lane: Iterable[Request]) -> Iterator[tuple[Request, int]]:
    """Yield the first requests that came though an event ahead was neither taken nor had failed three times."""
    taken: set[int] = set()
    failures: Counter[int] = Counter()
    seen: set[int] = set()
    for request in lane:
        if request.sequence not in seen:
            ahead = set(range(1, request.sequence)) - taken
            yield from ((request, number) for number in ahead if failures[number] < HOLDING_TRIES)
        seen.add(request.sequence)
        if request.fate in GOOD_FATES:
            taken.add(request.sequence)
        else:
            failures[request.sequence] += 1


def is_overtaken(lane: list[Request]) -> bool:
    """Tell whether an event came after a later one had."""
    return any(other.sequence < one.sequence for one, other in pairwise(lane))


def seen(sequence: int, at: float, fate: Fate, *, took: float = 0.1) -> Request:
    return Request("/", f"evt_{sequence}", "cc_1", sequence, 1, fate.value, at, at + took, True, 1)


REFUSED, TAKEN = Fate.REFUSED, Fate.TAKEN


@pytest.mark.parametrize(
    ("lane", "wrong"),
    [
        ([seen(1, 0, TAKEN), seen(2, 1, TAKEN)], []),
        ([seen(1, 0, REFUSED), seen(1, 1, REFUSED), seen(1, 2, REFUSED), seen(2, 3, TAKEN), seen(1, 4, TAKEN)], []),
        ([seen(1, 0, TAKEN), seen(2, 1, TAKEN), seen(1, 2, TAKEN), seen(3, 3, TAKEN)], []),
        ([seen(2, 0, TAKEN), seen(1, 1, TAKEN)], [1]),
        ([seen(1, 0, REFUSED), seen(1, 1, REFUSED), seen(2, 2, TAKEN), seen(1, 3, TAKEN)], [1]),
        ([seen(1, 0, TAKEN), seen(4, 1, TAKEN)], [2, 3]),
    ],
)
def test_the_check_sees_what_came_too_early(lane: list[Request], wrong: list[int]) -> None:
    assert [number for _, number in wrong_turns(lane)] == wrong


def test_the_check_sees_two_under_way_at_once() -> None:
    with pytest.raises(AssertionError):
        check_order([seen(1, 0, TAKEN, took=2), seen(2, 1, TAKEN)])
