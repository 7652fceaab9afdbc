"""What stands here, held against what was built: files added, missing or changed, libraries that are not the lock's."""

import importlib.metadata
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from irisx.release import manifest as manifests
from irisx.release.findings import Finding

CHECKS: Final = ("manifest", "files", "packages")
PINNED: Final = re.compile(r"^[A-Za-z0-9]\S*==[^\\]*", re.MULTILINE)
INSTALLERS: Final = {"pip", "setuptools", "wheel"}


def read(path: Path) -> dict[str, Any]:
    """Return a manifest; ValueError says what is wrong with it, FileNotFoundError that there is none."""
    found = json.loads(path.read_bytes())
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise ValueError("it is no manifest of a release")
    return found


def compare(
    root: Path, manifest: Mapping[str, Any], *, key: str, digest: Callable[[Path], str] = manifests.digest
) -> Iterator[Finding]:
    """Yield each difference between `root` (and this Python's libraries) and a manifest.

    `key`: whose signature the manifest must bear; empty, none is asked for.
    """
    if key:
        try:
            manifests.verify(dict(manifest), key)
        except manifests.NotSigned as refusal:
            yield Finding("manifest", manifests.NAME, str(refusal))
    built: dict[str, str] = manifest["files"]
    standing = {path.relative_to(root).as_posix(): path for path in manifests.files(root)}
    for name in sorted(built.keys() | standing.keys()):
        if name not in standing:
            yield Finding("files", name, "is missing")
        elif name not in built:
            yield Finding("files", name, "was added")
        elif digest(standing[name]) != built[name]:
            yield Finding("files", name, "was changed")
    lock = root / manifests.LOCK
    if lock.is_file():
        yield from libraries(lock.read_text())


def libraries(lock: str) -> Iterator[Finding]:
    """Hold this Python's installed libraries against a lock file's pins. One the lock does not know is a warning."""
    pinned: dict[str, str] = dict(_pins(lock))
    installed: dict[str, str] = {
        canonicalize_name(found.metadata["Name"]): found.version
        for found in importlib.metadata.distributions()
        if found.metadata["Name"]
    }
    for name, version in sorted(pinned.items()):
        if name not in installed:
            yield Finding("packages", name, f"is missing; the lock has {version}")
        elif Version(installed[name]) != Version(version):
            yield Finding("packages", name, f"is {installed[name]}; the lock has {version}")
    for name in sorted(installed.keys() - pinned.keys() - INSTALLERS):
        yield Finding("packages", name, f"{installed[name]} is installed and not in the lock", "warning")


def _pins(lock: str) -> Iterator[tuple[str, str]]:
    for line in PINNED.findall(lock):
        try:
            requirement = Requirement(line.strip())
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            yield canonicalize_name(requirement.name), str(requirement.specifier).removeprefix("==")
