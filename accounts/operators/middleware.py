"""Requests of a browser in which an operator acts as somebody: `request.user` is that person, and both names are in the log."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.audit import impersonated_by
from accounts.gate import ACTIVE_TENANT
from accounts.models import User
from accounts.operators import impersonating
from accounts.operators.impersonating import Acting
from common.errors import Forbidden
from common.problems import forbidden, response_for, wants_problem

KEY = "impersonation"
BEFORE = "active_tenant_before"
SAFE = {"GET", "HEAD", "OPTIONS"}
# Here operators are themselves.
OPERATORS_OWN = ("/admin/", "/v1/admin/", "/accounts/logout/", "/impersonation/")
# What is the person's alone, or would outlast the half hour: their password, second factor, address, sessions; keys.
PERSONS_OWN = ("/accounts/", "/v1/auth/", "/v1/api-keys", "/invitations/")
ALLOWED = ("/v1/auth/ticket",)


class ImpersonationMiddleware:
    """Stands behind Django's AuthenticationMiddleware and the audit log's origin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        acting = self._acting(request)
        if acting is None:
            return self._get_response(request)
        if _is_persons_own(request):
            return _refusal(request)
        request.user = acting.user
        request.impersonation = acting  # type: ignore[attr-defined] # read by the gate, `/v1/me` and the pages' banner
        impersonated_by(id=acting.operator.pk, name=acting.operator.name)
        response = self._get_response(request)
        if request.method not in SAFE:
            impersonating.note_act(acting, what=f"{request.method} {request.path}", status=response.status_code)
        return response

    def _acting(self, request: HttpRequest) -> Acting | None:
        key = request.session.get(KEY)
        # A program's credential says who asks, whatever cookie came along.
        if key is None or "Authorization" in request.headers or request.path.startswith(OPERATORS_OWN):
            return None
        if not isinstance(request.user, User):
            return None
        now = timezone.now()
        acting = impersonating.acting_of(impersonation_id=UUID(hex=key), operator_id=request.user.pk, now=now)
        if acting is None:
            leave(request)
        return acting


def enter(request: HttpRequest, impersonation_id: UUID, tenant_id: UUID) -> None:
    """Let a browser's session act as somebody from now on."""
    request.session[BEFORE] = request.session.get(ACTIVE_TENANT)
    request.session[KEY], request.session[ACTIVE_TENANT] = impersonation_id.hex, tenant_id.hex


def leave(request: HttpRequest) -> UUID | None:
    """Let a browser's session be the operator's own again; return which impersonation it was, if any."""
    key = request.session.pop(KEY, None)
    request.session.pop(ACTIVE_TENANT, None)
    if before := request.session.pop(BEFORE, None):
        request.session[ACTIVE_TENANT] = before
    return UUID(hex=key) if key else None


def _is_persons_own(request: HttpRequest) -> bool:
    # Another company is another impersonation, for another reason.
    chooses_company = request.method == "POST" and request.path == "/v1/me"
    return chooses_company or (request.path.startswith(PERSONS_OWN) and request.path not in ALLOWED)


def _refusal(request: HttpRequest) -> HttpResponseBase:
    if wants_problem(request):
        return response_for(Forbidden("This is the person's own to do.", code="impersonation"))
    return forbidden(request)
