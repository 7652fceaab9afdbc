"""Hand commands to the owner of a switch: each is taken once, and dialling is never late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.tenancy import system_access, tenant_scope
from telephony.facts import Refused, cause_in
from telephony.guards import services as guards
from telephony.models import CallCommand, CallLeg
from telephony.models.commands import CommandKind, CommandStatus
from telephony.services.hanging_up import hang_up_again
from telephony.services.progress import apply_fact
from telephony.services.timeline import append, locked_call
from telephony.states import Direction, Dispatch


class Outcome(Enum):
    """How sending a command went."""

    ACCEPTED = auto()
    REFUSED = auto()
    NOT_SENT = auto()
    UNCONFIRMED = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """A command taken for sending, with all a dial string needs."""

    command_id: UUID
    tenant_id: UUID
    call_id: UUID
    leg_id: UUID
    kind: CommandKind
    gateway: str
    to_number: str
    from_number: str
    time_limit_seconds: int
    params: Mapping[str, Any]


def waiting_commands(*, node: str, limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, call, command) of what waits for this node or for any, oldest first; one query."""
    waiting = CallCommand.unscoped.filter(Q(node="") | Q(node=node), status=CommandStatus.PENDING.value)
    with system_access(f"commands for {node}"):
        return list(waiting.order_by("created_at", "id").values_list("tenant_id", "call_id", "id")[:limit])


