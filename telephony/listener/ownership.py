"""Own a node: a PostgreSQL advisory lock, held by a connection of its own for as long as this process serves it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from common.db import connect_outside_pool

log = logging.getLogger(__name__)

TRY_EVERY_SECONDS = 1.0
CHECK_EVERY_SECONDS = 2.0


class OwnershipLost(Exception):
    """The connection that holds the lock is gone: somebody else may own the node already."""


@asynccontextmanager
async def owning(node: str, *, stop: asyncio.Event) -> AsyncIterator["Ownership | None"]:
    """Wait until nobody else owns the node, then hold it; None when `stop` came first."""
    connection = await _locked(node, stop)
    if connection is None:
        yield None
        return
    try:
        log.info("this process owns %s", node)
        yield Ownership(connection)
    finally:
        await connection.close()


class Ownership:
    """The lock, while it is held."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def lost(self) -> None:
        """Watch the lock's connection; raises OwnershipLost once it is gone, and returns never."""
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            try:
                async with asyncio.timeout(CHECK_EVERY_SECONDS * 2):
                    await self._connection.execute("SELECT 1")
            except (psycopg.Error, TimeoutError) as error:
                raise OwnershipLost("the lock's connection is gone") from error


async def _locked(node: str, stop: asyncio.Event) -> psycopg.AsyncConnection | None:
    while not stop.is_set():
        try:
            connection = await _connect()
        except psycopg.OperationalError as error:
            log.warning("the database does not answer: %s", error.__class__.__name__)
            await asyncio.sleep(TRY_EVERY_SECONDS)
            continue
        try:
            if await _try_lock(connection, node):
                return connection
        except psycopg.Error:
            log.warning("the lock of %s could not be asked for", node, exc_info=True)
        except BaseException:
            await connection.close()
            raise
        await connection.close()
        await asyncio.sleep(TRY_EVERY_SECONDS)
    return None


async def _connect() -> psycopg.AsyncConnection:
    return await connect_outside_pool(application_name="irisx-listener")


async def _try_lock(connection: psycopg.AsyncConnection, node: str) -> bool:
    cursor = await connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"irisx.telephony.node|{node}"]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])
