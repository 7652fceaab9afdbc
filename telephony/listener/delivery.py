"""Send commands to the switch: each taken once, its outcome recorded."""

import logging

from django.conf import settings
from django.utils import timezone

from common.db import in_database_thread
from telephony.esl import commands
from telephony.esl.commands import Command, Gateway, SipAddress, Telephone
from telephony.esl.connection import Node
from telephony.esl.errors import NotSent, Unconfirmed, UnsafeValue
from telephony.esl.link import Reply
from telephony.esl.protocol import ApiReply
from telephony.models.commands import CommandKind
from telephony.services import dispatching
from telephony.services.dispatching import Order, Outcome

log = logging.getLogger(__name__)

RING_SECONDS = 60


async def deliver_waiting(node: Node) -> None:
    """Send everything that waits for this node, oldest first, while it is connected."""
    for tenant_id, call_id, command_id in await in_database_thread(
        dispatching.waiting_commands, node=node.address.name
    ):
        if not node.is_up:
            return
        order = await in_database_thread(
            dispatching.take,
            tenant_id=tenant_id,
            call_id=call_id,
            command_id=command_id,
            node=node.address.name,
            now=timezone.now(),
        )
        if order is not None:
            await _deliver(node, order)


async def expire_late() -> None:
    """Fail what was not sent in time, whether or not any switch is connected."""
    now = timezone.now()
    for tenant_id, call_id, command_id in await in_database_thread(dispatching.expired_commands, now=now):
        await in_database_thread(
            dispatching.expire, tenant_id=tenant_id, call_id=call_id, command_id=command_id, now=now
        )


async def _deliver(node: Node, order: Order) -> None:
    try:
        for command in wire_commands(order):
            reply = await node.send(command)
    except NotSent:
        outcome, text = Outcome.NOT_SENT, ""
    except Unconfirmed:
        outcome, text = Outcome.UNCONFIRMED, ""
    except UnsafeValue as error:
        log.exception("a stored command can't be sent")
        outcome, text = Outcome.REFUSED, str(error)
    else:
        outcome, text = _outcome(order.kind, reply), _text(reply)
    await in_database_thread(dispatching.settle, order=order, outcome=outcome, text=text, now=timezone.now())


def wire_commands(order: Order) -> list[Command]:
    """Return what is sent for an order, in turn; the last reply tells how it went.

    The job of an originate carries the leg's UUID, so that its reply finds the leg.
    """
    match order.kind:
        case CommandKind.HANGUP:
            return [commands.kill(order.leg_id, order.params.get("cause", "NORMAL_CLEARING"))]
        case CommandKind.BRIDGE:
            return [commands.answer(order.call_id), commands.bridge(order.call_id, order.leg_id)]
        case CommandKind.MUSIC:
            music = commands.play_music(order.leg_id, position=order.params.get("position"))
            return [commands.answer(order.leg_id), commands.silence(order.leg_id), music]
        case CommandKind.ORIGINATE:
            return [_originate(order)]


def _originate(order: Order) -> Command:
    return commands.originate(
        channel=order.leg_id,
        to=_endpoint(order),
        caller_number=order.from_number or order.to_number,
        ring_seconds=order.params.get("ring_seconds", RING_SECONDS),
        time_limit_seconds=order.time_limit_seconds,
        job=order.leg_id,
    )


def _endpoint(order: Order) -> Gateway | Telephone | SipAddress:
    if user := order.params.get("telephone"):
        return Telephone(user, settings.FREESWITCH_SIP_DOMAIN)
    if uri := order.params.get("sip_uri"):
        return SipAddress(uri)
    return Gateway(order.gateway, order.to_number)


def _outcome(kind: CommandKind, reply: Reply) -> Outcome:
    if isinstance(reply, ApiReply):
        # A channel unknown to the switch is hung up already, or not there yet: then its creation asks again.
        return Outcome.ACCEPTED if kind is CommandKind.HANGUP or not reply.is_error else Outcome.REFUSED
    return Outcome.ACCEPTED if reply.is_ok else Outcome.REFUSED


def _text(reply: Reply) -> str:
    return (reply.body if isinstance(reply, ApiReply) else reply.text).strip()