def expired_commands(*, now: datetime, limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, call, command) of what was not sent in time; one query."""
    late = CallCommand.unscoped.filter(status=CommandStatus.PENDING.value, not_after__lt=now)
    with system_access("commands past their time"):
        return list(late.order_by("created_at", "id").values_list("tenant_id", "call_id", "id")[:limit])


def take(*, tenant_id: UUID, call_id: UUID, command_id: UUID, node: str, now: datetime) -> Order | None:
    """Mark a waiting command as sent and return it, or None when it was taken, withdrawn or is too late.

    An originate marks its leg `unsent → sent` in the same transaction: committed before any byte leaves, so that no
    crash and no second listener dials twice.
    """
    with tenant_scope(tenant_id):
        call = locked_call(tenant_id=tenant_id, call_id=call_id)
        command = CallCommand.objects.for_tenant(tenant_id).select_related("leg__trunk", "call").get(pk=command_id)
        if command.status != CommandStatus.PENDING:
            return None
        if now > command.not_after:
            _expire(command, now=now)
            return None
        if why := _objection(command):
            append(call, type="stopped", occurred_at=now, leg_id=command.leg_id, payload={"code": why})
            _refused(command, why, now=now)
            return None
        if command.kind == CommandKind.ORIGINATE and not _mark_sent(command.leg, node=node, now=now):
            _close(command, CommandStatus.FAILED, "the leg was dialled already", now=now)
            return None
        command.status, command.node, command.sent_at = CommandStatus.SENT.value, node, now
        command.save(update_fields=["status", "node", "sent_at"])
        return _order(command)


def settle(*, order: Order, outcome: Outcome, text: str = "", now: datetime) -> None:
    """Record how sending went: what never left waits again, what may have left is never dialled again."""
    with tenant_scope(order.tenant_id):
        locked_call(tenant_id=order.tenant_id, call_id=order.call_id)
        command = CallCommand.objects.for_tenant(order.tenant_id).select_related("leg").get(pk=order.command_id)
        if command.status != CommandStatus.SENT:
            return
        if outcome is Outcome.ACCEPTED:
            _close(command, CommandStatus.DONE, text, now=now)
        elif outcome is Outcome.REFUSED:
            _refused(command, text, now=now)
        elif outcome is Outcome.NOT_SENT or command.kind != CommandKind.ORIGINATE:
            _wait_again(command)
        else:
            _legs(command).filter(dispatch=Dispatch.SENT.value).update(dispatch=Dispatch.UNCONFIRMED.value)
            _close(command, CommandStatus.DONE, "unconfirmed", now=now)


def expire(*, tenant_id: UUID, call_id: UUID, command_id: UUID, now: datetime) -> None:
    """Fail a command that was not sent in time, whoever finds it; a leg never dialled ends as not sent."""
    with tenant_scope(tenant_id):
        locked_call(tenant_id=tenant_id, call_id=call_id)
        command = CallCommand.objects.for_tenant(tenant_id).select_related("leg").get(pk=command_id)
        if command.status == CommandStatus.PENDING and now > command.not_after:
            _expire(command, now=now)


def recover_commands(*, node: str) -> None:
    """Let commands wait again that a listener took and never finished: repeating any but an originate is harmless."""
    with system_access(f"commands {node} did not finish"):
        CallCommand.unscoped.filter(status=CommandStatus.SENT.value, node=node, leg__finalized_at=None).exclude(
            kind=CommandKind.ORIGINATE.value
        ).update(status=CommandStatus.PENDING.value)


def _legs(command: CallCommand) -> QuerySet[CallLeg]:
    return CallLeg.objects.for_tenant(command.tenant_id).filter(pk=command.leg_id, finalized_at=None)


def _objection(command: CallCommand) -> str:
    """Return the code of what came up against an outbound call since it was placed, or an empty string."""
    call = command.call
    if command.kind != CommandKind.ORIGINATE or call.direction != Direction.OUTBOUND or command.leg.trunk_id is None:
        return ""
    return guards.objection(tenant_id=call.tenant_id, to_number=call.to_number, from_number=call.from_number)


def _mark_sent(leg: CallLeg, *, node: str, now: datetime) -> bool:
    unsent = CallLeg.objects.for_tenant(leg.tenant_id).filter(
        pk=leg.pk, dispatch=Dispatch.UNSENT.value, finalized_at=None
    )
    return unsent.update(dispatch=Dispatch.SENT.value, node=node, sent_at=now) == 1


def _order(command: CallCommand) -> Order:
    return Order(
        command_id=command.pk,
        tenant_id=command.tenant_id,
        call_id=command.call_id,
        leg_id=command.leg_id,
        kind=CommandKind(command.kind),
        gateway=command.leg.trunk.gateway if command.leg.trunk else "",
        to_number=command.call.to_number,
        from_number=command.call.from_number,
        time_limit_seconds=command.call.time_limit_seconds,
        params=command.params,
    )


def _expire(command: CallCommand, *, now: datetime) -> None:
    _close(command, CommandStatus.FAILED, "not sent in time", now=now)
    if command.kind == CommandKind.ORIGINATE and command.leg.dispatch == Dispatch.UNSENT:
        ended = Refused(command.leg_id, at=now, cause="")
        apply_fact(tenant_id=command.tenant_id, call_id=command.call_id, fact=ended, now=now)
    _part(command, now=now)


def _refused(command: CallCommand, text: str, *, now: datetime) -> None:
    _close(command, CommandStatus.FAILED, text, now=now)
    if command.kind == CommandKind.ORIGINATE:
        refused = Refused(command.leg_id, at=now, cause=cause_in(text.removeprefix("-ERR").strip()))
        apply_fact(tenant_id=command.tenant_id, call_id=command.call_id, fact=refused, now=now)
    _part(command, now=now)


def _part(command: CallCommand, *, now: datetime) -> None:
    """Hang up the leg of two that could not be connected: nobody is left to listen to silence."""
    if command.kind == CommandKind.BRIDGE and command.leg.finalized_at is None:
        hang_up_again(command.leg, now=now)


def _wait_again(command: CallCommand) -> None:
    """Give the command back: its bytes never left, or repeating them is harmless."""
    command.status, command.sent_at = CommandStatus.PENDING.value, None
    if command.kind == CommandKind.ORIGINATE:
        command.node = ""
        unsent = {"dispatch": Dispatch.UNSENT.value, "node": "", "sent_at": None}
        _legs(command).filter(dispatch=Dispatch.SENT.value).update(**unsent)
    command.save(update_fields=["status", "sent_at", "node"])


def _close(command: CallCommand, status: CommandStatus, result: str, *, now: datetime) -> None:
    command.status, command.result, command.finished_at = status.value, result[:200], now
    command.save(update_fields=["status", "result", "finished_at"])
