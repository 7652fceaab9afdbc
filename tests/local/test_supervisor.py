"""irisx.local.supervisor"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from irisx.local.console import Console
from irisx.local.errors import StartError
from irisx.local.processes import MARKER, Program, marked_by
from irisx.local.supervisor import Supervisor
from tests.local.waiting import eventually_async

STUBBORN = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    return tmp_path / "screen"


@pytest.fixture
async def supervisor(tmp_path: Path, screen: Path) -> Supervisor:
    return Supervisor(logs=tmp_path, console=Console(screen.open("w")))


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "300"]) as process:
        yield process
        process.kill()


def read(path: Path) -> str:
    return path.read_text()


def script(name: str, text: str, *, state: Path, stage: int = 0, stop_seconds: float = 5.0) -> Program:
    return Program(
        name=name,
        command=("/bin/sh", "-c", text),
        environment={"PATH": os.environ["PATH"], MARKER: str(state)},
        cwd=Path("/"),
        stage=stage,
        stop_seconds=stop_seconds,
    )


class TestRunning:
    async def test_starts_a_killed_program_again(self, supervisor: Supervisor, state: Path, screen: Path) -> None:
        supervisor.start(script("clock", "sleep 300", state=state))
        first = supervisor.processes()["clock"]
        os.kill(first.pid, signal.SIGKILL)
        assert await eventually_async(lambda: supervisor.processes().get("clock", first) != first)
        await supervisor.stop()
        assert "clock was killed by SIGKILL; starting it again in 0.2 s." in read(screen)

    async def test_waits_longer_before_every_start(self, supervisor: Supervisor, state: Path, screen: Path) -> None:
        supervisor.is_settled = True
        supervisor.start(script("crasher", "exit 3", state=state))
        assert await eventually_async(lambda: "again in 0.4 s" in read(screen))
        await supervisor.stop()
        assert "crasher ended with status 3; starting it again in 0.2 s." in read(screen)

    async def test_prepares_before_every_start(self, supervisor: Supervisor, state: Path) -> None:
        prepared: list[str] = []
        supervisor.start(script("clock", "exit 1", state=state), prepare=lambda: prepared.append("once"))
        assert await eventually_async(lambda: len(prepared) == 2)
        await supervisor.stop()

    async def test_gives_up_on_a_program_that_never_starts(self, supervisor: Supervisor, state: Path) -> None:
        supervisor.start(script("broken", "echo no such thing; exit 1", state=state))
        with pytest.raises(StartError) as refusal:
            await supervisor.until(lambda: False, name="broken")
        assert str(refusal.value).startswith("broken ended with status 1.\n  Its last lines:\n    no such thing")
        await supervisor.stop()

    async def test_runs_a_task_to_its_end(self, supervisor: Supervisor, state: Path, tmp_path: Path) -> None:
        await supervisor.finished(supervisor.begin(script("task", "echo done", state=state)))
        assert (tmp_path / "task.log").read_text() == "done\n"

    async def test_shows_the_last_lines_of_a_task_that_fails(self, supervisor: Supervisor, state: Path) -> None:
        with pytest.raises(StartError, match=r"task ended with status 2\.\n  Its last lines:\n    wrong$"):
            await supervisor.finished(supervisor.begin(script("task", "echo wrong; exit 2", state=state)))


class TestLogs:
    async def test_go_to_a_file_and_to_the_screen_behind_a_name(
        self, supervisor: Supervisor, state: Path, tmp_path: Path, screen: Path
    ) -> None:
        supervisor.start(script("talker", "echo 'grüß %s'; sleep 300", state=state))
        assert await eventually_async(lambda: "talker" in read(screen))
        await supervisor.stop()
        assert read(tmp_path / "talker.log") == "grüß %s\n"
        assert read(screen) == "talker    | grüß %s\n"

    async def test_do_not_stop_when_nobody_reads_the_screen(self, state: Path, tmp_path: Path) -> None:
        reader, writer = os.pipe()
        supervisor = Supervisor(logs=tmp_path, console=Console(os.fdopen(writer, "w")))
        supervisor.start(script("talker", "seq 1 50000; echo end; sleep 300", state=state))
        assert await eventually_async(lambda: read(tmp_path / "talker.log").endswith("end\n"))
        await supervisor.stop()
        os.close(reader)


class TestStopping:
    async def test_ends_the_later_stages_first(self, supervisor: Supervisor, state: Path, tmp_path: Path) -> None:
        order = tmp_path / "order"
        for stage, name in enumerate(("server", "web")):
            text = f"trap 'echo {name} >> {order}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
            supervisor.start(script(name, text, state=state, stage=stage))
            assert await eventually_async(lambda name=name: (tmp_path / f"{name}.log").read_text() == "up\n")
        await supervisor.stop()
        assert order.read_text() == "web\nserver\n"

    async def test_kills_what_does_not_listen(self, supervisor: Supervisor, state: Path, tmp_path: Path) -> None:
        supervisor.start(script("deaf", STUBBORN, state=state, stop_seconds=0.2))
        assert await eventually_async(lambda: (tmp_path / "deaf.log").read_text())
        await supervisor.stop()
        assert supervisor.processes() == {}

    async def test_ends_a_program_that_was_suspended(self, supervisor: Supervisor, state: Path) -> None:
        supervisor.start(script("frozen", "sleep 300", state=state))
        os.kill(supervisor.processes()["frozen"].pid, signal.SIGSTOP)
        await supervisor.stop()
        assert supervisor.processes() == {}

    async def test_does_not_start_anything_again(self, supervisor: Supervisor, state: Path) -> None:
        supervisor.start(script("clock", "sleep 300", state=state))
        await supervisor.stop()
        assert marked_by(state) == []

    async def test_touches_nothing_else(
        self, supervisor: Supervisor, state: Path, bystander: subprocess.Popen[bytes]
    ) -> None:
        supervisor.start(script("clock", "sleep 300", state=state))
        await supervisor.stop()
        assert bystander.poll() is None
