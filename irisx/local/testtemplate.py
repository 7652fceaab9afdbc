"""Keep what the migrations make: the next test session restores it within a second instead of migrating for half a minute.

Kept under `.irisx/test-templates`, by a digest of everything that decides the result. Only an embedded server uses it:
on a given one the roles are somebody else's. Deleting the folder is always safe.
"""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg

from irisx.local.binaries import find_postgres
from irisx.local.errors import StartError
from irisx.local.programs import ROOT
from irisx.roles import ensure_roles

FOLDER = ROOT / ".irisx" / "test-templates"
KEPT = 3
SOURCES = ("common", "accounts", "usage", "billing", "chat", "telephony", "irisx")
# Tables and data come from migrations, content types and permissions from models, the operators' groups from roles.
FOLDERS = {"migrations", "models", "tenancy"}
NAMES = {"models.py", "roles.py", "rowlevel.py", "ids.py", "shipped.py", "receivers.py", "canonical.py", "migrate.py"}


def kept_template() -> Path:
    """Return where the result of the migrations as they are now is kept, whether or not it is there."""
    digest = hashlib.sha256(find_postgres().version.encode())
    for path in (ROOT / "requirements-local.lock", *_deciding_files()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return FOLDER / f"{digest.hexdigest()[:24]}.dump"


def restore(path: Path, *, url: str, owner_url: str, serving_role: str) -> bool:
    """Fill the empty database at `url` (a superuser's) from a kept result; False when there is none, or it is broken."""
    if not path.exists():
        return False
    with psycopg.connect(owner_url, autocommit=True) as connection:
        ensure_roles(connection, serving_role=serving_role)  # type: ignore[arg-type] # asks for cursors alone
    done = _run("pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={url}", str(path))
    if done.returncode != 0:
        path.unlink(missing_ok=True)
        return False
    path.touch()
    return True


def keep(path: Path, *, url: str) -> None:
    """Keep a freshly migrated database, complete or not at all, and forget the oldest kept ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.new")
    done = _run("pg_dump", "--format=custom", "--compress=0", f"--file={unfinished}", url)
    if done.returncode != 0:
        raise StartError(f"pg_dump failed: {done.stderr}")
    unfinished.rename(path)
    by_age = sorted(path.parent.glob("*.dump"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in by_age[KEPT:]:
        old.unlink(missing_ok=True)


def _deciding_files() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name in NAMES or not FOLDERS.isdisjoint(path.parts):
                yield path


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(find_postgres().folder / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
