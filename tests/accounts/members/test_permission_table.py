"""The one table of permissions, held against what stands on it: views, sockets, keys."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import authentication
from accounts.api import PUBLIC, TenantViewSet
from accounts.models import Membership
from accounts.operators.gate import OperatorViewSet
from accounts.permissions import OPERATORS, ROLE_PERMISSIONS, SCOPES, VISITOR, Role
from accounts.principals import Kind, Principal
from accounts.sockets import Listener
from accounts.tenancy import system_access
from chat import pulse
from tests import factories
from tests.assertions import rows

KNOWN = frozenset().union(*ROLE_PERMISSIONS.values(), VISITOR, {PUBLIC})


def views(patterns: list[Any] | None = None) -> Iterator[type[TenantViewSet]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, TenantViewSet) and not issubclass(view, OperatorViewSet):
                yield view


def test_every_view_asks_for_permissions_the_table_knows() -> None:
    asked = {
        name
        for view in views()
        for needed in view.permissions.values()
        for name in ((needed,) if isinstance(needed, str) else needed)
    }
    assert asked
    assert asked - KNOWN == set()


def test_operators_and_keys_hold_nothing_the_table_does_not_know() -> None:
    assert frozenset().union(*OPERATORS.values()) - KNOWN == set()
    assert set() == SCOPES - KNOWN


@pytest.mark.parametrize("role", Role)
def test_a_role_holds_on_http_and_sockets_what_the_table_says(
    acme: factories.Company, signed_in: Any, role: Role
) -> None:
    person = factories.add_person(acme, "Pat", role)
    me = signed_in(person.user).get("/v1/me").json()
    assert me["permissions"] == sorted(ROLE_PERMISSIONS[role])
    principal = authentication.by_membership(person.user)
    [finding] = pulse.examine_agents([Listener(principal, ())])
    assert (finding is not None) == ("chat.read" in ROLE_PERMISSIONS[role])


@pytest.mark.parametrize("role", Role)
def test_a_socket_follows_a_change_of_role(acme: factories.Company, role: Role) -> None:
    [bob] = rows(Membership, user=acme.agent)
    before = authentication.by_membership(acme.agent)
    bob.role = role
    with system_access("test"):
        bob.save(update_fields=["role"])
    [finding] = pulse.examine_agents([Listener(before, ())])
    now_held: frozenset[str] = finding.principal.permissions if finding else frozenset()
    assert now_held == (ROLE_PERMISSIONS[role] if "chat.read" in ROLE_PERMISSIONS[role] else frozenset())


def test_an_operator_is_no_agent_at_the_desk() -> None:
    held = frozenset().union(*OPERATORS.values())
    operator = Principal(Kind.OPERATOR, *[factories.Tenant().pk] * 2, "Olga", held)
    assert not operator.may("presence", "chat.reply")
