"""Run the demo from a test, in a state directory of its own."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from irisx.local.processes import Program, marked_by, spawn
from irisx.local.programs import ROOT
from irisx.local.state import StateDirectory
from irisx.local.testsession import outside_environment

READY_SECONDS = 180.0
STOP_SECONDS = 45.0


@contextmanager
def running_demo() -> Iterator[dict[str, Any]]:
    """Start the demo, give its demo.json with `state_dir`, stop it by SIGTERM and make sure nothing is left."""
    state = StateDirectory(Path(tempfile.mkdtemp(prefix="irisx-demo-")))
    try:
        process = start_demo(state)
        try:
            yield {**wait_ready(state, process), "state_dir": str(state.path)}
        finally:
            stop_demo(state, process)
    finally:
        state.forget()


def start_demo(state: StateDirectory) -> subprocess.Popen[bytes]:
    """Start a supervisor that dies with us; what it writes goes to `console.log`."""
    command = (sys.executable, "-m", "irisx.local", "demo", "--state-dir", str(state.path))
    program = Program(
        name="demo", command=command, environment=outside_environment(), cwd=ROOT, orphan_signal=signal.SIGTERM
    )
    with (state.path / "console.log").open("ab") as output:
        return spawn(program, output=output)


def wait_ready(state: StateDirectory, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for the demo.json of a supervisor."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        document = state.read("demo.json")
        if document.get("pids", {}).get("supervisor") == process.pid:
            return document
        time.sleep(0.1)
    raise AssertionError(f"The demo did not start:\n{console_of(state)[-6000:]}")


def stop_demo(state: StateDirectory, process: subprocess.Popen[bytes]) -> None:
    """Stop it as an operator would."""
    process.terminate()
    status = process.wait(STOP_SECONDS)
    left = marked_by(state.path)
    assert (status, left) == (0, []), f"The demo ended with {status} and left {left}:\n{console_of(state)[-6000:]}"


def console_of(state: StateDirectory) -> str:
    """Return what the supervisors of a state directory wrote."""
    return (state.path / "console.log").read_text(errors="replace")
