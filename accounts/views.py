"""`/v1/me` and `/v1/auth/ticket`."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import authentication, tokens
from accounts.api import TenantViewSet
from accounts.gate import choose_tenant
from accounts.members import profile
from accounts.models import Tenant, User
from accounts.operators.impersonating import Acting
from accounts.permissions import ADMIN, READS
from accounts.principals import Kind, Principal, require_user
from common.errors import Forbidden, NotFound
from common.ids import decode, encode
from common.timestamps import rfc3339

ANYBODY = tuple(sorted(ADMIN | READS))


class ChooseTenant(serializers.Serializer[Any]):
    tenant = serializers.CharField(max_length=40, help_text="`tn_…`: the company to act in from now on.")


class MyUser(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField(allow_blank=True)


class MyImpersonation(serializers.Serializer[Any]):
    operator = serializers.CharField()
    reason = serializers.CharField()
    expires_at = serializers.DateTimeField()


class MyTenant(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    slug = serializers.CharField()


class MeAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    user = MyUser(allow_null=True)
    tenant = MyTenant(allow_null=True)
    role = serializers.CharField(allow_blank=True)
    permissions = serializers.ListField(child=serializers.CharField())
    impersonation = MyImpersonation(allow_null=True)


class ChangeMe(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    language = serializers.ChoiceField(
        choices=profile.LANGUAGES, required=False, allow_blank=True, help_text="Of mail to me; empty: the company's."
    )


class TicketAnswer(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()
    socket = serializers.URLField()


class MeViewSet(TenantViewSet):
    permissions = {"show": ANYBODY, "choose": ANYBODY, "change": ANYBODY}

    @extend_schema(summary="Who am I", responses={200: MeAnswer}, tags=["accounts"])
    def show(self, request: Request) -> Response:
        return Response(present_me(self.principal, acting=_acting(request)))

    @extend_schema(
        summary="Change my name or language",
        description="What is not named stays.",
        request=ChangeMe,
        responses={200: MeAnswer},
        examples=[OpenApiExample("In German", {"name": "Alice", "language": "de"}, request_only=True)],
        tags=["accounts"],
    )
    def change(self, request: Request) -> Response:
        user_id = require_user(self.principal)
        profile.change(user_id=user_id, changes=self.read(ChangeMe), by=self.principal)
        return Response(present_me(self.principal, acting=_acting(request)))

    @extend_schema(
        summary="Act in another company",
        request=ChooseTenant,
        responses={200: MeAnswer},
        examples=[OpenApiExample("Acme", {"tenant": "tn_0198c1f0a7b37c0e8f4d2b6a1c3e5f70"}, request_only=True)],
        tags=["accounts"],
    )
    def choose(self, request: Request) -> Response:
        user = User.objects.get(pk=require_user(self.principal))
        tenant_id: UUID = decode("tn", self.read(ChooseTenant)["tenant"])
        try:
            principal = authentication.by_membership(user, tenant_id=tenant_id)
        except Forbidden as error:
            raise NotFound("You are no member of such a company.", pointer="/tenant") from error
        choose_tenant(request._request, tenant_id)
        return Response(present_me(principal))


class TicketViewSet(TenantViewSet):
    permissions = {"create": ANYBODY}

    @extend_schema(
        summary="A ticket for one socket",
        description="Valid for 30 seconds, once. Send it as the socket's first frame.",
        request=None,
        responses={201: TicketAnswer},
        examples=[
            OpenApiExample(
                "A ticket",
                {"ticket": "Q2h1…", "expires_at": "2026-01-01T12:00:30.000000Z", "socket": "wss://irisx.example/ws/v1/agent"},
                response_only=True,
            )
        ],
        tags=["accounts"],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        require_user(self.principal)
        ticket = tokens.issue_ticket(self.principal)
        expires_at = timezone.now() + timedelta(seconds=tokens.TICKET_SECONDS)
        body = {"ticket": ticket, "expires_at": rfc3339(expires_at), "socket": socket_url("agent")}
        return Response(body, status=201)


def _acting(request: Request) -> Acting | None:
    return getattr(request._request, "impersonation", None)


def socket_url(kind: str) -> str:
    """Return the address of the visitors' or agents' socket."""
    return str(settings.IRISX_BASE_URL).replace("http", "ws", 1) + f"/ws/v1/{kind}"


def present_me(principal: Principal, *, acting: Acting | None = None) -> dict[str, Any]:
    """Return the body of `/v1/me`. `acting`: who does so as somebody else, for the banner."""
    tenant = Tenant.objects.filter(pk=principal.tenant_id).first()
    is_user = principal.user_id is not None
    person = User.objects.filter(pk=principal.id).only("email", "language", "name").first() if is_user else None
    return {
        "kind": principal.kind,
        "user": {
            "id": encode("us", principal.id),
            "email": person.email,
            "name": person.name,
            "language": person.language,
        }
        if person
        else None,
        "tenant": {"id": encode("tn", principal.tenant_id), "name": tenant.name, "slug": tenant.slug}
        if tenant
        else None,
        "role": principal.role,
        "permissions": sorted(principal.permissions),
        "impersonation": acting
        and {
            "operator": acting.operator.name,
            "reason": acting.reason,
            "expires_at": rfc3339(acting.expires_at),
        },
    }
