"""Give every pytest process its own migrated PostgreSQL database and Valkey before Django's settings load.

Loaded by `-p irisx.local.pytest_plugin`: a conftest comes too late, pytest-django has read the settings by then.
"""

import os
from collections.abc import Generator, Mapping

import pytest

from irisx.local import testfixtures
from irisx.local.errors import StartError
from irisx.local.grouping import GroupScheduling, write_groups
from irisx.local.testservers import Servers, begin_session, end_session, given_valkey, own_valkey
from irisx.local.testsession import TestSession, outside_environment

FIXTURES = "irisx-fixtures"
DEMO_TEST_SECONDS = 300


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start or join the session, and say to Django where this process's servers are."""
    try:
        _join(early_config)
    except StartError as error:
        raise pytest.UsageError(str(error)) from error
    yield


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixtures after pytest-django's, which they replace: among plugins the last one wins."""
    config.pluginmanager.register(testfixtures, FIXTURES)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests of the one demo in one process, and give the first of them the time to start it."""
    if "demo" in getattr(item, "fixturenames", ()):
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("demo"))
        item.add_marker(pytest.mark.timeout(DEMO_TEST_SECONDS), append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the controller which tests belong together before it hears what was collected."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        write_groups(session.items, worker=worker)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> GroupScheduling | None:
    """Hand out groups of tests as `--dist loadgroup` promises."""
    return GroupScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


def _join(config: pytest.Config) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    servers = Servers()
    if worker:
        session = TestSession.inherited()
        config.add_cleanup(servers.stop)
    else:
        session = begin_session(servers, _given(os.environ))
        config.add_cleanup(lambda: end_session(session, servers))
    name = worker or "main"
    redis_url = (
        given_valkey(session, index=int(worker.removeprefix("gw") or 0))
        if session.redis_url
        else own_valkey(servers, session, name=name)
    )
    _enter(session, name=name, redis_url=redis_url)


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the servers a person named; those of a session around us are none."""
    return {} if TestSession.is_around() else dict(environ)


def _enter(session: TestSession, *, name: str, redis_url: str) -> None:
    for variable in set(os.environ) - set(outside_environment()):
        if not variable.startswith("PYTEST_"):
            del os.environ[variable]
    session.export()
    os.environ.update(session.environment(database=f"{session.template}_{name}", redis_url=redis_url))
