"""Start processes that die with us, and recognise afterwards those that were ours."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GUARD = Path(__file__).with_name("guard.py")
MARKER = "_IRISX_STATE_DIR"  # in the environment of everything we start


@dataclass(frozen=True)
class Account:
    """A Unix account to run as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to start, and how it wants to be stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 8.0
    stage: int = 0  # a higher stage stops earlier
    inherited: tuple[int, ...] = ()  # descriptors it shares with us


@dataclass(frozen=True)
class ProcessId:
    """A pid that a later process with the same number cannot be mistaken for."""

    pid: int
    started: str


def spawn(program: Program, *, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program in its own session, bound to the life of the calling thread."""
    account = program.account
    guard = [str(os.getpid()), str(int(program.orphan_signal))]
    guard += [str(account.uid), str(account.gid)] if account else ["-1", "-1"]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), *guard, *program.command],
        env=dict(program.environment),
        cwd=program.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=program.inherited,
    )


def identify(pid: int) -> ProcessId | None:
    """Name a living process; None when it is gone or only waits to be reaped."""
    started = _started_on_linux(pid) if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    return ProcessId(pid=pid, started=started) if started else None


def is_alive(process: ProcessId) -> bool:
    """Tell whether that very process still runs."""
    return identify(process.pid) == process


def marked_by(state_directory: Path) -> list[ProcessId]:
    """List the processes that carry the marker of a state directory (Linux; elsewhere none)."""
    wanted = f"{MARKER}={state_directory}".encode()
    own = os.getpid()
    return [process for pid in _pids() if pid != own and wanted in _environment(pid) and (process := identify(pid))]


def servers_in(data_directory: Path, *, executable: str) -> list[ProcessId]:
    """List the processes of an executable that work in a folder: PostgreSQL's children overwrite their environment."""
    return [
        process
        for pid in _pids()
        if _link(pid, "cwd") == str(data_directory)
        and Path(_link(pid, "exe").removesuffix(" (deleted)")).name == executable
        and (process := identify(pid))
    ]


def stop_all(processes: Iterable[ProcessId], *, with_signal: signal.Signals, seconds: float) -> None:
    """Signal processes, wait, and kill those which remain."""
    remaining = [process for process in processes if send(process, with_signal)]
    if not wait_gone(remaining, seconds=seconds):
        for process in remaining:
            send(process, signal.SIGKILL)
        wait_gone(remaining, seconds=5.0)


def send(process: ProcessId, with_signal: signal.Signals) -> bool:
    """Signal a process if it still is the one meant, waking it when it was stopped."""
    if not is_alive(process):
        return False
    try:
        os.kill(process.pid, with_signal)
        os.kill(process.pid, signal.SIGCONT)
    except ProcessLookupError:
        return False
    return True


def wait_gone(processes: Iterable[ProcessId], *, seconds: float) -> bool:
    """Wait until none of the processes runs; False when some still do."""
    deadline = time.monotonic() + seconds
    remaining = list(processes)
    while remaining := [process for process in remaining if is_alive(process)]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _pids() -> Iterator[int]:
    folder = Path("/proc")
    return (int(entry.name) for entry in (folder.iterdir() if folder.exists() else ()) if entry.name.isdigit())


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # gone, or not ours to read
        return []


def _link(pid: int, name: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/{name}").readlink())
    except OSError:
        return ""


def _started_on_linux(pid: int) -> str:
    """Read the start time in clock ticks since boot (proc(5), field 22), and which boot."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if fields[0] in "ZX" else f"{boot}/{fields[19]}"


def _started_by_ps(pid: int) -> str:
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()
