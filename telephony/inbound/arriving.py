"""Take calls that come in: whose number it is, a call in their books, and on to where the number leads."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from telephony.inbound.models import NumberRoute, RouteKind
from telephony.inbound.reading import Arrival
from telephony.inbound.ringing import SipTarget, TelephoneTarget, hang_up_caller, ring
from telephony.models import Call, CallLeg, PhoneNumber
from telephony.queues.waiting import join
from telephony.services.timeline import append, move
from telephony.states import CallStatus, Direction, Dispatch

# What the caller's switch is told (Q.850).
NOT_OURS, SHUT_OUT, NO_ROUTE = "UNALLOCATED_NUMBER", "CALL_REJECTED", "NO_ROUTE_DESTINATION"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose number it is, and whether they are let in."""

    tenant_id: UUID
    is_open: bool


def arrive(*, arrival: Arrival, node: str, now: datetime) -> str:
    """Take a call that waits at a switch; return the cause it is to be hung up with, empty when it was taken.

    A transaction of its own: the call, its leg and what is done first are one. A repeat, and a second listener, find the call and
    change nothing. Of a number that is nobody's, or a shut-out company's, nothing is written.
    """
    owner = _owner_of(arrival.to_number)
    if owner is None:
        return NOT_OURS
    if not owner.is_open:
        return SHUT_OUT
    with tenant_scope(owner.tenant_id):
        call = _new_call(owner.tenant_id, arrival, node=node, now=now)
        if call is not None:
            _lead(call, now=now)
    return ""


def _owner_of(number: str) -> Owner | None:
    with system_access("whose number is called"):
        row = (
            PhoneNumber.unscoped.filter(number=number, is_active=True)
            .values_list("tenant_id", "tenant__status")
            .first()
        )
    if row is None:
        return None
    return Owner(row[0], is_open=row[1] in {Tenant.Status.TRIAL, Tenant.Status.ACTIVE})


def _new_call(tenant_id: UUID, arrival: Arrival, *, node: str, now: datetime) -> Call | None:
    """Store the call under its channel's UUID; None when it is there already."""
    call = Call(
        id=arrival.channel,
        tenant_id=tenant_id,
        direction=Direction.INBOUND.value,
        to_number=arrival.to_number,
        from_number=arrival.from_number,
        created_at=now,
    )
    try:
        with transaction.atomic():
            call.save(force_insert=True)
    except IntegrityError:
        return None
    leg = CallLeg.objects.create(
        id=call.pk,
        tenant_id=tenant_id,
        call=call,
        node=node,
        dispatch=Dispatch.CONFIRMED.value,
        last_seen_at=now,
        created_at=now,
    )
    move(call, to=CallStatus.INITIATED, occurred_at=now, leg_id=leg.pk)
    return call


def _lead(call: Call, *, now: datetime) -> None:
    """Begin what the number's route says; a number that leads nowhere is told so."""
    routes = NumberRoute.objects.for_tenant(call.tenant_id).filter(number__number=call.to_number)
    route = routes.select_related("extension", "queue").first()
    append(call, type="routed", occurred_at=now, leg_id=call.pk, payload={"to": route.kind if route else None})
    if route is not None and route.queue is not None:
        join(call=call, queue=route.queue, now=now)
    elif route is not None and route.extension is not None and route.extension.is_active:
        ring(call, TelephoneTarget(route.extension.sip_user), now=now)
    elif route is not None and route.kind == RouteKind.SIP_URI:
        ring(call, SipTarget(route.sip_uri), now=now)
    else:
        hang_up_caller(call, cause=NO_ROUTE, now=now)
