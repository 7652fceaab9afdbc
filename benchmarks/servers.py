"""A throw-away database for a benchmark, and the web process as in production in front of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django
import httpx
from django.test.utils import setup_test_environment

from benchmarks.conditions import ROOT
from irisx.local.ports import free_port
from irisx.local.testservers import Servers, begin_session, end_session, own_valkey

DURABLE = ("fsync = on", "synchronous_commit = on", "full_page_writes = on")


@contextmanager
def database(*, is_durable: bool) -> Iterator[str]:
    """Start PostgreSQL and Valkey, migrate, set Django up for them, and give the database's address to the serving role.

    What `is_durable` asks for is fsync, as in production; memory and checkpoints are as PostgreSQL ships them, except room for
    the write-ahead log.
    """
    servers = Servers()
    session = begin_session(servers, {})
    try:
        name = f"{session.template}_bench"
        os.environ["REDIS_URL"] = own_valkey(servers, session, name="bench")
        environment = session.environment(database=name, redis_url=os.environ["REDIS_URL"])
        os.environ.update(environment)
        os.environ.update({"DEBUG": "false", "IRISX_DEMO": "true", "IRISX_LOG_LEVEL": "ERROR"})
        os.environ["DJANGO_SETTINGS_MODULE"] = "irisx.settings"
        session.create_copy(name)
        with session.connect(database=name) as connection:
            for setting in (*(DURABLE if is_durable else ()), "max_wal_size = '8GB'"):
                connection.execute(f"ALTER SYSTEM SET {setting}")  # a constant of this module
            connection.execute("SELECT pg_reload_conf()")
            row = connection.execute("SHOW server_version").fetchone()
        print(f"database  PostgreSQL {row[0] if row else '?'}, fsync {'on' if is_durable else 'off'}\n", flush=True)
        django.setup()
        setup_test_environment()  # no mail is sent
        yield environment["DATABASE_URL"].replace("postgres://", "postgresql://")
    finally:
        end_session(session, servers)


@contextmanager
def web() -> Iterator[str]:
    """Run one web process, and give its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "irisx.asgi:application", "--port", str(port), "--log-level", "error"]
    environment = os.environ | {"IRISX_BASE_URL": address}
    process = subprocess.Popen([*command, "--lifespan", "off"], cwd=ROOT, env=environment)
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            httpx.get(f"{address}/livez")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the web process did not start")
