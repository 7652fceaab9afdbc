"""A release's manifest, `release.json`: what was built, to the byte, written at the build and signed.

    {"version", "revision", "made_at", "lock": SHA-256, "migrations": {app: [names]},
     "files": {path: SHA-256}, "signature": base64 | null}

The signature is Ed25519 over the canonical JSON (sorted keys, no spaces, UTF-8) of all else. Whoever can write on a server but
holds no private key can change files, and can change the manifest, but not so that the public key in the settings agrees.
"""

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from irisx import __version__
from irisx.release.sources import PACKAGES

NAME: Final = "release.json"
LOCK: Final = "requirements.lock"
ALONE: Final = ("manage.py", "deploy/healthcheck.py", LOCK)


class NotSigned(Exception):
    """The manifest is not signed by whom the settings name; the message says what is wrong with it."""


def files(root: Path) -> Iterator[Path]:
    """Yield every file of the product under `root`: sources, templates, pages' files. What Python compiles is no part of it."""
    for package in PACKAGES:
        for path in (root / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    yield from (root / name for name in ALONE if (root / name).is_file())


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def make(root: Path, *, revision: str, now: datetime) -> dict[str, Any]:
    """Return the unsigned manifest of what stands in `root`."""
    hashes = {path.relative_to(root).as_posix(): digest(path) for path in files(root)}
    return {
        "version": __version__,
        "revision": revision,
        "made_at": now.isoformat(timespec="seconds"),
        "lock": hashes.get(LOCK),
        "migrations": {package: names for package in PACKAGES if (names := _migrations(root / package / "migrations"))},
        "files": dict(sorted(hashes.items())),
        "signature": None,
    }


def revision_of(root: Path) -> str:
    """Return the Git revision checked out in `root`, with `+changes` when files differ from it; empty without Git."""
    try:
        head = _git(root, "rev-parse", "HEAD")
        return head + ("+changes" if _git(root, "status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def sign(manifest: dict[str, Any], pem: bytes) -> dict[str, Any]:
    """Return the manifest signed by a private key (PEM, Ed25519, no passphrase); ValueError says what is wrong with the key."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("The key must be Ed25519: openssl genpkey -algorithm ed25519")
    return {**manifest, "signature": base64.b64encode(key.sign(_signed(manifest))).decode()}


def public_key(pem: bytes) -> str:
    """Return the public half of a private key, as IRISX_RELEASE_KEY takes it."""
    key = load_pem_private_key(pem, password=None)
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def verify(manifest: dict[str, Any], key: str) -> None:
    """Raise NotSigned unless the manifest bears the signature of `key` (base64 of 32 bytes)."""
    signature = manifest.get("signature")
    if not signature:
        raise NotSigned("it bears no signature, and IRISX_RELEASE_KEY asks for one")
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signature), _signed(manifest))
    except (InvalidSignature, ValueError, TypeError):
        raise NotSigned("its signature is not that of IRISX_RELEASE_KEY") from None


def _signed(manifest: dict[str, Any]) -> bytes:
    unsigned = {name: value for name, value in manifest.items() if name != "signature"}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _migrations(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("[0-9]*.py"))


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own words
