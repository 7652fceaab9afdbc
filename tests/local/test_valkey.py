"""irisx.local.valkey"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from irisx.local.ports import free_port
from irisx.local.processes import marked_by, spawn
from irisx.local.servers import server_environment, valkey_in
from irisx.local.valkey import Valkey
from tests.local.waiting import eventually


@pytest.fixture
def valkey(state: Path) -> Valkey:
    return valkey_in(state, port=free_port(), password="right")


@contextmanager
def running(valkey: Valkey) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server; stop it if it still runs."""
    program = valkey.program(environment=server_environment(valkey.data.parent))
    process = spawn(program, output=subprocess.DEVNULL)
    try:
        assert eventually(valkey.is_ready)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def test_refuses_a_wrong_password(valkey: Valkey) -> None:
    with running(valkey):
        assert not replace(valkey, password="wrong").is_ready()
        client = redis.Redis.from_url(valkey.url.replace("right", "wrong"))
        with client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_hides_its_password_from_the_process_list(valkey: Valkey) -> None:
    with running(valkey) as process:
        assert b"right" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert (valkey.data / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_keeps_its_data_after_sigkill(valkey: Valkey) -> None:
    with running(valkey) as process:
        with redis.Redis.from_url(valkey.url) as client:
            client.set("kept", "42")
        process.kill()
        process.wait()
    with running(valkey), redis.Redis.from_url(valkey.url) as client:
        assert client.get("kept") == b"42"


def test_keeps_the_mark_by_which_we_know_it(valkey: Valkey, state: Path) -> None:
    with running(valkey) as process:
        assert [found.pid for found in marked_by(state)] == [process.pid]
