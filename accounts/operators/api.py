"""`/v1/admin/tenants`, `/v1/admin/users`, `/v1/admin/agents`: for operators, over every company."""

from functools import partial
from hashlib import sha256
from typing import Any

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.csv_body import CSVBody
from accounts.members import importing
from accounts.members.api import CURSOR, LIMIT, ROLE, one_of
from accounts.members.services import Chief
from accounts.models import AgentPresence, Membership, Tenant, User
from accounts.operators import schemas, services
from accounts.operators.gate import OperatorViewSet
from accounts.operators.presenting import present_agent, present_job, present_tenant, present_user
from accounts.permissions import Role
from accounts.tenancy import tenant_scope
from common.errors import NotFound
from common.ids import decode
from common.models import Job
from common.pagination import paginate

Q_TEXT = OpenApiParameter("q", str, description="Part of a name or address, in any case.")
STATUS = OpenApiParameter("status", str, enum=Tenant.Status.values, description="Only companies of this status.")
TENANT = OpenApiParameter("tenant", str, description="`tn_…`: only this company's.")


class AdminTenantViewSet(OperatorViewSet):
    permissions = {
        "list": "accounts.view_tenant",
        "show": "accounts.view_tenant",
        "create": "accounts.add_tenant",
        "change": "accounts.change_tenant",
        "suspend": "accounts.change_tenant",
        "reactivate": "accounts.change_tenant",
        "close": "accounts.delete_tenant",
    }

    @extend_schema(
        summary="Companies, newest first",
        parameters=[Q_TEXT, STATUS, CURSOR, LIMIT],
        responses={200: schemas.TenantPage},
        tags=["operators"],
    )
    def list(self, request: Request) -> Response:
        rows = Tenant.objects.all()
        if text := _text(request):
            rows = rows.filter(Q(name__icontains=text) | Q(slug__icontains=text) | Q(billing_email__icontains=text))
        if status := request.query_params.get("status"):
            rows = rows.filter(status=one_of(status, Tenant.Status.values, "/status"))
        return Response(paginate(rows, request, present=present_tenant))

    @extend_schema(
        summary="Found a company",
        description="On trial. A new owner is mailed a link to choose a password.",
        request=schemas.NewTenant,
        responses={201: schemas.TenantAnswer},
        examples=[schemas.CREATE_EXAMPLE],
        tags=["operators"],
    )
    def create(self, request: Request) -> Response:
        return self.once(self._create)

    def _create(self) -> Response:
        said = self.read(schemas.NewTenant)
        return Response(present_tenant(services.create_company(said=said, by=self.operator, now=self.now)), status=201)

    @extend_schema(summary="One company", responses={200: schemas.TenantAnswer}, tags=["operators"])
    def show(self, request: Request, id: str) -> Response:
        return Response(present_tenant(services.company(decode("tn", id))))

    @extend_schema(
        summary="Edit a company",
        description="What is not named stays.",
        request=schemas.TenantChange,
        responses={200: schemas.TenantAnswer},
        examples=[schemas.CHANGE_EXAMPLE],
        tags=["operators"],
    )
    def change(self, request: Request, id: str) -> Response:
        changes = self.read(schemas.TenantChange)
        done = services.edit_company(tenant_id=decode("tn", id), changes=changes, by=self.operator)
        return Response(present_tenant(done))

    @extend_schema(
        summary="Suspend a company",
        description="Keys, pages and sockets are shut at once.",
        request=schemas.Reason,
        responses={200: schemas.TenantAnswer},
        examples=[schemas.REASON_EXAMPLE],
        tags=["operators"],
    )
    def suspend(self, request: Request, id: str) -> Response:
        return self._end(id, services.suspend_company)

    @extend_schema(
        summary="Close a company",
        request=schemas.Reason,
        responses={200: schemas.TenantAnswer},
        examples=[schemas.REASON_EXAMPLE],
        tags=["operators"],
    )
    def close(self, request: Request, id: str) -> Response:
        return self._end(id, services.close_company)

    @extend_schema(
        summary="Let a suspended company in again",
        request=None,
        responses={200: schemas.TenantAnswer},
        tags=["operators"],
    )
    def reactivate(self, request: Request, id: str) -> Response:
        done = services.reactivate_company(tenant_id=decode("tn", id), by=self.operator, now=self.now)
        return Response(present_tenant(done))

    def _end(self, id: str, act: Any) -> Response:
        reason = self.read(schemas.Reason)["reason"]
        return Response(present_tenant(act(tenant_id=decode("tn", id), reason=reason, by=self.operator, now=self.now)))


