"""Makes what tests need, through the services wherever there is one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from django.conf import settings

from accounts import services
from accounts.models import Membership, Tenant, User
from accounts.permissions import SCOPES, Role
from accounts.tenancy import tenant_scope

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
_numbers = count(1)


@dataclass(frozen=True)
class Company:
    """A tenant with one person of each role the test cast knows, and an API key with every scope."""

    tenant: Tenant
    owner: User
    agent: User
    finance: User
    api_key: str


def make_user(name: str, *, email: str | None = None) -> User:
    return User.objects.create_user(email or f"{name.lower()}{next(_numbers)}@example.com", PASSWORD, name=name)


def make_company(
    name: str, *, owner: str, agent: str, finance: str, timezone: str = "UTC", now: datetime = NOW
) -> Company:
    people = [make_user(person) for person in (owner, agent, finance)]
    slug = f"{name.lower()}-{next(_numbers)}"
    tenant = services.create_tenant(name=name, slug=slug, owner=people[0], timezone=timezone, now=now)
    with tenant_scope(tenant.pk):
        services.add_member(tenant_id=tenant.pk, user=people[1], role=Role.AGENT)
        services.add_member(tenant_id=tenant.pk, user=people[2], role=Role.FINANCE)
        _, key = services.issue_api_key(tenant_id=tenant.pk, name="tests", scopes=SCOPES)
    return Company(tenant, *people, api_key=key)


def add_person(company: Company, name: str, role: Role) -> Membership:
    with tenant_scope(company.tenant.pk):
        return services.add_member(tenant_id=company.tenant.pk, user=make_user(name), role=role)


def base_url() -> str:
    return str(settings.IRISX_BASE_URL)
