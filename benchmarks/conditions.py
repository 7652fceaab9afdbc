"""Say under which conditions a figure was measured: without them it means nothing."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def conditions() -> str:
    """Return one line per condition that changes a figure."""
    return "\n".join(
        [
            f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {_revision()}",
            f"machine   {_processor()}, {os.cpu_count()} cores, {_memory_gib():.1f} GiB",
            f"system    {platform.system()} {platform.release()}",
            f"python    {platform.python_implementation()} {platform.python_version()}",
            f"load      {os.getloadavg()[0]:.2f} when it began (other work on the machine)",
        ]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns: the first to the left, figures to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in [head, *rows])
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _revision() -> str:
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine())


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
