"""deploy/healthcheck.py: each container's check tells a working service from one that is not."""

import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest
import redis

from tests.local.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
# A worker as ours, without our tasks: it starts sooner.
WORKER = """
import os, sys
from celery import Celery
LEAN = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
THREAD = ["-P", "threads", "-c", "1", "-l", "ERROR", "-n", sys.argv[1]]
Celery(broker=os.environ["REDIS_URL"]).worker_main(["worker", *THREAD, *LEAN])
"""


@pytest.fixture
def healthcheck() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthcheck", ROOT / "deploy" / "healthcheck.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Web(BaseHTTPRequestHandler):
    status = 200
    asked: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"]))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Write no access log."""


class TestWeb:
    @pytest.fixture
    def web(self, healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Web]]:
        Web.status, Web.asked = 200, []
        with HTTPServer(("127.0.0.1", 0), Web) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            monkeypatch.setattr(healthcheck, "PORT", server.server_port)
            monkeypatch.setenv("ALLOWED_HOSTS", "irisx.example,127.0.0.1")
            yield Web
            server.shutdown()

    def test_is_well_when_ready(self, healthcheck: ModuleType, web: type[Web]) -> None:
        assert healthcheck.main("web") == 0
        assert web.asked == [("/readyz", "irisx.example")]

    def test_is_not_well_when_not_ready(
        self, healthcheck: ModuleType, web: type[Web], capsys: pytest.CaptureFixture[str]
    ) -> None:
        web.status = 503
        assert healthcheck.main("web") == 1
        assert capsys.readouterr().err == "web is not well: /readyz answered 503\n"

    def test_is_not_well_when_nobody_listens(self, healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(healthcheck, "PORT", 9)
        assert healthcheck.main("web") == 1


class TestWorker:
    @pytest.mark.timeout(240)
    def test_answers_a_ping_or_is_not_well(self, healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(healthcheck, "SECONDS", 1.0)
        assert healthcheck.main("worker") == 1
        monkeypatch.setattr(healthcheck, "SECONDS", 3.0)
        with subprocess.Popen([sys.executable, "-c", WORKER, f"celery@{socket.gethostname()}"]) as worker:
            try:
                assert eventually(lambda: healthcheck.main("worker") == 0, seconds=200.0)
            finally:
                worker.terminate()

    def test_is_not_well_without_a_queue(
        self, healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
        assert healthcheck.main("worker") == 1
        assert capsys.readouterr().err.startswith("worker is not well: ")


class TestBeat:
    @pytest.fixture
    def schedule(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("BEAT_SCHEDULE", str(tmp_path / "schedule"))
        return tmp_path / "schedule.db"

    def test_is_well_while_it_writes_its_schedule(self, healthcheck: ModuleType, schedule: Path) -> None:
        schedule.touch()
        assert healthcheck.main("beat") == 0

    def test_is_not_well_once_it_stopped_writing(self, healthcheck: ModuleType, schedule: Path) -> None:
        schedule.touch()
        long_ago = time.time() - 500
        os.utime(schedule, (long_ago, long_ago))
        assert healthcheck.main("beat") == 1

    def test_is_not_well_before_it_wrote_any(self, healthcheck: ModuleType, schedule: Path) -> None:
        assert healthcheck.main("beat") == 1


@pytest.mark.parametrize("process", ["listener", "webhooks"])
class TestAProcessOfItsOwn:
    @pytest.mark.parametrize(("age_seconds", "status"), [(0, 0), (29, 0), (31, 1)])
    def test_is_well_while_its_signs_of_life_are_fresh(
        self, healthcheck: ModuleType, valkey_client: redis.Redis, process: str, age_seconds: int, status: int
    ) -> None:
        valkey_client.set(f"irisx:alive:{process}", int(time.time()) - age_seconds)
        assert healthcheck.main(process) == status

    def test_is_not_well_without_any(self, healthcheck: ModuleType, valkey_client: redis.Redis, process: str) -> None:
        assert healthcheck.main(process) == 1
