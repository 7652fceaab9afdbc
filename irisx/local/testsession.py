"""What the processes of one test session share: a PostgreSQL with a migrated template, and a folder.

The process that pytest starts first (with xdist the controller) begins the session. Every process then takes its own
copy of the template and its own Valkey; the workers find the session through environment variables.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from irisx.local.errors import StartError
from irisx.local.programs import ROOT
from irisx.local.testtemplate import keep, kept_template, restore

PREFIX = "_IRISX_TEST_"
NOT_FOR_TESTS = ("DATABASE_URL", "DATABASE_MIGRATION_URL", "REDIS_URL", "FREESWITCH_URL", "EMAIL_URL")
CLOSED_PORT = 9  # nobody listens there: a test that wants a FreeSWITCH starts its own


@dataclass(frozen=True)
class TestSession:
    """The addresses of a session. `redis_url` is empty when every process runs its own Valkey."""

    __test__ = False

    directory: str
    template: str
    admin_url: str
    database_url: str
    migration_url: str
    redis_url: str = ""

    @classmethod
    def is_around(cls) -> bool:
        """Tell whether this process was started from inside a session."""
        return f"{PREFIX}TEMPLATE" in os.environ

    def export(self) -> None:
        """Leave the session for the workers, which inherit our environment."""
        os.environ.update({PREFIX + name.upper(): value for name, value in asdict(self).items()})

    @classmethod
    def inherited(cls) -> "TestSession":
        """Find the session the controller began."""
        names = cls.__dataclass_fields__
        return cls(**{name: os.environ[PREFIX + name.upper()] for name in names})

    def connect(self, *, database: str = "") -> psycopg.Connection:
        """Open a connection that may create databases and put tables back."""
        url = at_database(self.admin_url, database) if database else self.admin_url
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def environment(self, *, database: str, redis_url: str) -> dict[str, str]:
        """Return what Django's settings read, for one database of the session."""
        return {
            "SECRET_KEY": "a-key-that-signs-nothing-but-what-tests-make-and-check",
            "DEBUG": "true",  # static files from their sources; pytest-django turns the debug pages off
            "DATABASE_URL": at_database(self.database_url, database),
            "DATABASE_MIGRATION_URL": at_database(self.migration_url, database),
            "REDIS_URL": redis_url,
            "FREESWITCH_URL": f"esl://:none@127.0.0.1:{CLOSED_PORT}",
            "IRISX_MEDIA_ROOT": str(Path(self.directory) / f"media-{database}"),
            "IRISX_STATIC_ROOT": self.directory,
            "IRISX_API_QUOTAS": "false",  # tests and benchmarks ask as fast as they can; those of the quotas turn them on
        }

    def create_copy(self, name: str) -> None:
        """Create a database from the template, which the first process to come migrates."""
        with self._locked(), self.connect() as connection:
            if not _exists(connection, self.template):
                self._create_template(connection)
            _create_database(connection, name, template=self.template, owner=role_of(self.migration_url))

    def drop_databases(self) -> None:
        """Drop the template and every copy."""
        with self.connect() as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self.template])
            for (name,) in rows.fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _create_template(self, connection: psycopg.Connection) -> None:
        unfinished = f"{self.template}_new"
        _create_database(connection, unfinished, template="template0", owner=role_of(self.migration_url))
        if self.admin_url == self.migration_url:
            self._migrate(connection, unfinished)
        else:
            self._restore_or_migrate(connection, unfinished)
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(self.template)))

    def _restore_or_migrate(self, connection: psycopg.Connection, database: str) -> None:
        kept, url = kept_template(), at_database(self.admin_url, database)
        owner_url = at_database(self.migration_url, database)
        if not restore(kept, url=url, owner_url=owner_url, serving_role=role_of(self.database_url)):
            self._migrate(connection, database)
            keep(kept, url=url)

    def _migrate(self, connection: psycopg.Connection, database: str) -> None:
        environment = os.environ | self.environment(database=database, redis_url=os.environ["REDIS_URL"])
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--no-input", "--skip-checks"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
            raise StartError(f"The migrations failed:\n{done.stdout}{done.stderr}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (Path(self.directory) / "databases.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def outside_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment as it would be without a test session, for programs that must find their own servers."""
    ours = ("IRISX_", PREFIX, "PYTEST_")
    names = {*NOT_FOR_TESTS, "SECRET_KEY", "DEBUG", "DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in environ.items() if name not in names and not name.startswith(ours)}


def at_database(url: str, database: str) -> str:
    """Return an address with another database in it."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def database_of(url: str) -> str:
    """Return the name of the database in an address."""
    return urlsplit(url).path.strip("/")


def role_of(url: str) -> str:
    """Return the name of the role in an address."""
    return urlsplit(url).username or ""


def _exists(connection: psycopg.Connection, database: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone())


def _create_database(connection: psycopg.Connection, name: str, *, template: str, owner: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
    connection.execute(statement.format(*(sql.Identifier(part) for part in (name, template, owner))))
