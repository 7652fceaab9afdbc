"""An operator inside a company they name by `?tenant=`: as themselves, with what their groups allow there."""

from collections.abc import Mapping

from accounts.models import Tenant, User
from accounts.permissions import OPERATORS
from accounts.principals import Kind, Principal
from accounts.tenancy import system_access
from common.errors import Forbidden, NotFound
from common.ids import decode


def named_company(user: User, query: Mapping[str, str]) -> Principal | None:
    """Return an operator's principal in the company a request names; None when it names none, or no operator asks.

    Suspended and closed companies open too: they are looked after. Raises Forbidden where no group of theirs allows anything,
    NotFound for an unknown company.
    """
    if "tenant" not in query or not user.is_staff or not user.is_active:
        return None
    held = [granted for permission, granted in OPERATORS.items() if user.has_perm(permission)]
    if not held:
        raise Forbidden("No group of yours may act in companies.", code="operator-permission")
    tenant_id = decode("tn", query["tenant"])
    with system_access(f"operator {user.pk} acts in {tenant_id}"):
        if not Tenant.objects.filter(pk=tenant_id).exists():
            raise NotFound("There is no such company.", pointer="/tenant")
    permissions = frozenset().union(*held)
    return Principal(Kind.OPERATOR, user.pk, tenant_id, user.name, permissions, auth_version=user.auth_version)
