"""Ring somebody for a call that came in: a leg of its own, connected with the caller when it is answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.ids import uuid7
from telephony.models import Call, CallLeg
from telephony.models.commands import CommandKind
from telephony.services.hanging_up import hang_up_again, hang_up_leg
from telephony.services.placing import order
from telephony.services.timeline import append

RING_SECONDS = 30
# Ringing late is worse than not at all: the caller waits meanwhile.
RING_WITHIN = timedelta(seconds=10)
CONNECT_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TelephoneTarget:
    """An agent's telephone, by its SIP user."""

    sip_user: str

    def params(self) -> dict[str, Any]:
        """Return what the command holds of it."""
        return {"telephone": self.sip_user}


@dataclass(frozen=True, slots=True)
class SipTarget:
    """A SIP address elsewhere."""

    uri: str

    def params(self) -> dict[str, Any]:
        """Return what the command holds of it."""
        return {"sip_uri": self.uri}


def ring(
    call: Call, target: TelephoneTarget | SipTarget, *, now: datetime, ring_seconds: int = RING_SECONDS
) -> CallLeg:
    """Order a leg for a locked call at the caller's switch; returns it, not dialled yet."""
    legs = CallLeg.objects.for_tenant(call.tenant_id).filter(call=call)
    caller = legs.get(pk=call.pk)
    last = legs.order_by("-position").values_list("position", flat=True).first() or 1
    leg = CallLeg.objects.create(
        id=uuid7(), tenant_id=call.tenant_id, call=call, position=last + 1, node=caller.node, created_at=now
    )
    append(call, type="leg_ordered", occurred_at=now, leg_id=leg.pk, payload=target.params())
    order(
        leg,
        kind=CommandKind.ORIGINATE,
        not_after=now + RING_WITHIN,
        now=now,
        params={**target.params(), "ring_seconds": ring_seconds},
    )
    return leg


def connect(call: Call, leg: CallLeg, *, now: datetime) -> None:
    """Order that an answered leg and the caller hear each other; the caller's side is answered by it."""
    append(call, type="connected", occurred_at=now, leg_id=leg.pk)
    order(leg, kind=CommandKind.BRIDGE, not_after=now + CONNECT_WITHIN, now=now)


def hang_up_caller(call: Call, *, cause: str, now: datetime) -> None:
    """End the caller's side of a locked call, unless it is over already."""
    caller = CallLeg.objects.for_tenant(call.tenant_id).get(pk=call.pk)
    if caller.finalized_at is None:
        hang_up_again(caller, now=now, cause=cause)


def hang_up_others(call: Call, *, now: datetime) -> None:
    """End every leg but the caller's: nobody is left to talk with."""
    others = CallLeg.objects.for_tenant(call.tenant_id).filter(call=call, finalized_at=None).exclude(pk=call.pk)
    for leg in others.order_by("id"):
        hang_up_leg(call, leg, now=now)
