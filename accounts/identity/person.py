"""The gate of what concerns a person, whichever company they act in: their own password, second factor and sessions."""

from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from rest_framework.authentication import get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.api import TenantViewSet
from accounts.gate import PrincipalAuthentication, require_csrf
from accounts.identity import families
from accounts.models import User
from common.errors import NotAuthenticated


@dataclass(frozen=True)
class Person:
    """Somebody signed in, and the session they are signed in by."""

    user: User
    session: SessionBase
    is_authenticated: bool = True


class PersonAuthentication(PrincipalAuthentication):
    """Set `request.user` to the asking `Person`: by an access token, or a browser's session with CSRF; never by a key."""

    def authenticate(self, request: Request) -> tuple[Any, str | None] | None:
        words = get_authorization_header(request).split()
        if not words:
            return self._by_browser(request)
        if len(words) != 2 or words[0].lower() != b"bearer":
            raise NotAuthenticated("Authorization must be `Bearer` and one token.")
        user, session = families.open_access(words[1].decode("latin-1"))
        return Person(user, session), None

    def _by_browser(self, request: Request) -> tuple[Any, None] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        require_csrf(request)
        return Person(user, request._request.session), None


class IsPerson(BasePermission):
    """Let in whoever is signed in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.action is not None and not isinstance(request.user, Person):
            raise NotAuthenticated("Sign in first: send an access token as `Authorization: Bearer …`.")
        return True


class PersonViewSet(TenantViewSet):
    """The base of what somebody does about their own account."""

    authentication_classes = [PersonAuthentication]
    permission_classes = [IsPerson]

    @property
    def person(self) -> Person:
        """Return who is asking."""
        person: Person = self.request.user  # type: ignore[assignment] # set by PersonAuthentication
        return person


class OpenViewSet(TenantViewSet):
    """The base of what somebody asks who is not signed in yet. Credentials that came along play no part."""

    authentication_classes = []
    permission_classes = []
