"""`release check`: may this folder serve? Every probe that needs Django runs in a process of its own, so that one which
cannot start is a finding and no crash. The standard library alone, but for what `irisx.env` reads values with.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from irisx import __version__
from irisx.release import sources
from irisx.release.findings import Finding, Report

STARTED: Final = ("imports", "django", "routes", "tasks", "admin", "templates", "migrations", "static")
CHECKS: Final = ("sources", "settings", *STARTED)
# Each process: the probes it runs. Importing everything comes apart: it changes what the others would see.
PROCESSES: Final = (("imports",), STARTED[1:])
LONGEST_SECONDS: Final = 120


def examine(root: Path, environ: Mapping[str, str] = os.environ) -> Report:
    """Run every check on the release in `root` with the settings it would start with. Nothing is written, no server asked."""
    begun = time.monotonic()
    findings = [*sources.read(root), *_settings(root, environ)]
    right = {name: value for name, value in environ.items() if not _is_wrong(name, findings)}
    started = [_start(root, right, probes) for probes in PROCESSES]
    for probes, process in zip(PROCESSES, started, strict=True):
        findings += _collect(probes, process)
    return Report(__version__, CHECKS, tuple(findings), time.monotonic() - begun)


def _settings(root: Path, environ: Mapping[str, str]) -> list[Finding]:
    done = subprocess.run(
        [sys.executable, "-m", "irisx.release.probes", "settings"],
        cwd=root,
        env=dict(environ),
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return _read(("settings",), done.returncode, done.stdout, done.stderr)


def _is_wrong(name: str, findings: list[Finding]) -> bool:
    """What is wrong is left out, so that Django starts and the other checks can look."""
    return any(finding.check == "settings" and finding.where == name for finding in findings)


def _start(root: Path, environ: Mapping[str, str], probes: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own interpreter on our own module
        [sys.executable, "-m", "irisx.release.probes", *probes],
        cwd=root,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _collect(probes: tuple[str, ...], process: "subprocess.Popen[bytes]") -> list[Finding]:
    try:
        output, errors = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return [Finding(probe, "-", f"not done after {LONGEST_SECONDS} seconds") for probe in probes]
    return _read(probes, process.returncode, output, errors)


def _read(probes: tuple[str, ...], status: int, output: bytes, errors: bytes) -> list[Finding]:
    """Take a probe process at its last line, one JSON list; without one, its death is what it found."""
    try:
        if status == 0:
            return [Finding(**item) for item in json.loads(output.decode().splitlines()[-1])]
    except (ValueError, IndexError, TypeError):
        pass
    last = next((line for line in reversed(errors.decode(errors="replace").splitlines()) if line.strip()), "no word")
    return [Finding(probe, "-", f"could not run (status {status}): {last.strip()}") for probe in probes]
