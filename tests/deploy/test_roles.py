"""deploy/postgres/roles.sql and docs/guides/database.md make what irisx/local/roles.py makes."""

import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from irisx.local.postgres import Cluster
from irisx.local.roles import ATTRIBUTES, DATABASE, OWNER, SERVING
from tests.local.test_postgres import running

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "postgres" / "roles.sql"
ROLES = """
SELECT rolname, rolcanlogin, rolinherit, rolcreaterole, rolsuper, rolbypassrls
FROM pg_roles WHERE rolname LIKE 'irisx%' ORDER BY 1
"""


def guide() -> str:
    """Return what the guide tells a superuser to run on a server of theirs."""
    found = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "guides" / "database.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def run_script(cluster: Cluster, script: str) -> None:
    """Run a script as the image's entry point does."""
    passwords = {
        "PGPASSWORD": cluster.passwords["postgres"],
        "POSTGRES_OWNER_PASSWORD": cluster.passwords[OWNER],
        "POSTGRES_APP_PASSWORD": cluster.passwords[SERVING],
    }
    psql = [str(cluster.binaries.folder / "psql"), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1"]
    address = ["-h", "127.0.0.1", "-p", str(cluster.port), "-U", "postgres", "-d", "postgres"]
    done = subprocess.run(
        [*psql, *address], input=script, env=os.environ | passwords, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", [SCRIPT.read_text(), guide()], ids=["compose", "guide"])
def test_makes_the_roles_and_the_owners_database(cluster: Cluster, script: str) -> None:
    with running(cluster):
        run_script(cluster, script)
        with cluster.connect() as connection:
            made = connection.execute(ROLES).fetchall()
            connection.execute(f"DROP DATABASE {DATABASE}")
            for role in ATTRIBUTES:
                connection.execute(f"DROP ROLE {role}")
            cluster.prepare()
            assert made == connection.execute(ROLES).fetchall()


def test_lets_in_the_serving_role_and_nobody_unnamed(cluster: Cluster) -> None:
    with running(cluster):
        run_script(cluster, SCRIPT.read_text())
        with cluster.connect() as connection:
            connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
        with psycopg.connect(cluster.url(role=SERVING, database=DATABASE)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (SERVING,)
        address = cluster.url(role=SERVING, database=DATABASE).replace(
            f"{SERVING}:{cluster.passwords[SERVING]}", "stranger:stranger"
        )
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(address)
