"""irisx.local.postgres"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from irisx.local.accounts import server_account
from irisx.local.errors import StartError
from irisx.local.postgres import Cluster
from irisx.local.processes import servers_in, spawn
from irisx.local.servers import server_environment
from tests.local.waiting import eventually


@contextmanager
def running(cluster: Cluster) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server; stop it if it still runs."""
    program = cluster.program(environment=server_environment(cluster.data.parent))
    with (cluster.data.parent / "postgres.log").open("ab") as log:
        process = spawn(program, output=log)
    try:
        assert eventually(cluster.is_ready)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


class TestCluster:
    def test_has_the_two_roles_and_the_owners_database(self, cluster: Cluster) -> None:
        with running(cluster):
            cluster.prepare()
            cluster.prepare()  # a repeat changes nothing
            with cluster.connect() as connection:
                roles = connection.execute(
                    "SELECT rolname, rolsuper, rolcanlogin, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls"
                    " FROM pg_roles WHERE rolname LIKE 'irisx%' ORDER BY 1"
                ).fetchall()
                owner = connection.execute("SELECT datdba::regrole::text FROM pg_database WHERE datname = 'irisx'")
                assert roles == [
                    ("irisx_app", False, True, False, False, False, False),
                    ("irisx_owner", False, True, True, True, False, False),
                ]
                assert owner.fetchone() == ("irisx_owner",)

    def test_lets_the_roles_in_by_their_passwords_only(self, cluster: Cluster) -> None:
        with running(cluster):
            cluster.prepare()
            with psycopg.connect(cluster.url(role="irisx_app", database="irisx")) as connection:
                assert connection.execute("SELECT lower('ÄÖÉ')").fetchone() == ("äöé",)
            forger = replace(cluster, passwords={**cluster.passwords, "postgres": "guessed"})
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                forger.connect()

    def test_never_runs_as_root(self, cluster: Cluster) -> None:
        account = server_account()
        with running(cluster) as process:
            assert Path(f"/proc/{process.pid}").stat().st_uid == (account.uid if account else os.getuid())
            assert cluster.data.stat().st_mode & 0o077 == 0


class TestRecovery:
    def test_keeps_committed_rows_after_sigkill(self, cluster: Cluster) -> None:
        cluster = replace(cluster, is_durable=True)
        with running(cluster) as process:
            with cluster.connect() as connection:
                connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            process.kill()
            process.wait()
        cluster.recover()
        with running(cluster), cluster.connect() as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)

    def test_ends_the_sessions_a_killed_server_left(self, cluster: Cluster) -> None:
        with running(cluster) as process:
            busy = cluster.connect()
            process.kill()
            process.wait()
            cluster.recover()
            assert servers_in(cluster.data, executable="postgres") == []
            busy.close()

    def test_starts_although_the_lock_file_names_a_living_stranger(self, cluster: Cluster) -> None:
        lock = cluster.data / "postmaster.pid"
        lock.write_text(f"{os.getpid()}\n{cluster.data}\n0\n{cluster.port}\n\n127.0.0.1\n0 0\nready\n")
        cluster.recover()
        with running(cluster):
            assert cluster.is_ready()

    def test_makes_nothing_anew_the_second_time(self, cluster: Cluster, state: Path) -> None:
        assert cluster.initialise(environment=server_environment(state)) is False

    def test_begins_again_after_an_interrupted_initdb(self, cluster: Cluster, state: Path) -> None:
        cluster.data.rename(cluster.data.with_name("postgres.new"))
        (cluster.data.with_name("postgres.new") / "PG_VERSION").unlink()
        assert cluster.initialise(environment=server_environment(state)) is True

    def test_refuses_data_of_another_version(self, cluster: Cluster, state: Path) -> None:
        (cluster.data / "PG_VERSION").write_text("12\n")
        with pytest.raises(StartError, match=r"was made by PostgreSQL 12, this one is .*: run `make demo-reset`"):
            cluster.initialise(environment=server_environment(state))
