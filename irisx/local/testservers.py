"""Begin and end a test session: throw-away servers, or the ones the environment names."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from irisx.local.accounts import forget_home
from irisx.local.errors import StartError
from irisx.local.ports import free_port
from irisx.local.postgres import SUPERUSER
from irisx.local.processes import Program, identify, spawn
from irisx.local.roles import OWNER, SERVING
from irisx.local.servers import cluster_in, server_environment, valkey_in
from irisx.local.testsession import TestSession, at_database

FOLDER_PREFIX = "irisx-test-"
OWNER_FILE = "session"
SERVING_RIGHTS = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
ADMIN_RIGHTS = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"


class Servers:
    """The server processes one test process started; they die with it, by `stop` or by its death."""

    def __init__(self) -> None:
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []

    def start(self, program: Program, *, log: Path, is_ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Start a server and wait until it is ready; raise StartError with its log when it is not."""
        with log.open("wb") as output:
            process = spawn(program, output=output)
        self._running.append((program, process))
        deadline = time.monotonic() + seconds
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StartError(f"{program.name} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def has(self, name: str) -> bool:
        """Tell whether we started a server of this name."""
        return any(program.name == name for program, _ in self._running)

    def stop(self) -> None:
        """Stop every server, the last started first."""
        while self._running:
            program, process = self._running.pop()
            process.send_signal(program.stop_signal)
            process.send_signal(signal.SIGCONT)
            try:
                process.wait(program.stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def begin_session(servers: Servers, environ: Mapping[str, str], *, is_durable: bool = False) -> TestSession:
    """Begin a session on the server of DATABASE_URL, or start one (`is_durable`: one that waits for the disk)."""
    sweep()
    database_url = environ.get("DATABASE_URL", "")
    migration_url = environ.get("DATABASE_MIGRATION_URL") or database_url
    if database_url:
        check_rights(database_url=database_url, migration_url=migration_url)
    directory = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)).resolve()
    directory.chmod(0o711)  # PostgreSQL's account passes through
    (directory / OWNER_FILE).write_text(_note(os.getpid()))
    template = f"irisx_test_{secrets.token_hex(4)}"
    redis_url = environ.get("REDIS_URL", "")
    if database_url:
        return TestSession(str(directory), template, migration_url, database_url, migration_url, redis_url)
    return _start_cluster(servers, directory, template=template, redis_url=redis_url, is_durable=is_durable)


def end_session(session: TestSession, servers: Servers) -> None:
    """Leave nothing behind: neither a database on a given server nor a folder."""
    if not servers.has("postgres"):
        session.drop_databases()
    servers.stop()
    _delete(Path(session.directory))


def own_valkey(servers: Servers, session: TestSession, *, name: str) -> str:
    """Start the Valkey of one test process: pub/sub ignores database numbers, so that each needs its own."""
    home = Path(session.directory) / name
    home.mkdir(mode=0o700)
    valkey = valkey_in(home, port=free_port(), password=secrets.token_hex(16), is_durable=False)
    program = valkey.program(environment=server_environment(home))
    servers.start(program, log=home / "valkey.log", is_ready=valkey.is_ready)
    return valkey.url


def given_valkey(session: TestSession, *, index: int) -> str:
    """Choose a database of the given server for one test process; refuse one that holds something: tests clear it."""
    first = int(urlsplit(session.redis_url).path.strip("/") or 0)
    url = at_database(session.redis_url, str(first + index))
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
            size = client.dbsize()
    except redis.RedisError as error:
        raise StartError(f"The tests cannot use the given REDIS_URL, database {first + index}: {error}.") from error
    if size:
        raise StartError(f"Database {first + index} of REDIS_URL is not empty, and tests clear it: give another one.")
    return url


def check_rights(*, database_url: str, migration_url: str) -> None:
    """Refuse a given server on which the tests would prove nothing or could not run; say what is missing."""
    if _first(database_url, SERVING_RIGHTS):
        raise StartError(
            "The role of DATABASE_URL bypasses row-level security, so that tests would prove nothing: use irisx_app "
            "(LOGIN NOINHERIT), and give a role that may create databases in DATABASE_MIGRATION_URL."
        )
    if not _first(migration_url, ADMIN_RIGHTS):
        raise StartError(
            "The role of DATABASE_MIGRATION_URL may not create databases, and every test process needs its own: "
            "ALTER ROLE … CREATEDB, or leave DATABASE_URL unset to run an embedded server."
        )


def sweep() -> None:
    """Delete the folders of sessions that were killed; their servers died with them."""
    for directory in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        try:
            note = (directory / OWNER_FILE).read_text()
            pid = int(note.partition(" ")[0])
        except (OSError, ValueError):
            continue
        if directory.stat().st_uid == os.geteuid() and note != _note(pid):
            _delete(directory)


def _start_cluster(
    servers: Servers, directory: Path, *, template: str, redis_url: str, is_durable: bool
) -> TestSession:
    passwords = {role: secrets.token_hex(16) for role in (SUPERUSER, OWNER, SERVING)}
    cluster = cluster_in(directory, port=free_port(), passwords=passwords, is_durable=is_durable)
    environment = server_environment(directory)
    cluster.initialise(environment=environment)
    program = cluster.program(environment=environment)
    servers.start(program, log=directory / "postgres.log", is_ready=cluster.is_ready)
    cluster.prepare()
    admin_url, database_url, migration_url = (
        cluster.url(role=role, database="postgres") for role in (SUPERUSER, SERVING, OWNER)
    )
    return TestSession(str(directory), template, admin_url, database_url, migration_url, redis_url)


def _delete(directory: Path) -> None:
    forget_home(directory)
    shutil.rmtree(directory, ignore_errors=True)


def _first(url: str, query: str) -> bool:
    try:
        with psycopg.connect(at_database(url, "postgres"), connect_timeout=5) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.OperationalError as error:
        raise StartError(f"The tests cannot connect to the given PostgreSQL: {str(error).splitlines()[0]}") from error
    return bool(row and row[0])


def _note(pid: int) -> str:
    process = identify(pid)
    return f"{pid} {process.started}" if process else ""
