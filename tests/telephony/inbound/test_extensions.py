"""Extensions: telephones of agents."""

import hashlib
from datetime import datetime

import pytest
from django.conf import settings

from accounts.audit import SYSTEM
from accounts.models import Membership
from accounts.signals import member_added, member_left
from accounts.tenancy import tenant_scope
from common.errors import Conflict, Invalid, NotFound
from telephony.inbound import extensions
from telephony.inbound.extensions import NewTelephone
from telephony.inbound.models import Extension
from tests.factories import Company


@pytest.fixture
def inside(acme: Company):
    with tenant_scope(acme.tenant.pk):
        yield acme


def create(company: Company, now: datetime, number: str = "101", **more: object) -> NewTelephone:
    return extensions.create_extension(tenant_id=company.tenant.pk, number=number, by=SYSTEM, now=now, **more)


def digest(row: Extension, password: str) -> str:
    text = f"{row.sip_user}:{settings.FREESWITCH_SIP_DOMAIN}:{password}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_the_switch_can_check_the_password_that_was_shown_once(inside: Company, now: datetime):
    made = create(inside, now, user_id=inside.agent.pk)

    row = Extension.objects.for_tenant(inside.tenant).get()
    assert row.a1_hash == digest(row, made.password)
    assert made.password not in str(vars(row))
    assert row.a1_hash not in row.sealed_a1_hash
    assert extensions.extension_of(tenant_id=inside.tenant.pk, user_id=inside.agent.pk) == row


def test_another_password_makes_the_old_one_void(inside: Company, now: datetime):
    made = create(inside, now)

    fresh = extensions.reset_password(tenant_id=inside.tenant.pk, extension_id=made.extension.pk, by=SYSTEM)

    row = Extension.objects.for_tenant(inside.tenant).get()
    assert row.a1_hash == digest(row, fresh.password) != digest(row, made.password)


@pytest.mark.parametrize("number", ["1", "123456789", "10a", "+1", "１２", ""])
def test_refuses_what_is_no_extension(inside: Company, now: datetime, number: str):
    with pytest.raises(Invalid) as refused:
        create(inside, now, number)
    assert refused.value.errors[0].pointer == "/number"


def test_a_number_and_a_person_have_one_extension(inside: Company, now: datetime):
    create(inside, now, user_id=inside.agent.pk)

    with pytest.raises(Conflict, match="this number"):
        create(inside, now)
    with pytest.raises(Conflict, match="person"):
        create(inside, now, "102", user_id=inside.agent.pk)
    assert Extension.objects.for_tenant(inside.tenant).count() == 1


def test_two_companies_may_use_the_same_number_and_never_the_same_sip_user(
    acme: Company, globex: Company, now: datetime
):
    made = []
    for company in (acme, globex):
        with tenant_scope(company.tenant.pk):
            made.append(create(company, now).extension.sip_user)
    assert made[0] != made[1]


def test_a_stranger_gets_no_extension(inside: Company, globex: Company, now: datetime):
    with pytest.raises(Invalid, match="nobody of your company"):
        create(inside, now, user_id=globex.agent.pk)


def test_a_foreign_extension_is_not_there(acme: Company, globex: Company, now: datetime):
    with tenant_scope(acme.tenant.pk):
        foreign = create(acme, now).extension.pk
    with tenant_scope(globex.tenant.pk), pytest.raises(NotFound):
        extensions.delete_extension(tenant_id=globex.tenant.pk, extension_id=foreign, by=SYSTEM)


def test_a_telephone_put_away_rings_no_more(inside: Company, now: datetime):
    made = create(inside, now, user_id=inside.agent.pk)

    extensions.change_extension(
        tenant_id=inside.tenant.pk, extension_id=made.extension.pk, changes={"is_active": False}, by=SYSTEM
    )

    assert extensions.extension_of(tenant_id=inside.tenant.pk, user_id=inside.agent.pk) is None


def test_who_joins_gets_the_extension_an_import_wished_for(inside: Company, now: datetime):
    for person in (inside.agent, inside.owner):
        membership = Membership.objects.for_tenant(inside.tenant).get(user=person)
        member_added.send(
            sender=Membership,
            tenant_id=inside.tenant.pk,
            membership=membership,
            details={"extension": "101"},
            now=now,
        )

    rows = Extension.objects.for_tenant(inside.tenant).values_list("number", "user_id")
    assert list(rows) == [("101", inside.agent.pk)]


def test_the_telephone_of_who_leaves_is_put_away(inside: Company, now: datetime):
    create(inside, now, user_id=inside.agent.pk)
    for _ in range(2):
        member_left.send(sender=Membership, tenant_id=inside.tenant.pk, user_id=inside.agent.pk, now=now)
    assert not Extension.objects.for_tenant(inside.tenant).get().is_active
