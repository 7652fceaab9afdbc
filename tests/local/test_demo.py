"""The whole demo: started once and stopped by the fixture, which also makes sure that nothing is left."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from irisx.local.health import ask
from irisx.local.processes import identify, marked_by
from irisx.local.programs import ROOT
from irisx.local.rundemo import start_demo, stop_demo, wait_ready
from irisx.local.state import StateDirectory
from irisx.local.testsession import outside_environment
from tests.local.waiting import eventually

pytestmark = pytest.mark.xdist_group("demo")  # one demo at a time is load enough
PROGRAMS = {
    "supervisor",
    "postgres",
    "valkey",
    "simulator",
    "web",
    "worker",
    "beat",
    "listener",
    "webhooks",
    "customer",
}
PAGES = {"admin", "desk", "customer", "portal", "inbox", "finance", "docs"}


def status_of(url: str) -> int:
    """GET an address without following redirects."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", parts.path)
    status = connection.getresponse().status
    connection.close()
    return status


def current_pids(demo: dict[str, Any]) -> dict[str, int]:
    """Read the pids anew: another test may have killed a program since the demo started."""
    pids: dict[str, int] = StateDirectory(Path(demo["state_dir"])).read("demo.json")["pids"]
    return pids


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class TestTheDocument:
    def test_says_all_a_script_needs(self, demo: dict[str, Any]) -> None:
        assert set(demo["pages"]) == PAGES
        assert set(demo["users"]) == {"operator", "owner", "agent", "finance"}
        assert all(set(user) == {"email", "password"} and all(user.values()) for user in demo["users"].values())
        assert set(demo["pids"]) == PROGRAMS
        assert re.fullmatch(r"esl://:\w+@127\.0\.0\.1:\d+", demo["esl_url"])
        assert demo["widget_key"].startswith("cw_")
        assert demo["api_key"].startswith("irisx_live_")

    def test_is_for_us_alone(self, demo: dict[str, Any]) -> None:
        assert (Path(demo["state_dir"]) / "demo.json").stat().st_mode & 0o777 == 0o600

    def test_lists_processes_that_run(self, demo: dict[str, Any]) -> None:
        assert all(identify(pid) for pid in current_pids(demo).values())

    @pytest.mark.parametrize("page", sorted(PAGES))
    def test_lists_pages_that_answer(self, demo: dict[str, Any], page: str) -> None:
        assert status_of(demo["pages"][page]) in {200, 302}

    def test_puts_the_customer_on_another_host(self, demo: dict[str, Any]) -> None:
        assert urlsplit(demo["pages"]["customer"]).hostname != urlsplit(demo["base_url"]).hostname


class TestTheRunningDemo:
    def test_is_one_family_of_processes(self, demo: dict[str, Any]) -> None:
        pids = current_pids(demo)
        supervisor = pids.pop("supervisor")
        assert {name: parent_of(pid) for name, pid in pids.items()} == dict.fromkeys(pids, supervisor)

    def test_is_healthy(self, demo: dict[str, Any]) -> None:
        assert eventually(lambda: ask(demo["base_url"]).status == "healthy", seconds=30)

    @pytest.mark.parametrize("name", ["web", "worker", "postgres", "valkey"])
    def test_is_healthy_again_after_sigkill(self, demo: dict[str, Any], name: str) -> None:
        state = StateDirectory(Path(demo["state_dir"]))
        killed = state.read("demo.json")["pids"][name]
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: state.read("demo.json")["pids"].get(name, killed) != killed)
        assert eventually(lambda: ask(demo["base_url"]).status == "healthy", seconds=90)

    def test_refuses_a_second_start_and_says_where_it_runs(self, demo: dict[str, Any]) -> None:
        second = [sys.executable, "-m", "irisx.local", "demo", "--state-dir", demo["state_dir"]]
        done = subprocess.run(second, cwd=ROOT, env=outside_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert f"already runs at {demo['base_url']}" in done.stdout

    def test_keeps_its_logs(self, demo: dict[str, Any]) -> None:
        logs = {path.stem for path in (Path(demo["state_dir"]) / "logs").glob("*.log")}
        assert logs >= PROGRAMS - {"supervisor"}


@pytest.fixture
def empty_state() -> Iterator[StateDirectory]:
    state = StateDirectory(Path(tempfile.mkdtemp(prefix="irisx-demo-")))
    yield state
    state.forget()


class TestAWrongSetting:
    def test_ends_the_start_with_its_sentence(self, empty_state: StateDirectory) -> None:
        command = [sys.executable, "-m", "irisx.local", "demo", "--state-dir", str(empty_state.path)]
        environment = outside_environment() | {"IRISX_BOGUS": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stdout.rstrip().endswith(
            "IRISX_BOGUS is not a setting of IRISX; see .env.example for those that are."
        )
        assert marked_by(empty_state.path) == []


class TestAKilledSupervisor:
    @pytest.mark.timeout(400)
    def test_leaves_nothing_and_the_next_start_has_the_same_data(self, empty_state: StateDirectory) -> None:
        supervisor = start_demo(empty_state)
        first = wait_ready(empty_state, supervisor)
        supervisor.kill()
        supervisor.wait()
        assert eventually(lambda: not marked_by(empty_state.path))
        with socket.socket() as intruder:  # takes the port the web process had
            intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            intruder.bind(("127.0.0.1", urlsplit(first["base_url"]).port or 0))
            intruder.listen()
            supervisor = start_demo(empty_state)
            second = wait_ready(empty_state, supervisor)
        stop_demo(empty_state, supervisor)
        assert (second["tenant_id"], second["users"]) == (first["tenant_id"], first["users"])
        assert second["base_url"] != first["base_url"]
