"""How long `make test` takes: `python -m benchmarks.suite_time`.

Runs it once and prints pytest's own summary line. The ratio is the time all tests took, one after the other, to the time
that passed: what running them in parallel gains, start and end of the servers included.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.conditions import ROOT, conditions
from irisx.local.testsession import outside_environment


def main() -> None:
    """Run the tests and print how long they took."""
    print(conditions(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = f"{os.environ.get('PYTEST_ADDOPTS', '')} --junitxml={report}"
        began = time.monotonic()
        done = subprocess.run(
            ["make", "test"],
            cwd=ROOT,
            env=outside_environment() | {"PYTEST_ADDOPTS": options},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        if not report.exists():
            sys.exit(f"make test ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        one_by_one = sum(map(float, re.findall(r'<testcase [^>]*\btime="([0-9.]+)"', report.read_text())))
    print(f"\n{done.stdout.strip().splitlines()[-1]}")
    print(f"make test took {seconds:.0f} s; its tests one by one {one_by_one:.0f} s; ratio {one_by_one / seconds:.2f}")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
