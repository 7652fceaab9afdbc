"""A simulated switch on a free port, for tests that talk to one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telephony.esl.address import NodeAddress
from telephony.simulator.server import listening
from telephony.simulator.switch import Switch

PASSWORD = "ClueCon"


@asynccontextmanager
async def running(switch: Switch, *, port: int = 0) -> AsyncIterator[NodeAddress]:
    """Serve the switch and yield where it listens."""
    async with listening(switch, port=port, password=PASSWORD) as bound:
        yield NodeAddress(host="127.0.0.1", port=bound, password=PASSWORD)
