"""The gate of `/v1/admin`: operators alone, each held to the permissions of their groups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from rest_framework.authentication import get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.audit import Actor
from accounts.gate import PrincipalAuthentication, require_csrf
from accounts.identity import families
from accounts.models import User
from accounts.tenancy import system_access
from common import idempotency
from common.errors import Forbidden, NotAuthenticated


@dataclass(frozen=True)
class Operator:
    """An operator who is signed in."""

    user: User
    is_authenticated: bool = True

    @property
    def actor(self) -> Actor:
        """Return the operator as the audit log names them."""
        return audit.operator(self.user)

    def require(self, permission: str) -> None:
        """Raise Forbidden unless one of the operator's groups holds it."""
        if not self.user.has_perm(permission):
            raise Forbidden(f"This needs the operator's permission {permission}.", code="operator-permission")


class OperatorAuthentication(PrincipalAuthentication):
    """Set `request.user` to the asking `Operator`: by an access token, or a browser's session with CSRF; never by a key."""

    def authenticate(self, request: Request) -> tuple[Any, str | None] | None:
        user = self._person(request)
        if user is None:
            return None
        if not user.is_staff or getattr(request._request, "impersonation", None):
            raise Forbidden("Only operators of this installation may do this.", code="operators-only")
        return Operator(user), None

    def _person(self, request: Request) -> User | None:
        words = get_authorization_header(request).split()
        if words:
            token = words[-1].decode("latin-1")
            if len(words) == 2 and words[0].lower() == b"bearer" and families.is_token(token):
                return families.open_access(token)[0]
            super().authenticate(request)  # a wrong credential is refused as one
            raise Forbidden("Only operators of this installation may do this.", code="operators-only")
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        require_csrf(request)
        return user


class IsOperator(BasePermission):
    """Hold an operator to the view's table; an action without an entry is nobody's."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.action is None:
            return True  # no such method here: DRF answers 405
        if not isinstance(request.user, Operator):
            raise NotAuthenticated("Sign in first, as an operator.")
        if (needed := view.permissions.get(view.action)) is None:
            raise Forbidden("Nobody may do this.")
        request.user.require(needed)
        return True


class OperatorViewSet(TenantViewSet):
    """The base of `/v1/admin`: runs over every company, by the named bypass. `permissions` are Django's own names."""

    authentication_classes = [OperatorAuthentication]
    permission_classes = [IsOperator]
    permissions: ClassVar[Mapping[str, str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if isinstance(request.user, Operator):
            self._scope.enter_context(system_access(f"operator {request.user.user.pk} in {type(self).__name__}"))

    @property
    def operator(self) -> Operator:
        """Return who is asking."""
        operator: Operator = self.request.user  # type: ignore[assignment] # set by OperatorAuthentication
        return operator

    def once(self, run: Callable[[], Response], *, body: Any = None) -> Response:
        """Run an action that creates, under the request's Idempotency-Key when it carries one: the operator's own."""
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return run()
        answer = idempotency.once(
            owner=self.operator.user.pk,
            path=quote(self.request.path),
            key=key,
            request_body=self.request.data if body is None else body,
            run=lambda: _answer(run()),
            now=self.now,
        )
        response = Response(answer.body, status=answer.status)
        if answer.is_replay:
            response["Idempotency-Replayed"] = "true"
        return response


def _answer(response: Response) -> idempotency.Answer:
    return idempotency.Answer(response.status_code, response.data)
