"""The gate of the HTTP API: who comes in (`Authorization: Bearer`, or a browser session with CSRF), and what they may do.

DRF imports these classes by name from the settings while it starts: this module imports none of its views.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import authentication, sessions
from accounts.identity import families, sign_ins
from accounts.models import User
from accounts.operators.acting import named_company
from accounts.principals import Principal
from common.errors import Forbidden, NotAuthenticated

ACTIVE_TENANT = "active_tenant"
PUBLIC = "public"


class PrincipalAuthentication(BaseAuthentication):
    """Set `request.user` to the asking `Principal`. A wrong credential is refused even where none is needed."""

    def authenticate(self, request: Request) -> tuple[Principal, str | None] | None:
        words = get_authorization_header(request).split()
        if not words:
            return self._by_session(request)
        if len(words) != 2 or words[0].lower() != b"bearer":
            raise NotAuthenticated("Authorization must be `Bearer` and one token.")
        token = words[1].decode("latin-1")
        if families.is_token(token):
            return self._by_access_token(request, token), token
        is_visitors = token.startswith("vt_")
        enter = authentication.enter_by_visitor_token if is_visitors else authentication.enter_by_api_key
        principal, request.is_in_scope = enter(token, now=timezone.now())  # type: ignore[attr-defined] # read by TenantViewSet
        return principal, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _by_access_token(self, request: Request, token: str) -> Principal:
        user, session = families.open_access(token)
        request._request.family = session  # type: ignore[attr-defined] # read by active_session
        return named_company(user, request.query_params) or _in_active_tenant(session, user)

    def _by_session(self, request: Request) -> tuple[Principal, None] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active or _is_public(request):
            return None
        require_csrf(request)
        return named_company(user, request.query_params) or session_principal(request._request, user), None


def session_principal(request: object, user: User) -> Principal:
    """Return the signed-in user's principal in the session's active tenant."""
    session: SessionBase = getattr(request, "session", None) or SessionStore()
    sign_ins.note_visit(session, now=timezone.now())
    if (acting := getattr(request, "impersonation", None)) is not None:
        principal = authentication.by_membership(user, tenant_id=acting.tenant_id)
        return replace(principal, session=acting.mark)
    return _in_active_tenant(session, user)


def choose_tenant(request: HttpRequest, tenant_id: UUID) -> None:
    """Let the session of a request, a browser's or a family's of tokens, act in another tenant from now on."""
    session: SessionBase = getattr(request, "family", None) or request.session
    session[ACTIVE_TENANT] = tenant_id.hex
    session.save()


def _in_active_tenant(session: SessionBase, user: User) -> Principal:
    chosen = session.get(ACTIVE_TENANT)
    principal = authentication.by_membership(user, tenant_id=UUID(hex=chosen) if chosen else None)
    return replace(principal, session=sessions.mark_of(session))


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: object, reason: str) -> str:
        return reason


def require_csrf(request: Request) -> None:
    """Raise Forbidden unless a browser's request carries its CSRF token, or only reads."""
    check = _Csrf(lambda _: None)  # type: ignore[arg-type] # never called: only the check is used
    check.process_request(request._request)
    reason = check.process_view(request._request, None, (), {})  # type: ignore[arg-type] # the view plays no part
    if reason:
        raise Forbidden(f"CSRF check failed: {reason}", code="csrf")


def _needed(view: Any) -> tuple[str, ...]:
    needed = view.permissions.get(view.action, ())
    return (needed,) if isinstance(needed, str) else tuple(needed)


def _is_public(request: Request) -> bool:
    """Say whether the action is everybody's: a browser's session, which anybody's page could ride on, plays no part there."""
    return PUBLIC in _needed(request.parser_context["view"])


class HasPermission(BasePermission):
    """Hold a request to the view's `permissions` table; an action without an entry is nobody's."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.action is None:
            return True  # no such method here: DRF answers 405
        names = _needed(view)
        if PUBLIC in names:
            return True
        if not isinstance(request.user, Principal):
            raise NotAuthenticated("Sign in first: send an API key or token as `Authorization: Bearer …`.")
        request.user.require(*names)
        return True