class AdminUserViewSet(OperatorViewSet):
    permissions = {
        "list": "accounts.view_user",
        "show": "accounts.view_user",
        "change": "accounts.change_user",
        "reset": "accounts.change_user",
        "suspend": "accounts.change_user",
        "reactivate": "accounts.change_user",
        "sign_out": "accounts.change_user",
    }

    @extend_schema(
        summary="People, newest first",
        parameters=[Q_TEXT, CURSOR, LIMIT],
        responses={200: schemas.UserPage},
        tags=["operators"],
    )
    def list(self, request: Request) -> Response:
        rows = User.objects.prefetch_related("memberships__tenant")
        if text := _text(request):
            rows = rows.filter(Q(name__icontains=text) | Q(email__icontains=text))
        return Response(paginate(rows, request, present=present_user, moment="date_joined"))

    @extend_schema(summary="One person", responses={200: schemas.UserAnswer}, tags=["operators"])
    def show(self, request: Request, id: str) -> Response:
        return Response(present_user(services.find_person(decode("us", id))))

    @extend_schema(
        summary="Change somebody's name",
        request=schemas.UserChange,
        responses={200: schemas.UserAnswer},
        examples=[schemas.RENAME_EXAMPLE],
        tags=["operators"],
    )
    def change(self, request: Request, id: str) -> Response:
        name = self.read(schemas.UserChange)["name"]
        return Response(present_user(services.edit_person(user_id=decode("us", id), name=name, by=self.operator)))

    @extend_schema(
        summary="Mail somebody a link to choose another password",
        request=None,
        responses={202: schemas.UserAnswer},
        tags=["operators"],
    )
    def reset(self, request: Request, id: str) -> Response:
        return self.once(lambda: self._reset(id))

    def _reset(self, id: str) -> Response:
        done = services.send_reset(user_id=decode("us", id), by=self.operator, now=self.now)
        return Response(present_user(done), status=202)

    @extend_schema(
        summary="Suspend somebody in every company",
        description="Sessions, tokens and sockets end at once.",
        request=schemas.Reason,
        responses={200: schemas.UserAnswer},
        examples=[schemas.REASON_EXAMPLE],
        tags=["operators"],
    )
    def suspend(self, request: Request, id: str) -> Response:
        reason = self.read(schemas.Reason)["reason"]
        return Response(
            present_user(services.suspend_person(user_id=decode("us", id), reason=reason, by=self.operator))
        )

    @extend_schema(
        summary="Let somebody sign in again", request=None, responses={200: schemas.UserAnswer}, tags=["operators"]
    )
    def reactivate(self, request: Request, id: str) -> Response:
        return Response(present_user(services.reactivate_person(user_id=decode("us", id), by=self.operator)))

    @extend_schema(
        summary="Sign somebody out everywhere", request=None, responses={200: schemas.UserAnswer}, tags=["operators"]
    )
    def sign_out(self, request: Request, id: str) -> Response:
        return Response(present_user(services.sign_out_everywhere(user_id=decode("us", id), by=self.operator)))


class AdminAgentViewSet(OperatorViewSet):
    permissions = {"list": "accounts.view_membership"}

    @extend_schema(
        summary="Members of companies and what they are at the desk, newest first",
        parameters=[TENANT, ROLE, Q_TEXT, CURSOR, LIMIT],
        responses={200: schemas.AgentPage},
        tags=["operators"],
    )
    def list(self, request: Request) -> Response:
        rows = Membership.unscoped.select_related("user", "tenant")
        if tenant := request.query_params.get("tenant"):
            rows = rows.filter(tenant_id=decode("tn", tenant))
        if role := request.query_params.get("role"):
            rows = rows.filter(role=one_of(role, Role.values, "/role"))
        if text := _text(request):
            rows = rows.filter(Q(user__name__icontains=text) | Q(user__email__icontains=text))
        members: list[Membership] = []
        page = paginate(rows, request, present=lambda member: members.append(member) or {})  # type: ignore[func-returns-value]
        known = AgentPresence.unscoped.filter(user_id__in={member.user_id for member in members})
        presences = {(row.tenant_id, row.user_id): row for row in known}
        page["results"] = [*map(partial(present_agent, presences=presences, now=self.now), members)]
        return Response(page)


class AdminImportViewSet(OperatorViewSet):
    permissions = {"create": "accounts.operate_support", "show": "accounts.view_membership"}
    parser_classes = (CSVBody,)

    @extend_schema(
        summary="Invite many people to a company by CSV",
        description="Columns `email,name,role,extension`, the first needed. The whole file is taken, or nothing of it.",
        parameters=[OpenApiParameter("tenant", str, required=True, description="`tn_…`: the company.")],
        request={"text/csv": OpenApiTypes.STR},
        responses={202: schemas.ImportAnswer},
        tags=["operators"],
    )
    def create(self, request: Request) -> Response:
        said: Any = request.data
        raw: bytes = said if isinstance(said, bytes) else b""
        body = [request.query_params.get("tenant", ""), sha256(raw).hexdigest()]
        return self.once(lambda: self._create(raw), body=body)

    def _create(self, raw: bytes) -> Response:
        tenant = services.company(decode("tn", self.request.query_params.get("tenant", "")))
        by = Chief(self.operator.actor, may_touch_owners=True, user_id=None)
        with tenant_scope(tenant.pk):
            job = importing.import_guests(tenant_id=tenant.pk, content=raw, by=by, now=self.now)
        return Response(present_job(job), status=202)

    @extend_schema(summary="How far an import is", responses={200: schemas.ImportAnswer}, tags=["operators"])
    def show(self, request: Request, id: str) -> Response:
        job = Job.objects.filter(pk=decode("jb", id), kind=importing.KIND).first()
        if job is None:
            raise NotFound("There is no such import.")
        return Response(present_job(job))


def _text(request: Request) -> str:
    """Return what is searched for; PostgreSQL takes no NUL, and no name has one."""
    return request.query_params.get("q", "").replace("\x00", "").strip()[:200]
