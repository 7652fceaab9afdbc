"""`/v1/calls`."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from common.errors import Invalid
from common.ids import decode_call
from common.pagination import limit_of, paginate
from telephony import schemas, selectors, services
from telephony.models import CallEvent
from telephony.presenting import present_call, present_event
from telephony.services import CallWish
from telephony.states import CallStatus

SID = OpenApiParameter("sid", str, OpenApiParameter.PATH, description="`CA` and 32 hex digits.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200; 50 when absent.")
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous`.")
MAX_SEQ = 2**31 - 1


class CallViewSet(TenantViewSet):
    """Place, look at and end calls."""

    permissions = {
        "list": "calls.read",
        "retrieve": "calls.read",
        "events": "calls.read",
        "create": "calls.place",
        "hangup": "calls.place",
    }

    @extend_schema(
        summary="Place a call",
        description="Accepted here, dialled within 30 seconds or never: then it is `failed` with reason `not_sent`.",
        request=schemas.CallRequest,
        responses={202: schemas.CallAnswer, 200: schemas.DryRunAnswer},
        examples=[schemas.PLACE_EXAMPLE, schemas.CALL_EXAMPLE],
        tags=["calls"],
    )
    def create(self, request: Request) -> Response:
        """Store the call and the command to dial it."""
        body = self.read(schemas.CallRequest)
        wish = _wish(body, placed_by=self.principal.id)
        if body["dry_run"]:
            return Response(self._dry_run(wish))
        return self.once(lambda: self._place(wish))

    @extend_schema(
        summary="Calls, newest first",
        parameters=[OpenApiParameter("status", str, enum=[status.value for status in CallStatus]), CURSOR, LIMIT],
        responses={200: schemas.CallPage},
        tags=["calls"],
    )
    def list(self, request: Request) -> Response:
        """List the tenant's calls."""
        status = request.query_params.get("status", "")
        if status and status not in set(CallStatus):
            raise Invalid(f"status must be one of {', '.join(CallStatus)}.", pointer="/status")
        found = selectors.calls(tenant_id=self.principal.tenant_id, status=status)
        return Response(paginate(found, request, present=present_call))

    @extend_schema(summary="One call", parameters=[SID], responses={200: schemas.CallAnswer}, tags=["calls"])
    def retrieve(self, request: Request, sid: str) -> Response:
        """Show one call."""
        call = selectors.call(tenant_id=self.principal.tenant_id, call_id=decode_call(sid))
        return Response(present_call(call))

    @extend_schema(
        summary="A call's timeline, oldest first",
        parameters=[
            SID,
            OpenApiParameter("after_seq", int, description="Only what came later; 0 from the start."),
            LIMIT,
        ],
        responses={200: schemas.CallEventPage},
        tags=["calls"],
    )
    def events(self, request: Request, sid: str) -> Response:
        """List a call's events."""
        call = selectors.call(tenant_id=self.principal.tenant_id, call_id=decode_call(sid))
        after, limit = _after_seq(request), limit_of(request)
        found = selectors.call_events(
            tenant_id=self.principal.tenant_id, call_id=call.pk, after_seq=after, limit=limit + 1
        )
        return Response(_timeline(request, found, limit))

    @extend_schema(
        summary="Hang up",
        description="Asks for the end; a call not dialled yet is canceled at once. A repeat changes nothing.",
        parameters=[SID],
        request=None,
        responses={202: schemas.CallAnswer},
        tags=["calls"],
    )
    def hangup(self, request: Request, sid: str) -> Response:
        """Order the end of a call."""
        return self.once(lambda: self._hang_up(decode_call(sid)))

    def _hang_up(self, call_id: UUID) -> Response:
        call = services.hangup_call(tenant_id=self.principal.tenant_id, call_id=call_id, now=self.now)
        return Response(present_call(call), status=202)

    def _place(self, wish: CallWish) -> Response:
        call = services.place_call(tenant_id=self.principal.tenant_id, wish=wish, now=self.now)
        return Response(present_call(call), status=202)

    def _dry_run(self, wish: CallWish) -> dict[str, Any]:
        plan = services.plan_call(tenant_id=self.principal.tenant_id, wish=wish, now=self.now)
        return {"dry_run": True, "to": plan.to_number, "from": plan.from_number, "trunk": plan.trunk.name}


def _wish(body: dict[str, Any], *, placed_by: UUID) -> CallWish:
    return CallWish(
        to=body["to"],
        from_=body["from"],
        time_limit_seconds=body["time_limit_seconds"],
        status_callback=body["status_callback"],
        metadata=body["metadata"],
        placed_by=placed_by,
    )


def _after_seq(request: Request) -> int:
    text = request.query_params.get("after_seq", "0")
    if not (text.isascii() and text.isdigit() and int(text[:11]) <= MAX_SEQ):
        raise Invalid("after_seq must be a whole number from 0.", pointer="/after_seq")
    return int(text)


def _timeline(request: Request, found: list[CallEvent], limit: int) -> dict[str, Any]:
    shown = found[:limit]
    following = urlencode({"after_seq": shown[-1].seq, "limit": limit}) if len(found) > limit else None
    return {
        "results": [present_event(event) for event in shown],
        "next": request.build_absolute_uri(f"{request.path}?{following}") if following else None,
        "previous": None,
    }
