"""Compare the books with what a switch says of its channels."""

import logging
from uuid import UUID

import orjson
from django.utils import timezone

from common.db import in_database_thread
from telephony import facts
from telephony.esl import commands
from telephony.esl.connection import Node
from telephony.esl.errors import NotSent, Unconfirmed
from telephony.esl.protocol import ApiReply, Event
from telephony.listener.arrivals import take_arrival
from telephony.listener.intake import until_stored
from telephony.services import dispatching, reconciling
from telephony.services.reconciling import LivingLeg

log = logging.getLogger(__name__)

NO_SUCH_CHANNEL = "-ERR No such channel!"


async def catch_up(node: Node) -> None:
    """After a connect: learn what happened to every leg meanwhile, for the switch replays nothing."""
    await in_database_thread(dispatching.recover_commands, node=node.address.name)
    try:
        for leg in await in_database_thread(reconciling.living_legs, node=node.address.name):
            await _catch_up_leg(node, leg)
    except (NotSent, Unconfirmed) as error:
        log.warning("%s: catching up was cut short: %s", node.address.name, error)


async def survey(node: Node) -> None:
    """Keep proof of life of every leg the switch lists, and ask about each it doesn't: the list lags.

    What it lists and nobody knows may be a call that came in unheard: it is asked about too.
    """
    if not node.is_up:
        return
    try:
        listed = _listed(await _ask(node, commands.show_channels()))
        # Read after the list: what was dialled or taken meanwhile is known, and what is in the books is asked about.
        legs = await in_database_thread(reconciling.living_legs, node=node.address.name)
        seen = await _asked_about(node, legs, listed)
        await _take_strangers(node, listed)
    except (NotSent, Unconfirmed) as error:
        log.warning("%s: the survey was cut short: %s", node.address.name, error)
        return
    if seen:
        await in_database_thread(reconciling.note_seen, leg_ids=seen, now=timezone.now())


async def _asked_about(node: Node, legs: list[LivingLeg], listed: set[UUID]) -> set[UUID]:
    """Return the legs that live; those the switch denies are noted."""
    seen = {leg.leg_id for leg in legs} & listed
    for leg in (leg for leg in legs if leg.leg_id not in listed):
        answer = await _ask(node, commands.exists(leg.leg_id))
        if answer == "true":
            seen.add(leg.leg_id)
        elif answer == "false":
            await in_database_thread(reconciling.note_missing, leg=leg, now=timezone.now())
    return seen


async def _take_strangers(node: Node, listed: set[UUID]) -> None:
    known = await in_database_thread(reconciling.known_channels, channels=listed)
    for channel in sorted(listed - known):
        dump = _dumped(await _ask(node, commands.dump(channel)))
        if dump is not None:
            await take_arrival(node, dump)


async def _catch_up_leg(node: Node, leg: LivingLeg) -> None:
    answer = await _ask(node, commands.dump(leg.leg_id))
    if answer == NO_SUCH_CHANNEL:
        await in_database_thread(reconciling.note_missing, leg=leg, now=timezone.now())
        return
    dump = _dumped(answer)
    found = facts.alive(dump, at=timezone.now()) if dump else None
    if found is not None and found.leg_id == leg.leg_id:
        await until_stored(found)


async def _ask(node: Node, command: commands.Command) -> str:
    reply = await node.send(command)
    return reply.body.strip() if isinstance(reply, ApiReply) else ""


def _dumped(text: str) -> Event | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return Event(found) if isinstance(found, dict) else None


def _listed(text: str) -> set[UUID]:
    """Return the channels of `show channels as json`; rows that make no sense are left out."""
    try:
        rows = orjson.loads(text).get("rows", [])
        return {UUID(row["uuid"]) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("the switch's list of channels is unreadable")
        return set()
