"""Whether this process still stands on what was built: counted in `/health`, listed for operators."""

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from django.conf import settings

from irisx.release import drift
from irisx.release import manifest as manifests
from irisx.release.findings import Finding

FRESH_SECONDS: Final = 60


@dataclass(frozen=True)
class Standing:
    """`status` is `unknown` without a manifest (a checkout), `intact`, or `drifted` with what differs."""

    status: Literal["unknown", "intact", "drifted"]
    version: str
    revision: str
    findings: tuple[Finding, ...]

    @property
    def drift(self) -> int:
        """How many differences count: libraries beside the lock do not."""
        return sum(finding.level == "error" for finding in self.findings)


def standing() -> Standing:
    """Return how this installation stands, at most a minute old."""
    return _at(Path(settings.BASE_DIR), int(time.monotonic() // FRESH_SECONDS))


@lru_cache(maxsize=2)
def _at(root: Path, minute: int) -> Standing:
    try:
        manifest = drift.read(root / manifests.NAME)
    except FileNotFoundError:
        if not settings.IRISX_RELEASE_KEY:
            return Standing("unknown", settings.IRISX_VERSION, "", ())
        return _drifted(
            "", Finding("manifest", manifests.NAME, "is missing, and IRISX_RELEASE_KEY asks for a signed one")
        )
    except ValueError as error:
        return _drifted("", Finding("manifest", manifests.NAME, str(error)))
    findings = tuple(drift.compare(root, manifest, key=settings.IRISX_RELEASE_KEY, digest=_digest))
    revision = str(manifest.get("revision", ""))
    if any(finding.level == "error" for finding in findings):
        return _drifted(revision, *findings)
    return Standing("intact", settings.IRISX_VERSION, revision, findings)


def _drifted(revision: str, *findings: Finding) -> Standing:
    return Standing("drifted", settings.IRISX_VERSION, revision, findings)


def _digest(path: Path) -> str:
    """A file whose time and size stand still is not read again each minute; `release drift` reads every one."""
    about = path.stat()
    return _read(path, about.st_mtime_ns, about.st_ctime_ns, about.st_size)


@lru_cache(maxsize=10_000)
def _read(path: Path, mtime_ns: int, ctime_ns: int, size: int) -> str:
    return manifests.digest(path)
