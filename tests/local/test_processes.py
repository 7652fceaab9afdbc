"""irisx.local.processes and the guard"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from irisx.local.accounts import server_account
from irisx.local.processes import (
    MARKER,
    ProcessId,
    Program,
    identify,
    is_alive,
    marked_by,
    send,
    spawn,
    stop_all,
)
from irisx.local.programs import ROOT
from tests.local.waiting import eventually

SLEEP = ("/bin/sh", "-c", "sleep 300 & wait")
STUBBORN = ("/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")


def program(state: Path, command: tuple[str, ...] = SLEEP, *, with_account: bool = False) -> Program:
    environment = {"PATH": os.environ["PATH"], MARKER: str(state)}
    account = server_account() if with_account else None
    return Program(name="sleeper", command=command, environment=environment, cwd=Path("/"), account=account)


class TestIdentity:
    def test_is_lost_when_the_process_ends(self, state: Path) -> None:
        process = spawn(program(state), output=subprocess.DEVNULL)
        identity = identify(process.pid)
        assert identity is not None
        assert is_alive(identity)
        os.killpg(process.pid, signal.SIGKILL)
        assert eventually(lambda: not is_alive(identity))  # already while it waits to be reaped
        process.wait()

    def test_is_not_inherited_by_a_later_process_with_the_same_pid(self) -> None:
        impostor = ProcessId(pid=os.getpid(), started="another boot/1")
        assert not is_alive(impostor)
        assert not send(impostor, signal.SIGKILL)


class TestMarks:
    def test_find_what_we_started_and_its_children(self, state: Path) -> None:
        process = spawn(program(state), output=subprocess.DEVNULL)
        assert eventually(lambda: len(marked_by(state)) == 2)
        stop_all(marked_by(state), with_signal=signal.SIGTERM, seconds=5.0)
        process.wait()
        assert marked_by(state) == []

    def test_leave_alone_what_has_another_mark(self, state: Path) -> None:
        process = spawn(program(state / "another"), output=subprocess.DEVNULL)
        assert marked_by(state) == []
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def test_end_even_those_who_do_not_listen(self, state: Path) -> None:
        process = spawn(program(state, STUBBORN), output=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == b"deaf\n"
        stop_all(marked_by(state), with_signal=signal.SIGTERM, seconds=0.3)
        process.communicate(timeout=5)
        assert process.returncode == -signal.SIGKILL


class TestDeathOfTheParent:
    def test_ends_its_children(self, state: Path) -> None:
        self.kill_a_parent_of(state, with_account=False)

    def test_ends_those_that_run_as_another_account(self, state: Path) -> None:
        self.kill_a_parent_of(state, with_account=True)

    def kill_a_parent_of(self, state: Path, *, with_account: bool) -> None:
        """Let a process start a child and be killed; the kernel ends the child."""
        script = (
            "import subprocess, sys, time; from pathlib import Path; from tests.local import test_processes as t;"
            f"p = t.program(Path({str(state)!r}), ('/bin/sleep', '300'), with_account={with_account});"
            "print(t.spawn(p, output=subprocess.DEVNULL).pid, flush=True); time.sleep(300)"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert eventually(lambda: [process.pid for process in marked_by(state)] == [child])
        identity = marked_by(state)[0]
        parent.kill()
        parent.wait()
        assert eventually(lambda: not is_alive(identity))

    def test_is_noticed_even_before_the_child_began(self, state: Path) -> None:
        guard = str(ROOT / "irisx" / "local" / "guard.py")
        late = [sys.executable, "-I", "-S", guard, "1", "9", "-1", "-1", "/bin/echo", "alive"]
        done = subprocess.run(late, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "The parent ended before this program began.\n"
