"""Take what comes in at a switch: calls parked by our dialplan, told by an event or found in the list after a link was down."""

import asyncio
import logging

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from common.db import in_database_thread
from telephony.esl import commands
from telephony.esl.connection import Node
from telephony.esl.errors import NotSent, Unconfirmed
from telephony.esl.protocol import Event
from telephony.inbound import reading
from telephony.inbound.arriving import arrive

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


async def take_arrival(node: Node, event: Event) -> None:
    """Take the call a CHANNEL_PARK, or the dump of a parked channel, tells of; whatever else it tells of is left alone.

    Waits for the database as long as it takes. A call that is refused is hung up with the cause; should that not reach the
    switch, the call is found again after the next connect.
    """
    found = reading.arrival(event)
    if found is None:
        return
    cause = await _arrive(node, found)
    if not cause:
        return
    log.info("a call to %s is refused: %s", found.to_number or "no number", cause)
    try:
        await node.send(commands.kill(found.channel, cause))
    except (NotSent, Unconfirmed):
        log.warning("%s: a refused call could not be hung up yet", node.address.name)


async def _arrive(node: Node, found: reading.Arrival) -> str:
    while True:
        try:
            return await in_database_thread(arrive, arrival=found, node=node.address.name, now=timezone.now())
        except (OperationalError, InterfaceError):
            log.warning("the database does not answer; a call waits", exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            log.exception("the call on channel %s could not be taken", found.channel)
            return "NORMAL_TEMPORARY_FAILURE"
