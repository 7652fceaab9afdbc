"""What the frame of every page shows: whose workplace it is, and the rooms this person may enter."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.gate import session_principal
from accounts.models import Tenant, User
from accounts.permissions import Role
from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from common.errors import Forbidden


@dataclass(frozen=True)
class Room:
    """An entry of the rail. `permission` "" means anybody."""

    label: str
    url: str
    icon: str
    permission: str = ""
    is_current: bool = False


ROOMS = (
    Room("Desk", "/desk/", "chat", "chat.read"),
    Room("Overview", "/portal/", "home", "usage.read"),
    Room("Usage", "/portal/usage/", "chart", "usage.read"),
    Room("Finance", "/portal/finance/", "receipt", "billing.read"),
    Room("Widgets", "/portal/widgets/", "panel", "chat.manage"),
    Room("Company", "/portal/company/", "users", "members.read"),
)
MAIL = Room("Mail", "/inbox/", "mail")
SIGN_IN = Room("Sign in", settings.LOGIN_URL, "user")


def workplace(request: HttpRequest) -> dict[str, Any]:
    """Add `workplace` to every template; nothing is read unless the template shows it."""
    return {"workplace": SimpleLazyObject(lambda: _workplace(request))}


def rooms_of(principal: Principal) -> list[Room]:
    """Return the rooms a person may enter, the one they work in first."""
    return [room for room in ROOMS if principal.may(room.permission)]


def _workplace(request: HttpRequest) -> dict[str, Any]:
    principal = getattr(request, "principal", None) or _principal(request)
    if principal is None:
        return {"home": "/", "tenant": "IRISX", "rooms": _marked([SIGN_IN], request.path)}
    rooms = rooms_of(principal)
    return {
        "home": rooms[0].url if rooms else "/",
        "tenant": _tenant(request, principal).name,
        "rooms": _marked(rooms, request.path),
        "name": principal.name,
        "email": str(request.user),
        "role": Role(principal.role).label,
    }


def _principal(request: HttpRequest) -> Principal | None:
    try:
        return session_principal(request, request.user) if isinstance(request.user, User) else None
    except Forbidden:
        return None


def _tenant(request: HttpRequest, principal: Principal) -> Tenant:
    known = getattr(request, "tenant", None)
    if isinstance(known, Tenant):
        return known
    with tenant_scope(principal.tenant_id):
        return Tenant.objects.get(pk=principal.tenant_id)


def _marked(rooms: list[Room], path: str) -> list[Room]:
    """Return the rooms with the one that holds `path` marked: the longest address that begins it."""
    shown = [*rooms, MAIL] if settings.IRISX_DEMO and settings.IRISX_MAIL_DIR else rooms
    current = max((room.url for room in shown if path.startswith(room.url)), key=len, default="")
    return [Room(room.label, room.url, room.icon, room.permission, room.url == current) for room in shown]
