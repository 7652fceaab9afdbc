"""`/v1/members` and `/v1/members/invitations`."""

from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.members import invitations, schemas, services
from accounts.members.presenting import present_invitation, present_member
from accounts.members.services import Chief
from accounts.models import Invitation, Membership
from accounts.permissions import Role
from accounts.principals import Kind, Principal
from common.errors import Invalid
from common.ids import decode
from common.pagination import paginate

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
ROLE = OpenApiParameter("role", str, enum=Role.values, description="Only members of this role.")
ACTIVE = OpenApiParameter("is_active", str, enum=["true", "false"], description="Only those, or only the suspended.")


def chief_of(principal: Principal) -> Chief:
    """Return who changes members: owners and operators decide about owners."""
    may = principal.role == Role.OWNER or principal.kind == Kind.OPERATOR
    return Chief(audit.actor_of(principal), may, principal.user_id)


class MemberViewSet(TenantViewSet):
    permissions = {
        "list": "members.read",
        "show": "members.read",
        "change": "members.manage",
        "suspend": "members.manage",
        "reactivate": "members.manage",
        "remove": "members.manage",
    }

    @extend_schema(
        summary="Members, newest first",
        parameters=[ROLE, ACTIVE, CURSOR, LIMIT],
        responses={200: schemas.MemberPage},
        tags=["members"],
    )
    def list(self, request: Request) -> Response:
        rows = Membership.objects.for_tenant(self.principal.tenant_id).select_related("user")
        if role := request.query_params.get("role"):
            rows = rows.filter(role=one_of(role, Role.values, "/role"))
        if active := request.query_params.get("is_active"):
            rows = rows.filter(is_active=one_of(active, ["true", "false"], "/is_active") == "true")
        return Response(paginate(rows, request, present=present_member))

    @extend_schema(
        summary="One member", responses={200: schemas.Member}, examples=[schemas.MEMBER_EXAMPLE], tags=["members"]
    )
    def show(self, request: Request, id: str) -> Response:
        return Response(present_member(services.find(**self._which(id), is_locked=False)))

    @extend_schema(
        summary="Change a member's role",
        description="At once, sockets included. An admin makes no owners; the last owner stays one.",
        request=schemas.MemberChange,
        responses={200: schemas.Member},
        examples=[schemas.ROLE_EXAMPLE, schemas.MEMBER_EXAMPLE],
        tags=["members"],
    )
    def change(self, request: Request, id: str) -> Response:
        role = Role(self.read(schemas.MemberChange)["role"])
        return Response(present_member(services.change_role(**self._which(id), role=role, by=self._chief)))

    @extend_schema(
        summary="Suspend a member",
        description="They are out at once, sockets included; their seat is free.",
        request=None,
        responses={200: schemas.Member},
        examples=[schemas.MEMBER_EXAMPLE],
        tags=["members"],
    )
    def suspend(self, request: Request, id: str) -> Response:
        return Response(present_member(services.suspend(**self._which(id), by=self._chief, now=self.now)))

    @extend_schema(
        summary="Let a suspended member in again",
        request=None,
        responses={200: schemas.Member},
        examples=[schemas.MEMBER_EXAMPLE],
        tags=["members"],
    )
    def reactivate(self, request: Request, id: str) -> Response:
        return Response(present_member(services.reactivate(**self._which(id), by=self._chief)))

    @extend_schema(summary="Take somebody out of the company", responses={204: None}, tags=["members"])
    def remove(self, request: Request, id: str) -> Response:
        services.remove(**self._which(id), by=self._chief, now=self.now)
        return Response(status=204)

    @property
    def _chief(self) -> Chief:
        return chief_of(self.principal)

    def _which(self, id: str) -> dict[str, Any]:
        return {"tenant_id": self.principal.tenant_id, "member_id": decode("mb", id)}


class InvitationViewSet(TenantViewSet):
    permissions = {
        "list": "members.read",
        "create": "members.manage",
        "show": "members.read",
        "resend": "members.manage",
        "revoke": "members.manage",
    }

    @extend_schema(
        summary="Invitations, newest first",
        parameters=[CURSOR, LIMIT],
        responses={200: schemas.InvitationPage},
        tags=["members"],
    )
    def list(self, request: Request) -> Response:
        rows = Invitation.objects.for_tenant(self.principal.tenant_id)
        return Response(paginate(rows, request, present=partial(present_invitation, now=self.now)))

    @extend_schema(
        summary="Invite somebody",
        description="A link is mailed, good once and for seven days; it keeps a seat that long.",
        request=schemas.Invite,
        responses={201: schemas.InvitationAnswer},
        examples=[schemas.INVITE_EXAMPLE, schemas.INVITATION_EXAMPLE],
        tags=["members"],
    )
    def create(self, request: Request) -> Response:
        return self.once(self._create)

    def _create(self) -> Response:
        said = self.read(schemas.Invite)
        guest = invitations.Guest(said["email"], Role(said["role"]), said["name"])
        made = invitations.invite(tenant_id=self.principal.tenant_id, guest=guest, by=self._chief, now=self.now)
        return Response(present_invitation(made, now=self.now), status=201)

    @extend_schema(
        summary="One invitation",
        responses={200: schemas.InvitationAnswer},
        examples=[schemas.INVITATION_EXAMPLE],
        tags=["members"],
    )
    def show(self, request: Request, id: str) -> Response:
        return Response(present_invitation(invitations.find(**self._which(id)), now=self.now))

    @extend_schema(
        summary="Send an invitation again",
        description="A new link, good for seven days; the old one ends.",
        request=None,
        responses={200: schemas.InvitationAnswer},
        examples=[schemas.INVITATION_EXAMPLE],
        tags=["members"],
    )
    def resend(self, request: Request, id: str) -> Response:
        sent = invitations.resend(**self._which(id), by=self._chief, now=self.now)
        return Response(present_invitation(sent, now=self.now))

    @extend_schema(summary="Take an invitation back", responses={204: None}, tags=["members"])
    def revoke(self, request: Request, id: str) -> Response:
        invitations.revoke(**self._which(id), by=self._chief, now=self.now)
        return Response(status=204)

    @property
    def _chief(self) -> Chief:
        return chief_of(self.principal)

    def _which(self, id: str) -> dict[str, Any]:
        return {"tenant_id": self.principal.tenant_id, "invitation_id": decode("iv", id)}


def one_of(value: str, allowed: list[str], pointer: str) -> str:
    if value not in allowed:
        raise Invalid(f"This must be one of {', '.join(allowed)}.", pointer=pointer)
    return value
