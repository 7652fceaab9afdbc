"""Who is asking: a user in a tenant, an API key, a visitor, or an operator."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from common.errors import Forbidden, NotAuthenticated


class Kind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    VISITOR = "visitor"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Principal:
    """`id` is the user's, key's or visitor's; `permissions` are all it may do in `tenant_id`."""

    kind: Kind
    id: UUID
    tenant_id: UUID
    name: str
    permissions: frozenset[str]
    role: str = ""
    auth_version: int = 1
    session: str = ""  # of which browser session it came (accounts.sessions)
    company_per_minute: int | None = None  # requests that all programs of its company may make; None: any number
    own_per_minute: int | None = None  # requests that this key may make

    @property
    def user_id(self) -> UUID | None:
        """Return the user behind this principal, if it is one."""
        return self.id if self.kind in {Kind.USER, Kind.OPERATOR} else None

    @property
    def is_visitor(self) -> bool:
        return self.kind == Kind.VISITOR

    def may(self, *permissions: str) -> bool:
        """Say whether any of these permissions is held."""
        return not self.permissions.isdisjoint(permissions)

    def require(self, *permissions: str) -> None:
        """Raise Forbidden unless any of these permissions is held."""
        if not self.may(*permissions):
            raise Forbidden(f"This needs the permission {' or '.join(permissions)}.")

    @property
    def is_authenticated(self) -> bool:
        """DRF asks; a principal always is."""
        return True


def require_user(principal: Principal) -> UUID:
    """Return the user's id; raise NotAuthenticated for keys and visitors."""
    if principal.user_id is None:
        raise NotAuthenticated("Only a signed-in person can do this.")
    return principal.user_id
