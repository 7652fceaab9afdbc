"""An operator acts as somebody: for a while, for a reason, under both names; never as another operator."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.audit.origin import current
from accounts.models import AuditEntry, Impersonation, User
from accounts.operators import impersonating
from accounts.operators.roles import FINANCE, SUPPORT
from accounts.tenancy import system_access
from tests import factories
from tests.accounts.members.test_members import JSON
from tests.accounts.operators.test_admin_api import operator
from tests.assertions import count, rows


def act_as(client: Client, company: factories.Company, user: User) -> Any:
    form = {"tenant": str(company.tenant.pk), "reason": "Ticket 7"}
    return client.post(f"/impersonation/{user.pk}/", form)


@pytest.fixture
def sally(acme: factories.Company) -> Client:
    client = operator("Sally", SUPPORT)
    assert act_as(client, acme, acme.owner).status_code == 302
    return client


class TestActing:
    def test_is_as_the_person_with_a_banner(self, sally: Client, acme: factories.Company) -> None:
        me = sally.get("/v1/me").json()
        assert (me["user"]["name"], me["role"], me["impersonation"]["operator"]) == ("Alice", "owner", "Sally")
        assert b"You act as Alice" in sally.get("/portal/").content

    def test_is_noted_under_both_names(self, sally: Client, acme: factories.Company) -> None:
        assert sally.patch("/v1/me", {"name": "Alicia"}, content_type=JSON).status_code == 200
        [change] = rows(AuditEntry, action="user.changed")
        assert (change.actor_name, change.impersonator_name) == ("Alice", "Sally")
        [act] = rows(AuditEntry, action="impersonation.act")
        assert (act.changes["request"], act.impersonator_name) == ("PATCH /v1/me", "Sally")
        assert count(AuditEntry, action="impersonation.began", tenant=acme.tenant) == 1

    def test_leaves_what_is_the_persons_own(self, sally: Client, globex: factories.Company) -> None:
        for path in ("/v1/api-keys", "/v1/auth/password", "/v1/me", "/accounts/login/"):
            body = {"tenant": f"tn_{globex.tenant.pk.hex}"}
            assert sally.post(path, body, content_type=JSON).status_code == 403, path
        assert sally.get("/v1/admin/tenants").status_code == 200  # there the operator is themselves

    def test_ends_by_the_button(self, sally: Client) -> None:
        [running] = rows(Impersonation)
        assert sally.post("/impersonation/end").status_code == 302
        assert sally.get("/v1/me").status_code == 403
        mark = sessions.limited_mark(running.pk, running.expires_at)
        assert sessions.ended([mark]) == {mark}
        assert count(AuditEntry, action="impersonation.ended") == 2  # the installation's log, and the company's

    def test_ends_after_thirty_minutes(self, sally: Client) -> None:
        [running] = rows(Impersonation)
        assert running.expires_at - running.started_at == timedelta(minutes=30)
        with system_access("test"):
            Impersonation.unscoped.update(expires_at=timezone.now())
        assert sally.get("/v1/me").status_code == 403
        over = sessions.limited_mark(running.pk, timezone.now() - timedelta(seconds=1))
        assert sessions.ended([over]) == {over}

    def test_ends_when_the_operator_is_suspended_or_demoted(self, sally: Client) -> None:
        user = User.objects.get(name="Sally")
        user.is_staff = False
        user.save(update_fields=["is_staff"])
        assert [row.ended_at is not None for row in rows(Impersonation)] == [True]
        assert sally.get("/v1/me").status_code == 403

    def test_opens_a_socket_that_ends_with_it(self, sally: Client) -> None:
        [running] = rows(Impersonation)
        ticket = sally.post("/v1/auth/ticket").json()["ticket"]
        from accounts.authentication import by_ticket

        principal = by_ticket(ticket)
        assert (principal.name, principal.session) == (
            "Alice",
            sessions.limited_mark(running.pk, running.expires_at),
        )
        impersonating.note_frame(principal, "send")
        noted = rows(AuditEntry, action="impersonation.act")[-1]
        assert (noted.changes["request"], noted.impersonator_name) == ("frame send", "Sally")
        assert current().impersonator is None  # what the thread does next is nobody's who acts as another


class TestNobody:
    def test_acts_without_the_permission(self, acme: factories.Company) -> None:
        assert act_as(operator("Fred", FINANCE), acme, acme.owner).status_code == 403
        assert count(Impersonation) == 0

    def test_acts_as_an_operator_or_a_stranger(self, acme: factories.Company, globex: factories.Company) -> None:
        client = operator("Sally", SUPPORT)
        assert act_as(client, globex, acme.owner).status_code == 422
        User.objects.filter(pk=acme.owner.pk).update(is_staff=True)
        assert act_as(client, acme, acme.owner).status_code == 422
        assert count(Impersonation) == 0
