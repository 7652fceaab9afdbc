"""Threads for database work of sockets: a small pool of their own, so that a slow query never stops the event loop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
R = TypeVar("R")
DATABASE_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="socket-db")


async def in_database_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function that uses the ORM in a database thread and return what it returns."""
    call = database_sync_to_async(function, thread_sensitive=False, executor=DATABASE_THREADS)
    return await call(*args, **kwargs)
