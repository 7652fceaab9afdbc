"""`/v1/phone-numbers` and `/v1/sip-trunks`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.audit import actor_of
from common.ids import decode, encode
from common.pagination import paginate
from common.timestamps import rfc3339
from telephony.lines import schemas, services
from telephony.models.lines import PhoneNumber, SipTrunk

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
PERMISSIONS: dict[str, str | tuple[str, ...]] = {
    "list": "numbers.read",
    "retrieve": "numbers.read",
    "change": "numbers.manage",
}


class PhoneNumberViewSet(TenantViewSet):
    """A company's numbers; operators assign them."""

    permissions = PERMISSIONS

    @extend_schema(
        summary="Phone numbers, newest first",
        description="Numbers are assigned by the operators of this installation.",
        parameters=[CURSOR, LIMIT],
        responses={200: schemas.PhoneNumberPage},
        tags=["lines"],
    )
    def list(self, request: Request) -> Response:
        """List the tenant's numbers."""
        rows = services.phone_numbers(tenant_id=self.principal.tenant_id)
        return Response(paginate(rows, request, present=present_number))

    @extend_schema(
        summary="One phone number",
        responses={200: schemas.PhoneNumberAnswer},
        examples=[schemas.NUMBER_EXAMPLE],
        tags=["lines"],
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """Show a number."""
        row = services.phone_number(tenant_id=self.principal.tenant_id, number_id=decode("pn", id))
        return Response(present_number(row))

    @extend_schema(
        summary="Change a phone number",
        request=schemas.PhoneNumberChange,
        responses={200: schemas.PhoneNumberAnswer},
        examples=[schemas.CHANGE_NUMBER_EXAMPLE, schemas.NUMBER_EXAMPLE],
        tags=["lines"],
    )
    def change(self, request: Request, id: str) -> Response:
        """Change its label, or whether calls may show it."""
        row = services.change_phone_number(
            tenant_id=self.principal.tenant_id,
            number_id=decode("pn", id),
            changes=self.read(schemas.PhoneNumberChange),
            by=actor_of(self.principal),
        )
        return Response(present_number(row))


class TrunkViewSet(TenantViewSet):
    """A company's ways out; operators give them the switch's gateway."""

    permissions = PERMISSIONS

    @extend_schema(
        summary="SIP trunks, newest first",
        description="Trunks are set up by the operators of this installation, who configure the gateway at the switch.",
        parameters=[CURSOR, LIMIT],
        responses={200: schemas.TrunkPage},
        tags=["lines"],
    )
    def list(self, request: Request) -> Response:
        """List the tenant's trunks."""
        rows = services.trunks(tenant_id=self.principal.tenant_id)
        return Response(paginate(rows, request, present=present_trunk))

    @extend_schema(
        summary="One SIP trunk",
        responses={200: schemas.TrunkAnswer},
        examples=[schemas.TRUNK_EXAMPLE],
        tags=["lines"],
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """Show a trunk."""
        row = services.trunk(tenant_id=self.principal.tenant_id, trunk_id=decode("trk", id))
        return Response(present_trunk(row))

    @extend_schema(
        summary="Change a SIP trunk",
        request=schemas.TrunkChange,
        responses={200: schemas.TrunkAnswer},
        examples=[schemas.CHANGE_TRUNK_EXAMPLE, schemas.TRUNK_EXAMPLE],
        tags=["lines"],
    )
    def change(self, request: Request, id: str) -> Response:
        """Change its name, its place in the order, how many calls it carries, or whether it is in use."""
        row = services.change_trunk(
            tenant_id=self.principal.tenant_id,
            trunk_id=decode("trk", id),
            changes=self.read(schemas.TrunkChange),
            by=actor_of(self.principal),
        )
        return Response(present_trunk(row))


def present_number(row: PhoneNumber) -> dict[str, Any]:
    """Return a number as the API shows it."""
    return {
        "id": encode("pn", row.pk),
        "number": row.number,
        "label": row.label,
        "is_active": row.is_active,
        "created_at": rfc3339(row.created_at),
    }


def present_trunk(row: SipTrunk) -> dict[str, Any]:
    """Return a trunk as the API shows it."""
    return {
        "id": encode("trk", row.pk),
        "name": row.name,
        "gateway": row.gateway,
        "priority": row.priority,
        "max_concurrent": row.max_concurrent,
        "is_active": row.is_active,
        "created_at": rfc3339(row.created_at),
    }
