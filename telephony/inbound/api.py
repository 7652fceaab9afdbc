"""`/v1/extensions` and `/v1/phone-numbers/{id}/route`."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.audit import actor_of
from common.errors import Invalid, NotFound
from common.ids import decode, encode
from common.pagination import paginate
from common.timestamps import rfc3339
from telephony.inbound import extensions, routes, schemas
from telephony.inbound.models import Extension, NumberRoute, RouteKind
from telephony.inbound.routes import RouteWish

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
READ, MANAGE = "numbers.read", "numbers.manage"


class ExtensionViewSet(TenantViewSet):
    """Agents' telephones."""

    permissions = {
        "list": READ,
        "retrieve": READ,
        "create": MANAGE,
        "change": MANAGE,
        "remove": MANAGE,
        "reset_password": MANAGE,
    }

    @extend_schema(
        summary="Extensions, newest first",
        parameters=[CURSOR, LIMIT],
        responses={200: schemas.ExtensionPage},
        tags=["inbound calls"],
    )
    def list(self, request: Request) -> Response:
        """List the tenant's extensions."""
        rows = extensions.extensions(tenant_id=self.principal.tenant_id)
        return Response(paginate(rows, request, present=present_extension))

    @extend_schema(
        summary="Add an extension",
        description="Its telephone registers with `sip_user` at `sip_domain`; the password is shown in this answer alone.",
        request=schemas.ExtensionRequest,
        responses={201: schemas.ExtensionWithPassword},
        examples=[schemas.NEW_EXTENSION_EXAMPLE, schemas.PASSWORD_EXAMPLE],
        tags=["inbound calls"],
    )
    def create(self, request: Request) -> Response:
        """Make an extension."""
        body = self.read(schemas.ExtensionRequest)
        fresh: dict[str, str] = {}

        def run() -> Response:
            made = extensions.create_extension(
                tenant_id=self.principal.tenant_id,
                number=body["number"],
                label=body["label"],
                user_id=_user(body["user"]),
                by=actor_of(self.principal),
                now=self.now,
            )
            fresh["password"] = made.password
            found = extensions.extension(tenant_id=self.principal.tenant_id, extension_id=made.extension.pk)
            return Response(present_extension(found), status=201)

        answer = self.once(run)
        # Not within `once`: the stored answer of an Idempotency-Key would keep the password readable for a day.
        answer.data = {**answer.data, "password": fresh.get("password")}
        return answer

    @extend_schema(
        summary="One extension",
        responses={200: schemas.ExtensionAnswer},
        examples=[schemas.EXTENSION_EXAMPLE],
        tags=["inbound calls"],
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """Show an extension."""
        row = extensions.extension(tenant_id=self.principal.tenant_id, extension_id=decode("ex", id))
        return Response(present_extension(row))

    @extend_schema(
        summary="Change an extension",
        request=schemas.ExtensionChange,
        responses={200: schemas.ExtensionAnswer},
        examples=[schemas.CHANGE_EXTENSION_EXAMPLE, schemas.EXTENSION_EXAMPLE],
        tags=["inbound calls"],
    )
    def change(self, request: Request, id: str) -> Response:
        """Change whose it is, its label, or whether it is in use."""
        key = decode("ex", id)
        changes = self.read(schemas.ExtensionChange)
        if "user" in changes:
            changes["user_id"] = _user(changes.pop("user"))
        row = extensions.change_extension(
            tenant_id=self.principal.tenant_id, extension_id=key, changes=changes, by=actor_of(self.principal)
        )
        return Response(present_extension(row))

    @extend_schema(
        summary="Give an extension another password",
        description="The old one stops registering at once; the new one is shown in this answer alone.",
        request=None,
        responses={200: schemas.ExtensionWithPassword},
        examples=[schemas.PASSWORD_EXAMPLE],
        tags=["inbound calls"],
    )
    def reset_password(self, request: Request, id: str) -> Response:
        """Make another password."""
        made = extensions.reset_password(
            tenant_id=self.principal.tenant_id, extension_id=decode("ex", id), by=actor_of(self.principal)
        )
        return Response({**present_extension(made.extension), "password": made.password})

    @extend_schema(summary="Delete an extension", responses={204: None}, tags=["inbound calls"])
    def remove(self, request: Request, id: str) -> Response:
        """Delete an extension no number leads to."""
        extensions.delete_extension(
            tenant_id=self.principal.tenant_id, extension_id=decode("ex", id), by=actor_of(self.principal)
        )
        return Response(status=204)


class RouteViewSet(TenantViewSet):
    """Where a number leads."""

    permissions = {"retrieve": READ, "replace": MANAGE, "remove": MANAGE}

    @extend_schema(summary="Where a number leads", responses={200: schemas.RouteAnswer}, tags=["inbound calls"])
    def retrieve(self, request: Request, id: str) -> Response:
        """Show a number's route."""
        row = routes.route_of(tenant_id=self.principal.tenant_id, number_id=decode("pn", id))
        return Response(present_route(row))

    @extend_schema(
        summary="Let a number lead somewhere",
        description="`kind` says to what; the field of that name says to which. Calls that come in from now on go there.",
        request=schemas.RouteRequest,
        responses={200: schemas.RouteAnswer},
        examples=[schemas.ROUTE_EXAMPLE],
        tags=["inbound calls"],
    )
    def replace(self, request: Request, id: str) -> Response:
        """Set a number's route."""
        key = decode("pn", id)
        row = routes.set_route(
            tenant_id=self.principal.tenant_id,
            number_id=key,
            wish=_wish(self.read(schemas.RouteRequest)),
            by=actor_of(self.principal),
            now=self.now,
        )
        return Response(present_route(row))

    @extend_schema(summary="Let a number lead nowhere", responses={204: None}, tags=["inbound calls"])
    def remove(self, request: Request, id: str) -> Response:
        """Delete a number's route."""
        routes.delete_route(tenant_id=self.principal.tenant_id, number_id=decode("pn", id), by=actor_of(self.principal))
        return Response(status=204)


def present_extension(row: Extension) -> dict[str, Any]:
    """Return an extension as the API shows it; its user is loaded."""
    return {
        "id": encode("ex", row.pk),
        "number": row.number,
        "label": row.label,
        "user": {"id": encode("us", row.user.pk), "name": row.user.name} if row.user else None,
        "sip_user": row.sip_user,
        "sip_domain": settings.FREESWITCH_SIP_DOMAIN,
        "is_active": row.is_active,
        "created_at": rfc3339(row.created_at),
    }


def present_route(row: NumberRoute) -> dict[str, Any]:
    """Return a route as the API shows it."""
    return {
        "kind": row.kind,
        "queue": _shown("qu", row.queue_id),
        "extension": _shown("ex", row.extension_id),
        "sip_uri": row.sip_uri,
    }


def _shown(prefix: str, key: UUID | None) -> str | None:
    return None if key is None else encode(prefix, key)


def _wish(body: dict[str, Any]) -> RouteWish:
    return RouteWish(
        kind=RouteKind(body["kind"]),
        queue=named("qu", body["queue"], "/queue"),
        extension=named("ex", body["extension"], "/extension"),
        sip_uri=body["sip_uri"],
    )


def _user(text: str | None) -> UUID | None:
    return named("us", text, "/user")


def named(prefix: str, text: str | None, pointer: str) -> UUID | None:
    """Return the key a body names; raises Invalid with a pointer for what can be none."""
    if text is None:
        return None
    try:
        return decode(prefix, text)
    except NotFound as error:
        raise Invalid(error.message, code="not-found", pointer=pointer) from error
