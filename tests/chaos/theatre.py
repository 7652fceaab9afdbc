"""Servers of our own to be broken: PostgreSQL with a copy of this process's database, Valkey, and web processes with faults."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from irisx.local.accounts import forget_home
from irisx.local.ports import LOOPBACK, free_port
from irisx.local.postgres import SUPERUSER, Cluster
from irisx.local.processes import Program, spawn
from irisx.local.programs import ROOT
from irisx.local.roles import DATABASE, OWNER, SERVING
from irisx.local.servers import cluster_in, server_environment, valkey_in
from irisx.local.testsession import TestSession, at_database, database_of, outside_environment
from tests.local.waiting import eventually

LOG = """
SELECT seq, visitor_seq, payload -> 'message' ->> 'client_message_id', occurred_at FROM chat_events
WHERE conversation_id = %s ORDER BY seq
"""


@dataclass
class Part:
    """One process, and its log."""

    program: Program
    is_ready: Callable[[], bool]
    log: Path
    recover: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        self.recover()
        with self.log.open("ab") as output:
            self.process = spawn(self.program, output=output)

    def start(self) -> None:
        self.begin()
        assert eventually(self.is_ready, seconds=60.0), f"{self.program.name}: {self.log.read_text()[-3000:]}"

    def stop(self, number: signal.Signals | None = None) -> None:
        if self.process:
            self.process.send_signal(number or self.program.stop_signal)
            self.process.wait(20)
            self.process = None


@dataclass
class Theatre:
    """The running parts by name."""

    folder: Path
    cluster: Cluster
    redis_url: str
    ports: list[int]
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url)

    def faults(self, *, on: bool) -> None:
        """Switch the doorbell's faults."""
        (self.folder / "faults").touch() if on else (self.folder / "faults").unlink(missing_ok=True)

    def restart(self, name: str, *, with_signal: signal.Signals | None = None) -> None:
        """Stop a part (by its own signal, or another) and start it again."""
        self.parts[name].stop(with_signal)
        self.parts[name].start()

    def raise_the_dead(self) -> list[str]:
        """Start the parts whose process has died, without waiting for them; return their names."""
        dead = [name for name, part in self.parts.items() if part.process and part.process.poll() is not None]
        for name in dead:
            self.parts[name].begin()
        return dead

    def last_lines(self) -> list[str]:
        """Return the ends of the web processes' logs."""
        return [part.log.read_text()[-2000:] for name, part in self.parts.items() if name.startswith("web")]

    def log(self, conversation: str) -> list[tuple[int, int | None, str | None, Any]]:
        """Return what the database holds of a conversation."""
        with self.cluster.connect(database=DATABASE) as connection:
            return connection.execute(LOG, [conversation]).fetchall()


@contextmanager
def theatre(*, ping_seconds: float, processes: int) -> Iterator[Theatre]:
    """Copy this process's database and run the application on it."""
    home = Path(tempfile.mkdtemp(prefix="irisx-chaos-")).resolve()
    home.chmod(0o711)  # PostgreSQL's account passes through
    faults = home / "faults-of"
    faults.mkdir()
    passwords = {role: secrets.token_hex(8) for role in (SUPERUSER, OWNER, SERVING)}
    cluster = cluster_in(home, port=free_port(), passwords=passwords, is_durable=True)
    valkey = valkey_in(home, port=free_port(), password=secrets.token_hex(8), is_durable=False)
    stage = Theatre(faults, cluster, valkey.url, [free_port() for _ in range(processes)])
    try:
        environment = server_environment(home)
        cluster.initialise(environment=environment)
        program = cluster.program(environment=environment)
        _add(stage, "postgres", Part(program, cluster.is_ready, home / "postgres.log", cluster.recover))
        cluster.prepare()
        _copy_database(cluster)
        _add(stage, "valkey", Part(valkey.program(environment=environment), valkey.is_ready, home / "valkey.log"))
        for number, port in enumerate(stage.ports):
            stage.parts[f"web{number}"] = _web(stage, f"web{number}", port, ping_seconds)
            stage.parts[f"web{number}"].begin()
        for number in range(processes):
            web = stage.parts[f"web{number}"]
            assert eventually(web.is_ready, seconds=60.0), web.log.read_text()[-3000:]
        yield stage
    finally:
        for part in reversed(stage.parts.values()):
            part.stop()
        forget_home(home)
        shutil.rmtree(home, ignore_errors=True)


def _add(stage: Theatre, name: str, part: Part) -> None:
    stage.parts[name] = part
    part.start()


def _copy_database(cluster: Cluster) -> None:
    """Copy the database the tests of this process use, with what the test has committed to it."""
    source = at_database(TestSession.inherited().admin_url, database_of(os.environ["DATABASE_URL"]))
    target = cluster.url(role=SUPERUSER, database=DATABASE)
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE irisx_system NOLOGIN")
        connection.execute(f"GRANT irisx_system TO {SERVING}, {OWNER}")
    dump = subprocess.run([cluster.binaries.folder / "pg_dump", source], capture_output=True, check=True)
    subprocess.run(
        [cluster.binaries.folder / "psql", "-q", "-v", "ON_ERROR_STOP=1", target],
        input=dump.stdout,
        capture_output=True,
        check=True,
    )


def _web(stage: Theatre, name: str, port: int, ping_seconds: float) -> Part:
    own = {
        "DATABASE_URL": stage.cluster.url(role=SERVING, database=DATABASE),
        "REDIS_URL": stage.redis_url,
        "IRISX_RATE_LIMITS": "visitor-writes=1000000/1000000",
        "CHAOS_DIR": str(stage.folder),
        "CHAOS_PING_SECONDS": str(ping_seconds),
    }
    return web_process("tests.chaos.application:application", port=port, log=stage.folder / f"{name}.log", **own)


def web_process(application: str, *, port: int, log: Path, **environment: str) -> Part:
    """Describe a web process as production runs it, of this process's servers unless the environment names others."""
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    variables = outside_environment() | {name: os.environ[name] for name in names} | environment
    command = ("-m", "uvicorn", application, "--port", str(port), "--ws", "irisx.websocket:WebSocketProtocol")
    options = ("--lifespan", "on", "--timeout-graceful-shutdown", "3", "--log-level", "warning")
    program = Program(name=log.stem, command=(sys.executable, *command, *options), environment=variables, cwd=ROOT)
    return Part(program, lambda: _serves(port), log)


def _serves(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/livez", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
