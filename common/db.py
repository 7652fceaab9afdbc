"""The database beside Django's requests: written statements, threads for the work of sockets, connections of a process's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import close_old_connections, connection, connections
from django.db.backends.postgresql.base import ServerBindingCursor  # type: ignore[attr-defined] # the stubs are of psycopg 2
from django.db.backends.utils import CursorWrapper

P = ParamSpec("P")
R = TypeVar("R")
DJANGOS_OWN = {"context", "cursor_factory", "prepare_threshold"}  # of the connection parameters; libpq knows the rest
# A small pool, so that a slow query never stops the event loop.
DATABASE_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="socket-db")


def prepared(query: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one written statement and return its rows, if it has any.

    PostgreSQL plans it once per connection, not each time (settings: `prepare_threshold`). For what every message, event and
    sign-in does; jsonb comes as text. Parameters whose type the statement does not say need a cast.
    """
    with _cursor() as cursor:
        cursor.execute(query, values)
        return [] if cursor.description is None else cursor.fetchall()


def _cursor() -> CursorWrapper:
    """Return a cursor that binds on the server's side; while queries are logged, one whose statements can be read."""
    if connection.queries_logged:
        return connection.cursor()
    connection.ensure_connection()
    return connection.make_cursor(ServerBindingCursor(connection.connection))


async def in_database_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function that uses the ORM in a database thread and return what it returns.

    As `channels.db.database_sync_to_async`, but the pool's threads are its own: nothing is set up anew for a call.
    """

    def run() -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(DATABASE_THREADS, copy_context().run, run)


async def connect_outside_pool(**options: Any) -> psycopg.AsyncConnection:
    """Return an autocommit connection of the caller's own to DATABASE_URL, with every parameter that names (TLS included).

    Raises psycopg.Error. The caller sets the deadline and closes it.
    """
    parameters: dict[str, Any] = connections["default"].get_connection_params()
    wanted = {key: value for key, value in parameters.items() if key not in DJANGOS_OWN}
    return await psycopg.AsyncConnection.connect(**{**wanted, **options}, autocommit=True)
