"""Place calls: checked, stored and announced in the request's transaction; the listener dials."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.webhooks.callbacks import check_callback, make_ready
from common.ids import uuid7
from telephony.errors import NotYourNumber
from telephony.guards import services as guards
from telephony.metering import require_rate
from telephony.models import Call, CallCommand, CallLeg, PhoneNumber, SipTrunk
from telephony.models.calls import MAX_TIME_LIMIT_SECONDS
from telephony.models.commands import CommandKind
from telephony.numbers import e164
from telephony.services.doorbell import ring_on_commit
from telephony.services.timeline import append
from telephony.states import CallStatus, Direction

DIAL_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True)
class CallWish:
    """What somebody wants to dial, as it came."""

    to: str
    from_: str
    time_limit_seconds: int = MAX_TIME_LIMIT_SECONDS
    status_callback: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    placed_by: UUID | None = None


@dataclass(frozen=True)
class CallPlan:
    """A wish found possible: numbers in E.164, and the trunk it would leave by."""

    to_number: str
    from_number: str
    trunk: SipTrunk
    currency: str


def plan_call(*, tenant_id: UUID, wish: CallWish, now: datetime) -> CallPlan:
    """Check a wish without dialling; writes nothing.

    Raises Invalid, NotYourNumber, NoTrunk, NoRate, or what a guard has against it (telephony.guards).
    """
    if wish.status_callback:
        check_callback(tenant_id=tenant_id, url=wish.status_callback, pointer="/status_callback")
    from_number = e164(wish.from_, pointer="/from")
    guards.refuse_emergency(wish.to, from_number=from_number)
    to_number = e164(wish.to, pointer="/to")
    if not PhoneNumber.objects.for_tenant(tenant_id).filter(number=from_number, is_active=True).exists():
        raise NotYourNumber("The caller id must be one of your active phone numbers.", pointer="/from")
    trunk = guards.trunks_for(tenant_id=tenant_id)[0]
    rate = require_rate(tenant_id=tenant_id, to_number=to_number, now=now)
    guards.refuse_destination(tenant_id=tenant_id, to_number=to_number, from_number=from_number)
    return CallPlan(to_number=to_number, from_number=from_number, trunk=trunk, currency=rate.currency)


def place_call(*, tenant_id: UUID, wish: CallWish, now: datetime) -> Call:
    """Store a call, its first leg and the command to dial it; raises what `plan_call` raises.

    The command is dialled by the listener within 30 seconds or never.
    """
    guards.hold_lines(tenant_id=tenant_id)
    plan = plan_call(tenant_id=tenant_id, wish=wish, now=now)
    if wish.status_callback:
        make_ready(tenant_id=tenant_id, url=wish.status_callback)
    call = Call.objects.create(
        tenant_id=tenant_id,
        direction=Direction.OUTBOUND.value,
        to_number=plan.to_number,
        from_number=plan.from_number,
        currency=plan.currency,
        time_limit_seconds=wish.time_limit_seconds,
        status_callback=wish.status_callback,
        metadata=wish.metadata,
        placed_by=wish.placed_by,
        created_at=now,
    )
    leg = CallLeg.objects.create(id=call.pk, tenant_id=tenant_id, call=call, trunk=plan.trunk, created_at=now)
    append(call, type=CallStatus.QUEUED.value, occurred_at=now, leg_id=leg.pk)
    order(leg, kind=CommandKind.ORIGINATE, not_after=now + DIAL_WITHIN, now=now)
    return call


def order(
    leg: CallLeg,
    *,
    kind: CommandKind,
    not_after: datetime,
    now: datetime,
    params: dict[str, Any] | None = None,
) -> CallCommand:
    """Store a command to the leg's switch, to any switch while it has none, and ring at the listener on commit."""
    ring_on_commit()
    return CallCommand.objects.create(
        id=uuid7(),
        tenant_id=leg.tenant_id,
        call_id=leg.call_id,
        leg=leg,
        kind=kind.value,
        node=leg.node,
        not_after=not_after,
        params=params or {},
        created_at=now,
    )
