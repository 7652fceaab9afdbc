"""The gate of pages: signed in, a member, allowed; then the view runs inside the tenant's scope."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.authentication import SECOND_FACTOR_NEEDED
from accounts.gate import session_principal
from accounts.models import Tenant, User
from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from common.errors import Forbidden, NotFound

NOT_A_MEMBER = "not-a-member"


class MemberRequest(HttpRequest):
    """A request that passed the gate."""

    principal: Principal
    tenant: Tenant


Page = Callable[..., HttpResponseBase]


def member_page(*permissions: str) -> Callable[[Page], Page]:
    """Hold a page to members with one of these permissions (none named: any member).

    Somebody not signed in goes to sign-in and comes back, an operator who belongs to no company to the admin;
    a refusal is the page 403, a foreign row the page 404.
    """

    def decorate(view: Page) -> Page:
        @wraps(view)
        def gate(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return redirect_to_login(request.get_full_path())
            try:
                request.principal = _allowed(request, request.user, permissions)
                with tenant_scope(request.principal.tenant_id):
                    request.tenant = Tenant.objects.get(pk=request.principal.tenant_id)
                    return view(request, *args, **kwargs)
            except Forbidden as error:
                if error.code == SECOND_FACTOR_NEEDED:
                    return redirect("security")
                if error.code == NOT_A_MEMBER and request.user.is_staff:
                    return redirect("admin:index")
                raise PermissionDenied(error.message) from error
            except NotFound as error:
                raise Http404(error.message) from error

        return gate

    return decorate


def _allowed(request: MemberRequest, user: User, permissions: tuple[str, ...]) -> Principal:
    principal = session_principal(request, user)
    if permissions:
        principal.require(*permissions)
    return principal
