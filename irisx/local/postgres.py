"""Run a private PostgreSQL: on loopback TCP with SCRAM passwords only, never as root."""

import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from irisx.local.accounts import give, run_as
from irisx.local.binaries import PostgresBinaries
from irisx.local.errors import StartError
from irisx.local.ports import LOOPBACK
from irisx.local.processes import Account, Program, servers_in, stop_all
from irisx.local.roles import OWNER, SERVING, ensure_database, ensure_roles

SUPERUSER = "postgres"
LOCK_FILE = "postmaster.pid"
BUILTIN_LOCALE_SINCE = 17  # PostgreSQL's own C.UTF-8, right upper and lower case without ICU or system locales
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "jit": "off",
}
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True)
class Cluster:
    """A data folder, the programs that serve it and the passwords of its roles."""

    binaries: PostgresBinaries
    data: Path
    port: int
    passwords: Mapping[str, str]
    account: Account | None
    is_durable: bool = True

    def url(self, *, role: str, database: str) -> str:
        """Return the address of a database for a role."""
        return f"postgres://{role}:{quote(self.passwords[role])}@{LOOPBACK}:{self.port}/{database}"

    def initialise(self, *, environment: Mapping[str, str]) -> bool:
        """Create the data folder unless it is there, complete or not at all; True when it was created."""
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return False
        unfinished = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        give(unfinished, account=self.account)
        self._initdb(unfinished, environment)
        unfinished.rename(self.data)
        return True

    def program(self, *, environment: Mapping[str, str], stage: int = 0) -> Program:
        """Describe the server process."""
        settings = SETTINGS if self.is_durable else SETTINGS | THROWAWAY_SETTINGS
        options = [f"--{name}={value}" for name, value in settings.items()]
        return Program(
            name="postgres",
            command=(str(self.binaries.folder / "postgres"), "-D", str(self.data), f"--port={self.port}", *options),
            environment=environment,
            cwd=Path("/"),
            account=self.account,
            stop_signal=signal.SIGINT,  # fast shutdown: end the sessions, write a checkpoint
            orphan_signal=signal.SIGINT,
            stop_seconds=20.0,
            stage=stage,
        )

    def recover(self) -> None:
        """End what an earlier server left behind; a lock file must not outlive the processes it stands for."""
        stop_all(servers_in(self.data, executable="postgres"), with_signal=signal.SIGINT, seconds=10.0)
        (self.data / LOCK_FILE).unlink(missing_ok=True)

    def is_ready(self) -> bool:
        """Tell whether the server takes connections; its lock file says so, and asking too early fills the log."""
        try:
            lock = (self.data / LOCK_FILE).read_text()
        except OSError:
            return False
        return lock.rstrip().endswith("ready") and self._answers()

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, *, database: str = "postgres") -> psycopg.Connection:
        """Open a connection as the superuser, each statement its own transaction."""
        return psycopg.connect(self.url(role=SUPERUSER, database=database), autocommit=True, connect_timeout=2)

    def prepare(self) -> None:
        """Make sure of the roles and the database."""
        with self.connect() as connection:
            ensure_roles(connection, passwords={role: self.passwords[role] for role in (OWNER, SERVING)})
            ensure_database(connection)

    def _initdb(self, data: Path, environment: Mapping[str, str]) -> None:
        password_file = data.with_name("superuser-password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.passwords[SUPERUSER])
        give(password_file, account=self.account)
        locale = ["--no-locale"]
        if self.binaries.major >= BUILTIN_LOCALE_SINCE:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(self.binaries.folder / "initdb"), "-D", str(data), "-U", SUPERUSER, "--encoding=UTF8", *locale]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        try:
            done = run_as(
                self.account, command if self.is_durable else [*command, "--no-sync"], environment=environment
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise StartError(f"initdb failed: {(done.stderr or done.stdout).strip()[-800:]}")

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(self.binaries.major):
            raise StartError(
                f"{self.data} was made by PostgreSQL {found}, this one is {self.binaries.version}: "
                "run `make demo-reset`, or set PG_BINDIR to the older programs."
            )
