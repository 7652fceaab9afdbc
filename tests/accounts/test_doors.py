"""Who comes in: keys, visitor tokens, tickets, sessions."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import authentication, services, tokens
from accounts.models import ApiKey, Tenant, User
from accounts.permissions import ROLE_PERMISSIONS, SCOPES, Role
from accounts.signals import tenant_created
from accounts.tenancy import system_access, tenant_scope
from chat.models import Visitor
from common.errors import Forbidden, Invalid, NotAuthenticated
from tests import factories
from tests.assertions import count, rows
from tests.conftest import ApiClient


class TestAnApiKey:
    def test_opens_the_door_and_notes_it(self, acme: factories.Company) -> None:
        principal = authentication.by_api_key(acme.api_key, now=factories.NOW)
        assert (principal.tenant_id, principal.permissions) == (acme.tenant.pk, frozenset(SCOPES))
        assert [key.last_used_at for key in rows(ApiKey)] == [factories.NOW]

    def test_is_stored_as_a_hash(self, acme: factories.Company) -> None:
        [key] = rows(ApiKey)
        assert acme.api_key[-32:].encode() not in bytes(key.secret_hash)
        assert tokens.secret_matches(acme.api_key[-32:], key.secret_hash)

    @pytest.mark.parametrize("text", ["", "irisx_live_short", "irisx_test_" + "a" * 44, "irisx_live_" + "é" * 44])
    def test_of_another_shape_is_refused(self, db: None, text: str) -> None:
        with pytest.raises(NotAuthenticated):
            authentication.by_api_key(text, now=factories.NOW)

    def test_takes_only_scopes_there_are(self, acme: factories.Company) -> None:
        with tenant_scope(acme.tenant.pk), pytest.raises(Invalid) as refusal:
            services.issue_api_key(tenant_id=acme.tenant.pk, name="x", scopes=["chat.read", "root"])
        assert [e.pointer for e in refusal.value.errors] == ["/scopes"]
        assert count(ApiKey) == 1

    @pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer a b", "irisx_live_x"])
    def test_must_come_as_a_bearer(self, db: None, header: str) -> None:
        answer = Client(headers={"Authorization": header}).get("/v1/me")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


class TestAVisitorToken:
    def test_expires_after_thirty_days(self, acme: factories.Company) -> None:
        token, expires_at = tokens.issue_visitor_token(
            tenant_id=acme.tenant.pk, visitor_id=acme.owner.pk, auth_version=1, now=factories.NOW
        )
        assert expires_at == factories.NOW + timedelta(days=30)
        with pytest.raises(NotAuthenticated, match="expired"):
            authentication.by_visitor_token(token, now=expires_at)

    def test_of_a_suspended_tenant_is_refused(self, acme: factories.Company) -> None:
        with tenant_scope(acme.tenant.pk):
            dana = Visitor.objects.create(tenant_id=acme.tenant.pk, name="Dana")
        token, _ = tokens.issue_visitor_token(
            tenant_id=acme.tenant.pk, visitor_id=dana.pk, auth_version=1, now=factories.NOW
        )
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status=Tenant.Status.SUSPENDED)
        with pytest.raises(Forbidden):
            authentication.by_visitor_token(token, now=factories.NOW)


class TestATicket:
    def test_is_spent_by_its_first_use(self, acme: factories.Company) -> None:
        ticket = tokens.issue_ticket(authentication.by_membership(acme.agent))
        assert authentication.by_ticket(ticket).id == acme.agent.pk
        with pytest.raises(NotAuthenticated):
            authentication.by_ticket(ticket)

    def test_is_void_once_its_user_signed_out_everywhere(self, acme: factories.Company) -> None:
        ticket = tokens.issue_ticket(authentication.by_membership(acme.agent))
        User.objects.filter(pk=acme.agent.pk).update(auth_version=2)
        with pytest.raises(NotAuthenticated):
            authentication.by_ticket(ticket)


class TestASession:
    def test_signs_in_by_address_whatever_its_capitals(self, acme: factories.Company) -> None:
        client = Client()
        form = {"username": acme.agent.email.upper(), "password": factories.PASSWORD}
        assert client.post("/accounts/login/", form).status_code == 302
        assert client.get("/v1/me").json()["user"]["name"] == "Bob"

    def test_needs_the_csrf_token_to_write(self, acme: factories.Company) -> None:
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        client.force_login(acme.agent)
        answer = client.post("/v1/auth/ticket", {}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
        client.get("/desk/")
        token = client.cookies["irisx_csrf"].value
        answer = client.post("/v1/auth/ticket", {}, content_type="application/json", headers={"X-CSRFToken": token})
        assert answer.status_code == 201

    def test_acts_in_the_company_it_chose(self, acme: factories.Company, globex: factories.Company) -> None:
        with tenant_scope(globex.tenant.pk):
            services.add_member(tenant_id=globex.tenant.pk, user=acme.agent, role=Role.FINANCE)
        client = Client()
        client.force_login(acme.agent)
        assert client.get("/v1/me").json()["tenant"]["name"] == "Acme"
        body = {"tenant": f"tn_{globex.tenant.pk.hex}"}
        assert client.post("/v1/me", body, content_type="application/json").json()["role"] == "finance"
        assert client.get("/v1/me").json()["tenant"]["name"] == "Globex"


class TestSigningUp:
    def test_one_failing_receiver_undoes_all(self, db: None) -> None:
        def refuse(**kwargs: Any) -> None:
            raise RuntimeError("no")

        owner = factories.make_user("Alice")
        tenant_created.connect(refuse)
        try:
            with pytest.raises(RuntimeError):
                services.create_tenant(name="Acme", slug="acme", owner=owner, now=factories.NOW)
        finally:
            tenant_created.disconnect(refuse)
        assert count(Tenant) == 0

    def test_refuses_an_unknown_time_zone(self, db: None) -> None:
        with pytest.raises(ValidationError, match="not an IANA time zone"):
            services.create_tenant(
                name="Acme", slug="acme", owner=factories.make_user("Alice"), now=factories.NOW, timezone="Mars/Base"
            )


class TestRoles:
    def test_every_role_has_its_permissions(self) -> None:
        assert set(ROLE_PERMISSIONS) == set(Role)

    def test_a_key_may_not_be_an_agent_at_the_desk(self) -> None:
        assert "presence" not in SCOPES


class TestPresence:
    def test_refuses_an_unknown_status(self, acme: factories.Company, signed_in: Any) -> None:
        answer = signed_in(acme.agent).post(
            "/v1/chat/agent/presence", {"status": "asleep"}, content_type="application/json"
        )
        assert answer.status_code == 422


def test_time_of_the_test_client_is_real(acme: factories.Company) -> None:
    assert ApiClient(acme.api_key).get("/v1/me").status_code == 200
    [key] = rows(ApiKey)
    assert key.last_used_at is not None
    assert key.last_used_at <= timezone.now()
