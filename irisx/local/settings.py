"""The environment the demo gives to IRISX."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from irisx.local.errors import StartError
from irisx.local.processes import MARKER
from irisx.local.programs import ROOT
from irisx.local.state import StateDirectory

REPLACEMENTS = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL", "simulator": "FREESWITCH_URL"}
SOURCES = ("common", "accounts", "usage", "billing", "chat", "telephony", "irisx")


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one demo are, embedded or given."""

    base_url: str
    database_url: str
    migration_url: str
    redis_url: str
    freeswitch_url: str


def is_given(name: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the environment names a server to use instead of the embedded part."""
    return bool(environ.get(REPLACEMENTS.get(name, "")))


def check_given(environ: Mapping[str, str]) -> None:
    """Refuse half an answer."""
    if environ.get("DATABASE_MIGRATION_URL") and not environ.get("DATABASE_URL"):
        raise StartError("DATABASE_MIGRATION_URL is set without DATABASE_URL: set both, or neither.")


def demo_environment(
    *, state: StateDirectory, addresses: Addresses, secret_key: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of every program of the demo."""
    ours = {
        "SECRET_KEY": secret_key,
        "IRISX_MEDIA_ROOT": str(state.media),
        "IRISX_MAIL_DIR": str(state.mail),
    }
    fixed = {
        "DJANGO_SETTINGS_MODULE": "irisx.settings",
        "DATABASE_URL": addresses.database_url,
        "DATABASE_MIGRATION_URL": addresses.migration_url,
        "REDIS_URL": addresses.redis_url,
        "FREESWITCH_URL": addresses.freeswitch_url,
        "IRISX_BASE_URL": addresses.base_url,
        "IRISX_DEMO": "true",
        "PYTHONUNBUFFERED": "1",
        MARKER: str(state.path),
    }
    return {**ours, **environ, **fixed}


def source_fingerprint() -> str:
    """Digest the names, sizes and times of the source files: while it stays the database needs no migration."""
    digest = hashlib.sha256()
    for path in _source_files():
        status = path.stat()
        digest.update(f"{path.relative_to(ROOT)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _source_files() -> Iterator[Path]:
    for folder in SOURCES:
        yield from sorted((ROOT / folder).rglob("*.py"))
