"""Listen for clients, beat, and stop in good order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telephony.simulator.channel import Hangup
from telephony.simulator.session import MAX_COMMAND_BYTES, Session
from telephony.simulator.switch import Switch


@asynccontextmanager
async def listening(
    switch: Switch, *, password: str, host: str = "127.0.0.1", port: int = 0, user: str = ""
) -> AsyncIterator[int]:
    """Serve a switch and yield the port it listens on; on leaving, every client is cut off."""
    clients: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        try:
            await Session(switch, reader, writer, password=password, user=user).serve()
        finally:
            clients.discard(writer)

    server = await asyncio.start_server(serve, host, port, limit=MAX_COMMAND_BYTES)
    beating = asyncio.create_task(_beat(switch))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        beating.cancel()
        server.close()
        for writer in list(clients):
            writer.close()
        await server.wait_closed()


async def shut_down(switch: Switch) -> None:
    """End every call as `fsctl shutdown` does."""
    for channel in list(switch.channels.values()):
        channel.end(Hangup("SYSTEM_SHUTDOWN"))
    if switch.tasks:
        await asyncio.wait(list(switch.tasks), timeout=1)


async def _beat(switch: Switch) -> None:
    while True:
        await asyncio.sleep(switch.heartbeat_seconds)
        switch.heartbeat()
