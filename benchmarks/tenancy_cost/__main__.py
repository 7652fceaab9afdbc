"""Set up a throw-away database and Django on it, measure, print, clear away."""

import argparse
import os
import secrets

import django
from django.test.utils import setup_test_environment

import benchmarks.tenancy_cost
from benchmarks.conditions import conditions
from irisx.local.testservers import Servers, begin_session, end_session, own_valkey
from irisx.local.testsession import TestSession

UNHELD = "bench_unheld"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=benchmarks.tenancy_cost.__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="alternations: a block with and one without walls each")
    rounds = parser.parse_args().rounds
    print(conditions(), flush=True)
    servers = Servers()
    session = begin_session(servers, {})
    try:
        password = prepare(session, servers)
        from benchmarks.tenancy_cost.measuring import Walls, measure  # Django is set up by now

        measure(Walls(user=UNHELD, password=password), rounds=rounds)
    finally:
        end_session(session, servers)


def prepare(session: TestSession, servers: Servers) -> str:
    """Make a migrated database and a role without walls, and set Django up; return the role's password."""
    name = f"{session.template}_bench"
    redis_url = own_valkey(servers, session, name="bench")
    os.environ.update(session.environment(database=name, redis_url=redis_url))
    os.environ.update({"DEBUG": "false", "IRISX_DEMO": "true", "IRISX_LOG_LEVEL": "ERROR"})
    os.environ["DJANGO_SETTINGS_MODULE"] = "irisx.settings"
    session.create_copy(name)
    password = secrets.token_hex(8)
    with session.connect(database=name) as connection:
        connection.execute(f"CREATE ROLE {UNHELD} LOGIN BYPASSRLS PASSWORD '{password}'")
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {UNHELD}")
        connection.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {UNHELD}")
    django.setup()
    setup_test_environment()
    return password


if __name__ == "__main__":
    main()
