"""irisx.health: the truth about each part, told in time whatever is down or hangs."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from irisx import health
from irisx.release.findings import Finding
from irisx.release.standing import Standing
from tests.irisx.stage import Stage, staged
from tests.local.waiting import eventually

NOW = 1_800_000_000.0
KNOWN = set(health._known_migrations())
FRESH = {"worker": NOW - 1, "webhooks": NOW - 2, "listener": NOW - 30}
WORDS = {
    "healthy", "degraded", "unhealthy", "connected", "disconnected", "not configured",
    "applied", "missing", "intact", "drifted", "ready", "unknown", "running", "stale",
}  # fmt: skip
MOST_SECONDS = 2.0


def report(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "applied": KNOWN,
        "heartbeats": FRESH,
        "switches": [True],
        "has_next_month": True,
        "release": Standing("intact", "0.1.0", "", ()),
        "now": NOW,
    }
    return health.report(**found | changes)


class TestTheReport:
    def test_is_healthy_when_everything_is(self) -> None:
        assert report() == {
            "status": "healthy",
            "version": settings.IRISX_VERSION,
            "database": {"status": "connected"},
            "redis": {"status": "connected"},
            "freeswitch": {"status": "connected"},
            "ivr": {"activeSessions": 0},
            "migrations": dict.fromkeys(sorted(KNOWN), "applied"),
            "partitions": {"status": "ready"},
            "workers": {"status": "running"},
            "release": {"status": "intact", "drift": 0},
        }

    def test_is_degraded_when_what_stands_is_not_what_was_built(self) -> None:
        faults = (
            Finding("files", "manage.py", "was changed"),
            Finding("packages", "six", "is beside the lock", "warning"),
        )
        body = report(release=Standing("drifted", "0.1.0", "", faults))
        assert (body["status"], body["release"]) == ("degraded", {"status": "drifted", "drift": 1})

    @pytest.mark.parametrize("release", [None, Standing("unknown", "0.1.0", "", ())])
    def test_is_healthy_in_a_checkout_that_was_never_built(self, release: Standing | None) -> None:
        body = report(release=release)
        assert (body["status"], body["release"]) == ("healthy", {"status": "unknown", "drift": 0})

    @pytest.mark.parametrize(("has_next_month", "status"), [(False, "missing"), (None, "unknown")])
    def test_is_degraded_without_next_month_s_partition(self, has_next_month: bool | None, status: str) -> None:
        body = report(has_next_month=has_next_month)
        assert (body["status"], body["partitions"]) == ("degraded", {"status": status})

    def test_is_unhealthy_without_a_database_and_knows_no_migration(self) -> None:
        body = report(applied=None)
        assert (body["status"], body["database"]) == ("unhealthy", {"status": "disconnected"})
        assert set(body["migrations"].values()) == {"unknown"}

    def test_is_degraded_without_valkey_and_knows_no_worker(self) -> None:
        body = report(heartbeats=None)
        assert (body["status"], body["redis"], body["workers"]) == (
            "degraded", {"status": "disconnected"}, {"status": "unknown"},
        )  # fmt: skip

    @pytest.mark.parametrize("switches", [None, [False], [True, False]])
    def test_is_degraded_while_any_switch_is_silent(self, switches: list[bool] | None) -> None:
        body = report(switches=switches)
        assert (body["status"], body["freeswitch"]) == ("degraded", {"status": "disconnected"})

    def test_is_healthy_without_telephony(self) -> None:
        body = report(switches=[])
        assert (body["status"], body["freeswitch"]) == ("healthy", {"status": "not configured"})

    @pytest.mark.parametrize("silent", ["worker", "webhooks", "listener"])
    def test_is_degraded_when_a_process_fell_silent(self, silent: str) -> None:
        body = report(heartbeats=FRESH | {silent: NOW - 31})
        assert (body["status"], body["workers"]) == ("degraded", {"status": "stale"})

    def test_is_degraded_and_names_a_missing_migration(self) -> None:
        body = report(applied=KNOWN - {"accounts.0001_initial"})
        assert body["status"] == "degraded"
        assert [name for name, state in body["migrations"].items() if state == "missing"] == ["accounts.0001_initial"]


class TestTheAddresses:
    def test_say_that_this_process_lives(self, client: Client) -> None:
        answer = client.get("/livez")
        assert (answer.status_code, answer.content) == (200, b"ok\n")

    def test_say_that_this_process_can_serve(self, client: Client, db: None) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.content) == (200, b"ready\n")

    def test_say_not_ready_while_a_migration_is_missing(
        self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health, "_known_migrations", lambda: ("accounts.9999_of_a_newer_release",))
        assert client.get("/readyz").status_code == 503

    def test_ask_for_no_sign_in_and_set_no_cookie(self, client: Client, db: None) -> None:
        for path in ("/health", "/livez", "/readyz"):
            assert not client.get(path).cookies


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    with staged() as found:
        yield found


@pytest.fixture
def stage(running: Stage) -> Stage:
    """The stage, healthy again after what an earlier test did to it."""
    running.beat()
    assert eventually(lambda: running.ask("/health").body["status"] == "healthy"), running.ask("/health").text
    return running


def words_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from words_in(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.xdist_group("health")
class TestARunningInstallation:
    @pytest.mark.parametrize("how", ["stopped", "hanging"])
    @pytest.mark.parametrize(
        ("part", "name", "status", "code"),
        [
            ("postgres", "database", "unhealthy", 503),
            ("valkey", "redis", "degraded", 200),
            ("freeswitch", "freeswitch", "degraded", 200),
        ],
    )
    def test_tells_in_time_which_part_is_gone(
        self, stage: Stage, part: str, name: str, status: str, code: int, how: str
    ) -> None:
        with getattr(stage, how)(part):
            answers = [stage.ask("/health") for _ in range(3)]
        for answer in answers:
            assert (answer.status, answer.body["status"], answer.body[name]["status"]) == (code, status, "disconnected")
            assert answer.seconds < MOST_SECONDS

    @pytest.mark.parametrize("how", ["stopped", "hanging"])
    def test_tells_in_time_that_every_part_is_gone(self, stage: Stage, how: str) -> None:
        with getattr(stage, how)("postgres", "valkey", "freeswitch"):
            answer, alive = stage.ask("/health"), stage.ask("/livez")
        assert (answer.status, alive.status) == (503, 200)
        assert max(answer.seconds, alive.seconds) < MOST_SECONDS
        # Not a word of what went wrong: neither errors nor hosts nor names of nodes.
        assert set(words_in(answer.body)) - {answer.body["version"]} <= WORDS

    @pytest.mark.parametrize("how", ["stopped", "hanging"])
    def test_is_not_ready_without_its_database(self, stage: Stage, how: str) -> None:
        with getattr(stage, how)("postgres"):
            answer = stage.ask("/readyz")
        assert (answer.status, answer.text) == (503, "not ready\n")
        assert answer.seconds < MOST_SECONDS

    @pytest.mark.parametrize("how", ["stopped", "hanging"])
    def test_serves_on_without_valkey_and_freeswitch(self, stage: Stage, how: str) -> None:
        with getattr(stage, how)("valkey", "freeswitch"):
            answer = stage.ask("/readyz")
        assert (answer.status, answer.text) == (200, "ready\n")
        assert answer.seconds < MOST_SECONDS

    def test_answers_several_at_once_in_time_while_the_database_hangs(self, stage: Stage) -> None:
        with stage.hanging("postgres"), ThreadPoolExecutor(5) as askers:
            answers = list(askers.map(lambda _: stage.ask("/health"), range(5)))
        assert {answer.status for answer in answers} == {503}
        assert max(answer.seconds for answer in answers) < MOST_SECONDS

    def test_is_valid_json_of_its_own_media_type(self, stage: Stage) -> None:
        assert json.loads(stage.ask("/health").text)["status"] == "healthy"
