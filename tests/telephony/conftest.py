"""Acme can call: it has a number and a trunk."""

import pytest

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from telephony import services
from tests.factories import Company

NUMBER = "+15550109999"


@pytest.fixture
def acme_line(acme: Company) -> Company:
    """Give Acme a trunk and a number to call from."""
    with tenant_scope(acme.tenant.pk):
        services.create_trunk(tenant_id=acme.tenant.pk, name="Carrier", gateway="carrier")
        services.create_phone_number(tenant_id=acme.tenant.pk, number=NUMBER)
    # A trial has two calls at a time; tests of guards set limits of their own.
    with system_access("test"):
        Tenant.objects.filter(pk=acme.tenant.pk).update(limits={**acme.tenant.limits, "concurrent_calls": 200})
    return acme
