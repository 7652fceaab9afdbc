"""Visitors as signing in sees them. Chat keeps them and stands above accounts: it says here how one is looked up."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class VisitorState:
    """What a token is held against. A token of an earlier `auth_version` has ended."""

    name: str
    auth_version: int
    is_blocked: bool


# (tenant, visitor) → its state; None for a visitor that is not, or not any more. Runs inside the tenant's scope.
Lookup = Callable[[UUID, UUID], VisitorState | None]


class _Registry:
    lookup: Lookup | None = None


def register(lookup: Lookup) -> None:
    """Say how visitors are looked up; called once, while the apps start."""
    _Registry.lookup = lookup


def state_of(*, tenant_id: UUID, visitor_id: UUID) -> VisitorState | None:
    """Return a visitor's state; None when there is no such visitor."""
    return _Registry.lookup(tenant_id, visitor_id) if _Registry.lookup else None
