"""Who may sign in as a telephone."""

import hashlib
from datetime import datetime
from xml.etree.ElementTree import Element

import pytest
from django.conf import settings

from accounts.audit import SYSTEM
from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from telephony.inbound.extensions import NewTelephone, create_extension, reset_password
from telephony.models import Extension
from tests.factories import Company
from tests.telephony.switch.conftest import Ask, is_not_found

DOMAIN = settings.FREESWITCH_SIP_DOMAIN


@pytest.fixture
def telephone(acme: Company, now: datetime) -> NewTelephone:
    with tenant_scope(acme.tenant.pk):
        return create_extension(tenant_id=acme.tenant.pk, number="101", by=SYSTEM, now=now)


def look_up(ask: Ask, user: str, domain: str = DOMAIN) -> Element:
    return ask("directory", key_value=domain, user=user, domain=domain, action="sip_auth")


def values(user: Element, kind: str) -> dict[str, str]:
    return {found.attrib["name"]: found.attrib["value"] for found in user.iter(kind)}


def digest(user: str, password: str) -> str:
    return hashlib.md5(f"{user}:{DOMAIN}:{password}".encode(), usedforsecurity=False).hexdigest()


def test_a_telephone_is_checked_by_the_digest_of_its_password(telephone: NewTelephone, ask: Ask, acme: Company) -> None:
    name = telephone.extension.sip_user

    found = look_up(ask, name)

    assert found.find("section/domain").attrib == {"name": DOMAIN}
    user = found.find("section/domain/groups/group/users/user")
    assert user.attrib == {"id": name}
    assert values(user, "param") == {
        "a1-hash": digest(name, telephone.password),
        "dial-string": "${sofia_contact(*/${dialed_user}@${dialed_domain})}",
        "allow-empty-password": "false",
    }
    assert values(user, "variable") == {
        "user_context": "agents",
        "effective_caller_id_number": "101",
        "irisx_tenant": str(acme.tenant.pk),
    }


@pytest.mark.parametrize("user", ["", "nobody-1", "101", "listener", "'; --", "a" * 5000, "é", "\x00"])
def test_anybody_else_is_the_switchs_own_affair(telephone: NewTelephone, ask: Ask, user: str) -> None:
    assert is_not_found(look_up(ask, user))


def test_another_domain_and_questions_about_no_user_are_too(telephone: NewTelephone, ask: Ask) -> None:
    assert is_not_found(look_up(ask, telephone.extension.sip_user, "default"))
    assert is_not_found(ask("directory", purpose="gateways", profile="external", key_value=DOMAIN))
    assert is_not_found(ask("directory", purpose="network-list"))


def test_another_password_counts_at_once(
    telephone: NewTelephone, ask: Ask, acme: Company, django_capture_on_commit_callbacks
) -> None:
    name = telephone.extension.sip_user
    look_up(ask, name)

    with django_capture_on_commit_callbacks(execute=True), tenant_scope(acme.tenant.pk):
        made = reset_password(tenant_id=acme.tenant.pk, extension_id=telephone.extension.pk, by=SYSTEM)

    assert values(look_up(ask, name), "param")["a1-hash"] == digest(name, made.password)


def test_a_telephone_out_of_use_or_of_a_company_shut_out_may_not_sign_in(
    telephone: NewTelephone, ask: Ask, acme: Company, django_capture_on_commit_callbacks
) -> None:
    name = telephone.extension.sip_user
    for status, is_found in [(Tenant.Status.SUSPENDED, False), (Tenant.Status.ACTIVE, True)]:
        with django_capture_on_commit_callbacks(execute=True), system_access("shut out and in"):
            acme.tenant.status = status
            acme.tenant.save(update_fields=["status"])
        assert is_not_found(look_up(ask, name)) is not is_found

    with django_capture_on_commit_callbacks(execute=True), tenant_scope(acme.tenant.pk):
        telephone.extension.is_active = False
        telephone.extension.save(update_fields=["is_active"])
    assert is_not_found(look_up(ask, name))


def test_a_digest_that_does_not_open_is_not_found_and_logged(
    telephone: NewTelephone, ask: Ask, acme: Company, caplog: pytest.LogCaptureFixture
) -> None:
    with tenant_scope(acme.tenant.pk):
        Extension.objects.for_tenant(acme.tenant).update(sealed_a1_hash="spoiled")
    assert is_not_found(look_up(ask, telephone.extension.sip_user))
    assert "CannotOpen" in caplog.text
