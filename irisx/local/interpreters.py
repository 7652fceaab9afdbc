"""Check the product on every Python it promises: `python -m irisx.local.interpreters`.

For each of 3.11 and 3.13: install the product's lock alone, compile every source with warnings as errors, and run
Django's checks. A version that is not here is reported as not run; under CI=true it is a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from irisx.local import bootstrap
from irisx.local.fingerprint import SOURCES
from irisx.local.programs import ROOT

VERSIONS = ("3.11", "3.13")
NO_SERVERS = {
    "SECRET_KEY": "only-for-checks-that-sign-nothing-and-reach-no-server",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}


def main() -> int:
    """Check each version found; return the exit status."""
    missing = [version for version in VERSIONS if not check(version)]
    for version in missing:
        print(f"Python {version}: not run, none is installed.")
    if missing and os.environ.get("CI") == "true":
        print(f"CI needs Python {' and '.join(VERSIONS)}: install {' and '.join(missing)}.", file=sys.stderr)
        return 1
    return 0


def check(version: str) -> bool:
    """Check one version; False when there is no such interpreter."""
    python = find(version)
    if python is None:
        return False
    venv = f".venv-{version}"
    run([python, str(Path(bootstrap.__file__)), bootstrap.LOCKS[0], venv])
    product_python = str(ROOT / venv / "bin" / "python")
    with tempfile.TemporaryDirectory() as cache:
        compile_all = ["-W", "error", "-m", "compileall", "-q", "-f", "-j", "0", *SOURCES, "manage.py"]
        run([product_python, *compile_all], PYTHONPYCACHEPREFIX=cache)
    run([product_python, "-W", "error::SyntaxWarning", "manage.py", "check", "--fail-level", "WARNING"], **NO_SERVERS)
    print(f"Python {version}: installs, compiles and passes Django's checks.")
    return True


def find(version: str) -> str | None:
    """Find an interpreter that really runs on PATH or among pyenv's: a shim for another version only pretends."""
    on_path = shutil.which(f"python{version}")
    pyenv_root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    pyenv = sorted(pyenv_root.glob(f"versions/{version}.*/bin/python{version}"))
    candidates = [*([Path(on_path)] if on_path else []), *pyenv]
    return next((str(candidate) for candidate in candidates if bootstrap.runs(candidate)), None)


def run(command: list[str], **environment: str) -> None:
    """Run a command from the root; stop with its name when it fails."""
    status = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False).returncode
    if status != 0:
        sys.exit(f"{' '.join(command[:4])} … failed with status {status}.")


if __name__ == "__main__":
    sys.exit(main())
