"""The database beside Django's requests: threads for the work of sockets, and connections of a process's own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import psycopg
from channels.db import database_sync_to_async
from django.db import connections

P = ParamSpec("P")
R = TypeVar("R")
DJANGOS_OWN = {"context", "cursor_factory", "prepare_threshold"}  # of the connection parameters; libpq knows the rest
# A small pool, so that a slow query never stops the event loop.
DATABASE_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="socket-db")


async def in_database_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function that uses the ORM in a database thread and return what it returns."""
    call = database_sync_to_async(function, thread_sensitive=False, executor=DATABASE_THREADS)
    return await call(*args, **kwargs)


async def connect_outside_pool(**options: Any) -> psycopg.AsyncConnection:
    """Return an autocommit connection of the caller's own to DATABASE_URL, with every parameter that names (TLS included).

    Raises psycopg.Error. The caller sets the deadline and closes it.
    """
    parameters: dict[str, Any] = connections["default"].get_connection_params()
    wanted = {key: value for key, value in parameters.items() if key not in DJANGOS_OWN}
    return await psycopg.AsyncConnection.connect(**{**wanted, **options}, autocommit=True)
