"""Tell whether the sources changed since the database was prepared."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from irisx.local.programs import ROOT

SOURCES = ("common", "accounts", "usage", "billing", "chat", "telephony", "irisx")


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
