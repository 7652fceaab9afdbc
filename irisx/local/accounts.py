"""Which Unix account PostgreSQL runs as, and which folders that account can reach."""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from irisx.local.errors import StartError
from irisx.local.processes import Account

SHARED_ROOT = Path("/var/tmp")  # noqa: S108 - survives a restart of the machine, unlike /tmp
OWNER_FILE = "state-directory"


def server_account() -> Account | None:
    """Choose the account for PostgreSQL, which refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StartError("PostgreSQL refuses to run as root and there is no account postgres or nobody: set DATABASE_URL.")


def can_reach(path: Path, *, account: Account | None) -> bool:
    """Tell whether the account may walk to a folder, or run a file."""
    if account is None:
        return os.access(path, os.X_OK)
    return run_as(account, ["/usr/bin/env", "test", "-x", str(path)]).returncode == 0


def run_as(
    account: Account | None, command: list[str], *, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as an account, in a folder everybody may be in; capture what it says."""
    return subprocess.run(
        command,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def give(path: Path, *, account: Account | None) -> None:
    """Make an account the owner of a file or folder."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def reachable_home(state_directory: Path, *, account: Account | None) -> Path:
    """Return the folder for the server's data: the state directory, or one outside when the account cannot walk there.

    The folder outside is recorded as the link `servers` in the state directory.
    """
    if can_reach(state_directory, account=account):
        return state_directory
    digest = hashlib.sha256(str(state_directory).encode()).hexdigest()[:12]
    home = SHARED_ROOT / f"irisx-{digest}"
    _claim(home, state_directory=state_directory)
    link = state_directory / "servers"
    link.unlink(missing_ok=True)
    link.symlink_to(home)
    return home


def forget_home(state_directory: Path) -> None:
    """Delete the folder outside that belongs to a state directory, if there is one."""
    link = state_directory / "servers"
    if link.is_symlink() and _owner_of(home := link.readlink()) == str(state_directory):
        shutil.rmtree(home)


def _claim(home: Path, *, state_directory: Path) -> None:
    """Create the folder, or make sure that the one there is ours: /var/tmp is everybody's."""
    home.mkdir(mode=0o711, exist_ok=True)
    home_stat = home.lstat()
    if home.is_symlink() or home_stat.st_uid != os.geteuid() or home_stat.st_mode & 0o022:
        raise StartError(f"{home} belongs to somebody else: remove it, or set DATABASE_URL.")
    home.chmod(0o711)
    (home / OWNER_FILE).write_text(str(state_directory))


def _owner_of(home: Path) -> str:
    try:
        return (home / OWNER_FILE).read_text()
    except OSError:
        return ""
