"""How much memory the running, idle demo takes: `python -m benchmarks.demo_memory [--state-dir .irisx]`.

Reads the pids of demo.json and adds up each program with its children. PSS divides a page shared by n processes by n, so
that the sum is what the demo really takes. The floor is a Python process that has set Django up and does nothing.
Linux only.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.conditions import ROOT, conditions, table
from irisx.local.interpreters import NO_SERVERS
from irisx.local.processes import marked_by
from irisx.local.state import StateDirectory

FLOOR = "import django; django.setup(); print('up', flush=True); import sys; sys.stdin.read()"


def main() -> None:
    """Measure a demo that runs and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=ROOT / ".irisx")
    state = StateDirectory(parser.parse_args().state_dir)
    document = state.read("demo.json")
    if not document:
        sys.exit("No demo runs here: start it with `make demo`, wait for its screen, and run this beside it.")
    print(conditions())
    print("each program with its children; MiB\n")
    floor = floor_pss()
    programs = {name: family(pid) for name, pid in document["pids"].items()}
    everything = set().union(*programs.values(), {process.pid for process in marked_by(state.path)})
    programs["without a name of its own"] = everything - set().union(*programs.values())
    programs["everything"] = everything
    rows = [row(name, pids, floor) for name, pids in programs.items() if pids]
    print(table(["program", "processes", "RSS", "PSS", "PSS to floor"], rows))
    print(f"\nfloor: one Python process with Django set up, idle: {floor / 1024:.0f} MiB PSS")


def row(name: str, pids: set[int], floor_kib: int) -> list[str]:
    """Lay out one program."""
    mib = [f"{kib(pids, field) / 1024:.0f}" for field in ("Rss:", "Pss:")]
    return [name, str(len(pids)), *mib, f"{kib(pids, 'Pss:') / floor_kib:.2f}"]


def family(pid: int) -> set[int]:
    """Return a process and its descendants; the supervisor alone, for the others are its children."""
    if b"irisx.local" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
        return {pid}
    found = {pid}
    for child in children(pid):
        found |= family(child)
    return found


def children(pid: int) -> Iterator[int]:
    """Read which processes a process started (proc(5), task/children)."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def kib(pids: Iterable[int], field: str) -> int:
    """Add up one field of smaps_rollup."""
    return sum(rollup(pid, field) for pid in pids)


def rollup(pid: int, field: str) -> int:
    """Read one line of smaps_rollup in KiB; a process that ended meanwhile takes nothing."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def floor_pss() -> int:
    """Measure a Python process that has set Django up and does nothing."""
    environment = os.environ | NO_SERVERS | {"DJANGO_SETTINGS_MODULE": "irisx.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", FLOOR], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        return kib({process.pid}, "Pss:")


if __name__ == "__main__":
    main()
