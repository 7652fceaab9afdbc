"""Say where numbers lead."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import audit
from accounts.audit import Actor
from common.errors import Invalid, NotFound
from common.ids import encode
from telephony.inbound.models import Extension, NumberRoute, RouteKind
from telephony.models.lines import PhoneNumber
from telephony.queues.models import Queue

# What may be dialled as a SIP address: nothing in it can mean anything else in a dial string.
SIP_URI = re.compile(
    r"sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{2,5})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class RouteWish:
    """Where a number shall lead: the one field that `kind` names."""

    kind: RouteKind
    queue: UUID | None = None
    extension: UUID | None = None
    sip_uri: str = ""


def route_of(*, tenant_id: UUID, number_id: UUID) -> NumberRoute:
    """Return where a number leads; raises NotFound for a number that isn't there, or leads nowhere."""
    found = NumberRoute.objects.for_tenant(tenant_id).filter(number_id=number_id).first()
    if found is None:
        raise NotFound("This number leads nowhere yet.")
    return found


def set_route(*, tenant_id: UUID, number_id: UUID, wish: RouteWish, by: Actor, now: datetime) -> NumberRoute:
    """Let a number lead somewhere; a repeat changes nothing. Raises NotFound, or Invalid with a pointer."""
    number = PhoneNumber.objects.for_tenant(tenant_id).select_for_update().filter(pk=number_id).first()
    if number is None:
        raise NotFound("There is no such number.")
    values = _checked(tenant_id, wish)
    row = NumberRoute.objects.for_tenant(tenant_id).filter(number=number).first()
    row = row or NumberRoute(tenant_id=tenant_id, number=number, created_at=now)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    audit.record(
        tenant_id=tenant_id,
        action="number.routed",
        by=by,
        object_id=encode("pn", number.pk),
        changes={"number": number.number, **{name: str(value) for name, value in values.items() if value}},
    )
    return row


def delete_route(*, tenant_id: UUID, number_id: UUID, by: Actor) -> None:
    """Let a number lead nowhere; calls to it are refused then. Raises NotFound."""
    route_of(tenant_id=tenant_id, number_id=number_id).delete()
    audit.record(tenant_id=tenant_id, action="number.unrouted", by=by, object_id=encode("pn", number_id))


def _checked(tenant_id: UUID, wish: RouteWish) -> dict[str, Any]:
    """Return the columns of a route, those its kind has no use for empty."""
    empty: dict[str, Any] = {"queue_id": None, "extension_id": None, "sip_uri": ""}
    match wish.kind:
        case RouteKind.QUEUE:
            used: dict[str, Any] = {"queue_id": _existing(Queue, tenant_id, wish.queue, "/queue")}
        case RouteKind.EXTENSION:
            used = {"extension_id": _existing(Extension, tenant_id, wish.extension, "/extension")}
        case RouteKind.SIP_URI:
            used = {"sip_uri": _sip_uri(wish.sip_uri)}
    return {**empty, "kind": wish.kind.value, **used}


def _sip_uri(text: str) -> str:
    if not SIP_URI.fullmatch(text):
        raise Invalid("A SIP address is sip:user@host, or sip:user@host:port.", code="no-sip-uri", pointer="/sip_uri")
    return text


def _existing(model: type[Queue] | type[Extension], tenant_id: UUID, key: UUID | None, pointer: str) -> UUID:
    if key is None or not model.objects.for_tenant(tenant_id).filter(pk=key).exists():
        raise Invalid("There is no such target.", code="not-found", pointer=pointer)
    return key
