"""The command `manage.py release`, which must run where Django does not start.

Exit status: 0 all is well, 1 something is not, 2 the command was misspelt or a file it needs cannot be read.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from irisx import __version__
from irisx.release.findings import Report


def main(arguments: Sequence[str], root: Path) -> int:
    """Run `release check`, `release manifest` or `release drift` on the release in `root`."""
    parser = argparse.ArgumentParser(prog="manage.py release", description="Is what stands here fit to serve?")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="find what would break production, before anything is touched")
    check.add_argument("--json", action="store_true", help="the report for machines")
    manifest = commands.add_parser("manifest", help="write down, at the build, what was built")
    manifest.add_argument("--revision", help="the Git revision; without it Git is asked")
    manifest.add_argument("--key", type=Path, help="sign with this private key: a PEM file, Ed25519")
    drift = commands.add_parser("drift", help="name every file and library that is not what was built")
    drift.add_argument("--root", type=Path, default=root, help="another folder than the one of this manage.py")
    drift.add_argument("--manifest", type=Path, help="another manifest than the folder's own release.json")
    drift.add_argument("--json", action="store_true", help="the report for machines")
    options = parser.parse_args(arguments)
    if options.command == "manifest":
        return _manifest(root, options.revision, options.key)
    report = _check(root) if options.command == "check" else _drift(options.root.resolve(), options.manifest)
    if report is None:
        return 2
    verdicts = ("This release may go out", "This release must not go out")
    verdicts = ("Nothing has drifted", "This is not what was built") if options.command == "drift" else verdicts
    sys.stdout.write((report.as_json() if options.json else report.as_table(*verdicts)) + "\n")
    return 0 if report.is_ok else 1


# Each imports what it needs: what one cannot load must not stop the others.
def _check(root: Path) -> Report:
    from irisx.release.preflight import examine

    return examine(root)


def _manifest(root: Path, revision: str | None, key: Path | None) -> int:
    from irisx.release import manifest as manifests

    made = manifests.make(root, revision=revision or manifests.revision_of(root), now=datetime.now(UTC))
    said = f"{manifests.NAME}: {len(made['files'])} files of IRISX {__version__} {made['revision'] or '(no revision)'}"
    if key is not None:
        try:
            pem = key.read_bytes()
            made = manifests.sign(made, pem)
        except (OSError, ValueError, TypeError) as error:
            sys.stderr.write(f"{key}: {error}\n")
            return 2
        said += f", signed. IRISX_RELEASE_KEY={manifests.public_key(pem)}"
    beside = root / f".{manifests.NAME}.new"
    beside.write_text(json.dumps(made, indent=1) + "\n")
    beside.replace(root / manifests.NAME)
    sys.stdout.write(said + "\n")
    return 0


def _drift(root: Path, path: Path | None) -> Report | None:
    from irisx.release import drift
    from irisx.release import manifest as manifests

    begun = time.monotonic()
    path = path or root / manifests.NAME
    try:
        built = drift.read(path)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return None
    findings = drift.compare(root, built, key=os.environ.get("IRISX_RELEASE_KEY", "").strip())
    return Report(str(built.get("version")), drift.CHECKS, tuple(findings), time.monotonic() - begun)
