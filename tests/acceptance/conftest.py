"""The switch the scenarios run against: a real one by `make acceptance FREESWITCH_URL=… SIP_CARRIER=…`, the simulator otherwise.

FREESWITCH_URL is the Event Socket of a switch with deploy/freeswitch; SIP_CARRIER is where its gateway `carrier` sends calls:
the address our carrier listens on. The switch's environment has IRISX_WEB=http://127.0.0.1:8095 and PASSWORD, below, as
SWITCH_WEB_PASSWORD (docs/guides/freeswitch.md).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Thread
from typing import TypeVar

import pytest
import pytest_asyncio
from django.conf import LazySettings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application

from telephony.esl.address import NodeAddress, parse_url
from telephony.simulator.switch import Switch
from telephony.switch.answers import Answers
from tests.acceptance.parties import Carrier, Party
from tests.acceptance.sip import Endpoint
from tests.telephony.conftest import acme_line  # noqa: F401 - a fixture of these scenarios
from tests.telephony.listener.conftest import books  # noqa: F401
from tests.telephony.switches import running

REAL = os.environ.get("ACCEPTANCE_SWITCH", "")
CARRIER = os.environ.get("ACCEPTANCE_CARRIER", "") or "127.0.0.1:5090"
WEB = ("127.0.0.1", 8095)
PASSWORD = "aPasswordOfTheSwitch1"
E = TypeVar("E", bound=Endpoint)

# What only a real switch can show.
collect_ignore = [] if REAL else ["test_real_arrivals.py", "test_real_switch.py"]


@asynccontextmanager
async def opened(endpoint: E, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[E]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: endpoint, local_addr=(host, port))
    try:
        yield endpoint
    finally:
        transport.close()


@pytest_asyncio.fixture
async def switch() -> AsyncIterator[NodeAddress]:
    """Yield the address of the switch, behind which the carrier stands."""
    if not REAL:
        async with running(Switch(pace=0.3)) as address:
            yield address
        return
    host, _, port = CARRIER.rpartition(":")
    async with opened(Carrier(), host, int(port)):
        yield parse_url(REAL)


@pytest_asyncio.fixture
async def party() -> AsyncIterator[Party]:
    """Yield somebody with a telephone."""
    async with opened(Party()) as found:
        yield found


@pytest.fixture
def web(committed_db: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer the switch, from the database of the test."""
    settings.FREESWITCH_WEB_PASSWORDS = [PASSWORD]
    settings.ALLOWED_HOSTS = [WEB[0]]
    monkeypatch.setattr("telephony.switch.views._answers", Answers())
    server = ThreadedWSGIServer(WEB, WSGIRequestHandler, connections_override=None)
    server.set_app(get_internal_wsgi_application())
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()
