"""Fixtures for tests on real servers: the process's database, committed work, an empty Valkey, a running demo."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import connections
from pytest_django import DjangoDbBlocker

from irisx.local.cleaning import Cleaner
from irisx.local.rundemo import running_demo
from irisx.local.testsession import TestSession, database_of


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Create this process's database, a copy of the migrated template; Django makes none of its own."""
    TestSession.inherited().create_copy(database_of(os.environ["DATABASE_URL"]))
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture
def db(request: pytest.FixtureRequest) -> None:
    """Open the database in a transaction that is rolled back, or without one when the test wants `committed_db`."""
    wanted = "committed_db" if "committed_db" in request.fixturenames else "_django_db_helper"
    request.getfixturevalue(wanted)


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest, database_cleaner: Cleaner, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Open the database so that commits are real; afterwards only what migrations shipped is left."""
    if request.node.get_closest_marker("django_db") or "transactional_db" in request.fixturenames:
        raise pytest.UsageError("committed_db commits, django_db and transactional_db do not: use one of them.")
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            for connection in connections.all(initialized_only=True):
                connection.close()
            # A thread that outlived its test may keep a connection: the next test gets a pool of its own.
            connections["default"].close_pool()  # type: ignore[attr-defined] # PostgreSQL's wrapper has it
    database_cleaner.clean()


@pytest.fixture(scope="session")
def database_cleaner(django_db_setup: None) -> Cleaner:
    """Remember what the migrations shipped."""
    session = TestSession.inherited()
    return Cleaner(lambda: session.connect(database=database_of(os.environ["DATABASE_URL"])))


@pytest.fixture(scope="session")
def valkey_client() -> Iterator[redis.Redis]:
    """Connect to this process's Valkey."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


@pytest.fixture(autouse=True)
def empty_valkey(valkey_client: redis.Redis) -> None:
    """Begin every test with nothing in Valkey: no throttle counts, leases or queued tasks of an earlier one."""
    valkey_client.flushdb()


@pytest.fixture(scope="session")
def demo() -> Iterator[dict[str, Any]]:
    """Run the whole demo once; give what its demo.json says and, under `state_dir`, where it is.

    The plugin puts all tests that use it into one process, so that there is one.
    """
    with running_demo() as document:
        yield document
