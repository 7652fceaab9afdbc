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
from irisx.local.state import StateDirectory

FLOOR = "import django; django.setup(); print('up', flush=True); import sys; sys.stdin.read()"


def main() -> None:
    """Measure a demo that runs and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=ROOT / ".irisx")
    document = StateDirectory(parser.parse_args().state_dir).read("demo.json")
    if not document:
        sys.exit("No demo runs here: start it with `make demo`, wait for its screen, and run this beside it.")
    print(conditions())
    print("each program with its children; MiB\n")
    floor = floor_pss()
    found = {name: (len(family(pid)), rss(family(pid)), pss(family(pid))) for name, pid in document["pids"].items()}
    rows = [row(name, *figures, floor) for name, figures in found.items()]
    whole = (sum(f[0] for f in found.values()), sum(f[1] for f in found.values()), sum(f[2] for f in found.values()))
    rows.append(row("everything", *whole, floor))
    rows.append(row("floor: Django set up, idle", 1, floor, floor, floor))
    print(table(["program", "processes", "RSS", "PSS", "PSS to floor"], rows))


def row(name: str, processes: int, rss_kib: int, pss_kib: int, floor_kib: int) -> list[str]:
    """Lay out one program."""
    return [name, str(processes), f"{rss_kib / 1024:.0f}", f"{pss_kib / 1024:.0f}", f"{pss_kib / floor_kib:.2f}"]


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


def rss(pids: Iterable[int]) -> int:
    """Add up resident memory in KiB."""
    return sum(rollup(pid, "Rss:") for pid in pids)


def pss(pids: Iterable[int]) -> int:
    """Add up the proportional share of memory in KiB."""
    return sum(rollup(pid, "Pss:") for pid in pids)


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
        return pss({process.pid})


if __name__ == "__main__":
    main()
