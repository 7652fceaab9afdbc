"""How long from a fresh clone to the ready screen: `python -m benchmarks.demo_start`.

Three starts of `make demo` in one run: a fresh clone with an empty package cache, a fresh clone with the cache the first
one filled, and a second start of that clone. The floor is the installation of the packages alone, which the first start
reports. What is cloned is the committed HEAD of this repository.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.conditions import ROOT, conditions, table
from irisx.local.state import StateDirectory
from irisx.local.testsession import outside_environment

MOST_SECONDS = 600.0
INSTALLED = re.compile(
    r"^Installing (\d+) packages of \S+ with (\w+).*?^Installed in (\d+) s", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Start:
    """What one start of the demo took. `install_seconds` is 0 when nothing was to install."""

    name: str
    ready_seconds: float
    install_seconds: float
    installer: str

    def row(self, floor: float) -> list[str]:
        figures = [f"{self.ready_seconds:.1f}", f"{self.install_seconds:.0f}", f"{self.ready_seconds / floor:.2f}"]
        return [self.name, *figures]


def main() -> None:
    """Measure the three starts and print them."""
    print(conditions(), flush=True)
    home = Path(tempfile.mkdtemp(prefix="irisx-start-"))
    home.chmod(0o711)  # PostgreSQL's account passes through to the clones
    try:
        environment = environment_with_own_caches(home)
        cold = start(clone(home / "cold"), "fresh clone, empty package cache", environment)
        second = clone(home / "warm")
        warm = start(second, "fresh clone, filled package cache", environment)
        again = start(second, "second start", environment)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(f"packages  {cold.installer}\n")
    floor = max(cold.install_seconds, 1.0)
    head = ["make demo until ready", "seconds", "of it installing", "ratio to installing cold"]
    print(table(head, [found.row(floor) for found in (cold, warm, again)]))


def environment_with_own_caches(home: Path) -> dict[str, str]:
    """Return our environment, but with package caches that start empty."""
    ours = {name: value for name, value in outside_environment().items() if name not in {"VIRTUAL_ENV", "MAKEFLAGS"}}
    caches = {name: str(home / "cache" / name) for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME")}
    return ours | caches


def clone(into: Path) -> Path:
    """Clone HEAD, sharing nothing with this folder."""
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(ROOT), str(into)], check=True)
    return into


def start(folder: Path, name: str, environment: Mapping[str, str]) -> Start:
    """Run `make demo` until it is ready, then stop it as Ctrl-C does."""
    log = folder / "make-demo.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "demo"], cwd=folder, env=dict(environment), stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: is_ready(folder) or process.poll() is not None)
        ready_seconds = time.monotonic() - began
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    text = log.read_text(errors="replace")
    if "IRISX is ready" not in text:
        sys.exit(f"The demo did not become ready:\n{text[-3000:]}")
    found = INSTALLED.search(text)
    packages, installer, seconds = found.groups() if found else ("0", "", "0")
    return Start(name, ready_seconds, float(seconds), f"{packages} by {installer}")


def is_ready(folder: Path) -> bool:
    """Tell whether the demo has written down its addresses, which it does as it shows the screen."""
    return "pids" in StateDirectory(folder / ".irisx").read("demo.json")


def wait_until(is_done: Callable[[], bool]) -> None:
    """Poll, and give up in the end."""
    deadline = time.monotonic() + MOST_SECONDS
    while not is_done() and time.monotonic() < deadline:
        time.sleep(0.05)


if __name__ == "__main__":
    main()
