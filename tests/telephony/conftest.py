"""Acme can call: it has a number and a trunk."""

import pytest
from pytest_django import Settings

from accounts.tenancy import tenant_scope
from telephony import services
from tests.factories import Company

NUMBER = "+15550109999"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hash the cast's passwords cheaply: no test here is about them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def acme_line(acme: Company) -> Company:
    """Give Acme a trunk and a number to call from."""
    with tenant_scope(acme.tenant.pk):
        services.create_trunk(tenant_id=acme.tenant.pk, name="Carrier", gateway="carrier")
        services.create_phone_number(tenant_id=acme.tenant.pk, number=NUMBER)
    return acme
