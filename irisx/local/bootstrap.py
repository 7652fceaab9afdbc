"""Create a virtual environment and install a lock file into it, unless that is done already.

Usage: python3 bootstrap.py LOCK [VENV]. Runs before anything is installed: standard library only.
Uses uv when it is on PATH, pip otherwise.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
# Each lock holds all of the ones before it, at the same versions.
LOCKS = ("requirements.lock", "requirements-local.lock", "requirements-dev.lock")


def main(arguments: list[str]) -> None:
    """Make the environment ready for a lock."""
    if sys.version_info < OLDEST:
        sys.exit(f"IRISX needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
    lock = ROOT / arguments[0]
    venv = ROOT / (arguments[1] if len(arguments) > 1 else ".venv")
    if is_installed(lock, venv):
        return
    if not runs(venv / "bin" / "python"):
        create(venv)
    install(lock, venv)
    stamp(lock, venv)


def is_installed(lock: Path, venv: Path) -> bool:
    """Tell whether this lock, or one that holds it, was installed as it is now."""
    enough = LOCKS[LOCKS.index(lock.name) :]
    return any(read(stamp_file(ROOT / name, venv)) == digest(ROOT / name) for name in enough) and runs(
        venv / "bin" / "python"
    )


def runs(python: Path) -> bool:
    """Tell whether an interpreter works and is new enough."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    return python.exists() and subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def create(venv: Path) -> None:
    """Create the environment, without pip where ensurepip is missing: a fresh Debian keeps it in another package."""
    print(f"Creating {venv.name} with Python {sys.version.split()[0]}", flush=True)
    shutil.rmtree(venv, ignore_errors=True)
    if uv := shutil.which("uv"):
        run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)])
        return
    with_pip = [sys.executable, "-m", "venv", str(venv)]
    if subprocess.run(with_pip, capture_output=True, check=False).returncode != 0:
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", "--without-pip", str(venv)])


def install(lock: Path, venv: Path) -> None:
    """Install exactly what the lock says, checking every hash."""
    packages = sum("==" in line and not line.startswith((" ", "#")) for line in lock.read_text().splitlines())
    command, tool = installer(venv)
    print(f"Installing {packages} packages of {lock.name} with {tool}; this happens once", flush=True)
    began = time.monotonic()
    run([*command, "--require-hashes", "--requirement", str(lock)])
    print(f"Installed in {time.monotonic() - began:.0f} s", flush=True)


def installer(venv: Path) -> tuple[list[str], str]:
    """Choose what installs: uv, the environment's pip, or the pip of the Python we run."""
    python = str(venv / "bin" / "python")
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", python], "uv"
    quiet = ["-qq", "--disable-pip-version-check", "--no-input"]
    if (venv / "bin" / "pip").exists():
        return [python, "-m", "pip", "install", *quiet], "pip"
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        sys.exit(f"Neither uv nor pip is here: install pip for {sys.executable}, then start again.")
    return [sys.executable, "-m", "pip", "--python", python, "install", *quiet], "pip"


def run(command: list[str]) -> None:
    """Run a command in sight; stop with its name and status when it fails."""
    outside = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    status = subprocess.run(command, cwd=ROOT, env=outside, check=False).returncode
    if status != 0:
        sys.exit(f"{' '.join(command[:4])} … failed with status {status}.")


def stamp(lock: Path, venv: Path) -> None:
    """Note what is installed; the stamps of other locks no longer tell the truth."""
    for name in LOCKS:
        stamp_file(ROOT / name, venv).unlink(missing_ok=True)
    stamp_file(lock, venv).write_text(digest(lock))


def stamp_file(lock: Path, venv: Path) -> Path:
    """Return where the digest of an installed lock is noted."""
    return venv / f"{lock.stem}.installed"


def digest(lock: Path) -> str:
    """Return the SHA-256 of a lock."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def read(path: Path) -> str:
    """Return a file's text, empty when there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
