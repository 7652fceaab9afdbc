"""`/v1/ivr/flows` and `/v1/ivr/sessions`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.audit import actor_of
from common.errors import Invalid
from common.ids import decode, encode, encode_call
from common.pagination import paginate
from common.timestamps import rfc3339
from telephony.inbound.api import CURSOR, LIMIT, MANAGE, READ
from telephony.ivr import schemas, services
from telephony.ivr.models import IvrFlow, IvrFlowVersion, IvrSession, SessionStatus

STATUS = OpenApiParameter("status", str, enum=[status.value for status in SessionStatus])


class FlowViewSet(TenantViewSet):
    """Draw and publish flows."""

    permissions = {
        "list": READ,
        "retrieve": READ,
        "create": MANAGE,
        "change": MANAGE,
        "remove": MANAGE,
        "publish": MANAGE,
    }

    @extend_schema(
        summary="Flows, newest first", parameters=[CURSOR, LIMIT], responses={200: schemas.FlowPage}, tags=["IVR"]
    )
    def list(self, request: Request) -> Response:
        """List the tenant's flows."""
        rows = services.flows(tenant_id=self.principal.tenant_id).defer("draft")
        return Response(paginate(rows, request, present=present_row))

    @extend_schema(
        summary="Draw a flow",
        description="Kept as a draft whatever its mistakes; `problems` names them. Numbers can't lead to flows yet.",
        request=schemas.FlowRequest,
        responses={201: schemas.FlowAnswer},
        examples=[schemas.FLOW_EXAMPLE],
        tags=["IVR"],
    )
    def create(self, request: Request) -> Response:
        """Keep a new draft."""
        body = self.read(schemas.FlowRequest)
        return self.once(lambda: self._create(body))

    @extend_schema(summary="One flow with its draft", responses={200: schemas.FlowAnswer}, tags=["IVR"])
    def retrieve(self, request: Request, id: str) -> Response:
        """Show a flow."""
        return Response(self._whole(services.flow(tenant_id=self.principal.tenant_id, flow_id=decode("ivf", id))))

    @extend_schema(
        summary="Change a flow's draft or name",
        description="The published version stays as it is.",
        request=schemas.FlowChange,
        responses={200: schemas.FlowAnswer},
        examples=[schemas.CHANGE_EXAMPLE],
        tags=["IVR"],
    )
    def change(self, request: Request, id: str) -> Response:
        """Change a draft."""
        key = decode("ivf", id)
        row = services.change_flow(
            tenant_id=self.principal.tenant_id,
            flow_id=key,
            changes=self.read(schemas.FlowChange),
            by=actor_of(self.principal),
            now=self.now,
        )
        return Response(self._whole(row))

    @extend_schema(
        summary="Publish a flow's draft",
        description="Makes a version that never changes. A draft with mistakes is refused, and every mistake is named.",
        request=None,
        responses={200: schemas.VersionAnswer},
        tags=["IVR"],
    )
    def publish(self, request: Request, id: str) -> Response:
        """Publish the draft as a version."""
        version = services.publish_flow(
            tenant_id=self.principal.tenant_id, flow_id=decode("ivf", id), by=actor_of(self.principal), now=self.now
        )
        return Response(present_version(version))

    @extend_schema(summary="Delete a flow with its versions", responses={204: None}, tags=["IVR"])
    def remove(self, request: Request, id: str) -> Response:
        """Delete a flow nothing leads to."""
        services.delete_flow(tenant_id=self.principal.tenant_id, flow_id=decode("ivf", id), by=actor_of(self.principal))
        return Response(status=204)

    def _create(self, body: dict[str, Any]) -> Response:
        row = services.create_flow(
            tenant_id=self.principal.tenant_id,
            name=body["name"],
            draft=body["definition"],
            by=actor_of(self.principal),
            now=self.now,
        )
        return Response(self._whole(row), status=201)

    def _whole(self, row: IvrFlow) -> dict[str, Any]:
        found = services.problems(tenant_id=self.principal.tenant_id, draft=row.draft)
        problems = [{"pointer": p.pointer, "code": p.code, "detail": p.detail} for p in found]
        return {**present_row(row), "definition": row.draft, "problems": problems}


class SessionViewSet(TenantViewSet):
    """Look at callers' ways through flows."""

    permissions = {"list": "calls.read", "retrieve": "calls.read"}

    @extend_schema(
        summary="Sessions, newest first",
        parameters=[STATUS, CURSOR, LIMIT],
        responses={200: schemas.IvrSessionPage},
        tags=["IVR"],
    )
    def list(self, request: Request) -> Response:
        """List the tenant's sessions."""
        status = request.query_params.get("status", "")
        if status and status not in set(SessionStatus):
            raise Invalid(f"status must be one of {', '.join(SessionStatus)}.", pointer="/status")
        rows = services.sessions(tenant_id=self.principal.tenant_id)
        return Response(paginate(rows.filter(status=status) if status else rows, request, present=present_session))

    @extend_schema(summary="One session", responses={200: schemas.IvrSessionAnswer}, tags=["IVR"])
    def retrieve(self, request: Request, id: str) -> Response:
        """Show a session."""
        row = services.session(tenant_id=self.principal.tenant_id, session_id=decode("ivs", id))
        return Response(present_session(row))


def present_row(row: IvrFlow) -> dict[str, Any]:
    """Return a flow as lists show it."""
    return {
        "id": encode("ivf", row.pk),
        "name": row.name,
        "published_version": row.published_version,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def present_version(row: IvrFlowVersion) -> dict[str, Any]:
    """Return a published version."""
    return {
        "flow": encode("ivf", row.flow_id),
        "version": row.number,
        "published_at": rfc3339(row.created_at),
        "definition": row.definition,
    }


def present_session(row: IvrSession) -> dict[str, Any]:
    """Return a session; its version is loaded."""
    return {
        "id": encode("ivs", row.pk),
        "call": encode_call(row.call_id),
        "flow": encode("ivf", row.version.flow_id),
        "version": row.version.number,
        "status": row.status,
        "node": row.node,
        "steps": row.steps,
        "timeouts": row.timeouts,
        "invalid_entries": row.invalid_entries,
        "outcome": row.outcome or None,
        "created_at": rfc3339(row.created_at),
        "ended_at": rfc3339(row.ended_at),
    }
