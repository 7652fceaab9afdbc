"""A whole installation to break: PostgreSQL, Valkey, a simulated FreeSWITCH and the web process, apart from all others."""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis

from irisx import health
from irisx.local.accounts import forget_home
from irisx.local.ports import LOOPBACK, free_port
from irisx.local.postgres import Cluster
from irisx.local.processes import Program, spawn
from irisx.local.programs import ROOT
from irisx.local.roles import DATABASE, OWNER, SERVING
from irisx.local.servers import cluster_in, server_environment, valkey_in
from irisx.local.testsession import outside_environment
from tests.local.waiting import eventually


@dataclass(frozen=True)
class Answer:
    """What one request got, and after how long."""

    status: int
    text: str
    seconds: float

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.text))


@dataclass
class Part:
    """One process of the stage."""

    program: Program
    is_ready: Callable[[], bool]
    recover: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.recover()
        self.process = spawn(self.program, output=subprocess.DEVNULL)
        assert eventually(self.is_ready, seconds=30.0), f"{self.program.name} did not start"

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(self.program.stop_signal)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(20)
            self.process = None

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)


@dataclass
class Stage:
    """The parts, and ways to break them for the time of a test."""

    web_port: int
    redis_url: str
    parts: dict[str, Part] = field(default_factory=dict)

    def ask(self, path: str) -> Answer:
        began = time.monotonic()
        connection = http.client.HTTPConnection(LOOPBACK, self.web_port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return Answer(status=response.status, text=text, seconds=time.monotonic() - began)

    def beat(self) -> None:
        """Leave the signs of life of a worker, a listener and the deliveries, which do not run here."""
        with redis.Redis.from_url(self.redis_url) as client:
            for name in ("worker", "webhooks", "listener"):
                client.set(f"irisx:alive:{name}", int(time.time()))

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        for name in names:
            self.parts[name].stop()
        try:
            yield
        finally:
            for name in names:
                self.parts[name].start()

    @contextmanager
    def hanging(self, *names: str) -> Iterator[None]:
        for name in names:
            self.parts[name].send(signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.parts[name].send(signal.SIGCONT)


@contextmanager
def staged() -> Iterator[Stage]:
    """Set the stage up, as if migrated, and clear it away."""
    home = Path(tempfile.mkdtemp(prefix="irisx-stage-")).resolve()
    home.chmod(0o711)  # PostgreSQL's account passes through
    stage = Stage(web_port=free_port(), redis_url="")
    try:
        _build(stage, home)
        yield stage
    finally:
        for part in reversed(stage.parts.values()):
            part.stop()
        forget_home(home)
        shutil.rmtree(home)


def _build(stage: Stage, home: Path) -> None:
    passwords = {role: secrets.token_hex(8) for role in ("postgres", OWNER, SERVING)}
    cluster = cluster_in(home, port=free_port(), passwords=passwords, is_durable=False)
    valkey = valkey_in(home, port=free_port(), password=secrets.token_hex(8), is_durable=False)
    environment = server_environment(home)
    cluster.initialise(environment=environment)
    postgres = Part(cluster.program(environment=environment), cluster.is_ready, cluster.recover)
    _add(stage, "postgres", postgres)
    cluster.prepare()
    _note_migrations(cluster)
    _add(stage, "valkey", Part(valkey.program(environment=environment), valkey.is_ready))
    stage.redis_url = valkey.url
    settings = outside_environment() | {
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": cluster.url(role=SERVING, database=DATABASE),
        "REDIS_URL": valkey.url,
        "FREESWITCH_URL": f"esl://:secret@{LOOPBACK}:{(esl_port := free_port())}",
        "IRISX_MEDIA_ROOT": str(home / "media"),
    }
    simulator = ("-m", "telephony.simulator", "--port", str(esl_port), "--password", "secret")
    _add(stage, "freeswitch", Part(_python("simulator", simulator, settings), lambda: _listens(esl_port)))
    web = ("-m", "uvicorn", "irisx.asgi:application", "--port", str(stage.web_port), "--lifespan", "off")
    web = (*web, "--ws", "irisx.websocket:WebSocketProtocol")
    _add(stage, "web", Part(_python("web", web, settings), lambda: _listens(stage.web_port)))


def _note_migrations(cluster: Cluster) -> None:
    """Say that every migration was applied, and next month made: all that /health and /readyz read, ten seconds sooner."""
    with cluster.connect(database=DATABASE) as connection:
        connection.execute("CREATE TABLE django_migrations (app text, name text)")
        connection.execute(f"GRANT SELECT ON django_migrations TO {SERVING}")
        rows = [name.split(".", 1) for name in health._known_migrations()]
        connection.cursor().executemany("INSERT INTO django_migrations VALUES (%s, %s)", rows)
        month = connection.execute(
            "SELECT to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')"
        ).fetchone()
        connection.execute(f"CREATE TABLE usage_records_{month[0] if month else ''} ()")


def _add(stage: Stage, name: str, part: Part) -> None:
    stage.parts[name] = part
    part.start()


def _python(name: str, arguments: tuple[str, ...], environment: dict[str, str]) -> Program:
    program = Program(name=name, command=(sys.executable, *arguments), environment=environment, cwd=ROOT)
    return replace(program, stop_signal=signal.SIGTERM)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == os.EX_OK
