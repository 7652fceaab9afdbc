"""The database beside Django's requests: written statements, threads for the work of sockets, connections of a process's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import close_old_connections, connection, connections

P = ParamSpec("P")
R = TypeVar("R")
DJANGOS_OWN = {"context", "cursor_factory", "prepare_threshold"}  # of the connection parameters; libpq knows the rest
# A small pool, so that a slow query never stops the event loop.
DATABASE_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="socket-db")


def prepared(query: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one written statement that answers with rows, and return them.

    PostgreSQL plans it once per connection, not each time (settings: `prepare_threshold`). For what every message, event and
    sign-in does; jsonb comes as text. Parameters whose type the statement does not say need a cast.
    """
    if connection.queries_logged or connection.execute_wrappers:  # whoever looks on sees it as any other
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())
    connection.validate_no_broken_transaction()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw = _cursor(connection.connection)
        raw.execute(query, values)
        return raw.fetchall()


def _cursor(server: Any) -> psycopg.Cursor[Any]:
    """Return the connection's one cursor for written statements, kept at the connection; it binds on the server's side."""
    cursor: psycopg.Cursor[Any] | None = getattr(server, "_for_prepared", None)
    if cursor is None:
        cursor = server._for_prepared = psycopg.Cursor(server)
    return cursor


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
