"""The company's pages: people, keys, webhooks, log, settings, data. Each button does what it says, once, for who may."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.exports.tasks import make_exports
from accounts.models import ApiKey, Invitation, Membership, Tenant, WebhookDelivery, WebhookEndpoint
from accounts.permissions import Role
from accounts.tenancy import system_access, tenant_scope
from accounts.webhooks.dispatching import dispatch
from tests.conftest import ApiClient
from tests.factories import Company, add_person

PEOPLE, KEYS, HOOKS = "/portal/company/", "/portal/company/keys/", "/portal/company/webhooks/"
LOG, SETTINGS = "/portal/company/log/", "/portal/company/settings/"
HOOK = "https://hooks.example.com/irisx"


@pytest.fixture
def owner(acme: Company, signed_in: Callable[[Any], Client]) -> Client:
    with system_access("test"):
        Tenant.objects.filter(pk=acme.tenant.pk).update(limits={**acme.tenant.limits, "seats": 10})
    return signed_in(acme.owner)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def rows(model: Any, company: Company) -> list[Any]:
    with tenant_scope(company.tenant.pk):
        return list(model.objects.for_tenant(company.tenant))


def actions(company: Company) -> list[str]:
    return [entry.action for entry in sorted(rows(AuditEntry, company), key=lambda entry: entry.created_at)]


class TestPeople:
    def test_are_invited_and_the_invitation_taken_back(self, acme: Company, owner: Client) -> None:
        answer = owner.post(PEOPLE, {"email": "Dora@acme.example", "name": "Dora", "role": "agent"}, follow=True)
        assert "dora@acme.example" in answer.content.decode()
        [invitation] = rows(Invitation, acme)
        again = owner.post(PEOPLE, {"email": "dora@acme.example", "role": "agent"}, follow=True)
        assert "invit" in said(again)
        assert len(rows(Invitation, acme)) == 1
        where = f"/portal/company/invitations/iv_{invitation.pk.hex}"
        assert "new link" in said(owner.post(where, {"action": "resend"}, follow=True))
        assert "taken back" in said(owner.post(where, {"action": "revoke"}, follow=True))
        assert rows(Invitation, acme)[0].revoked_at is not None

    @pytest.mark.parametrize(
        "form", [{"email": "no address", "role": "agent"}, {"email": "a@b.example", "role": "king"}]
    )
    def test_a_form_that_is_wrong_says_so(self, acme: Company, owner: Client, form: dict[str, str]) -> None:
        answer = owner.post(PEOPLE, form)
        assert answer.status_code == 422
        assert b"field__error" in answer.content
        assert rows(Invitation, acme) == []

    def test_change_roles_are_suspended_come_back_and_go(self, acme: Company, owner: Client) -> None:
        member = add_person(acme, "Carol", Role.AGENT)
        where = f"/portal/company/members/mb_{member.pk.hex}"
        owner.post(where, {"action": "role", "role": "finance"})
        owner.post(where, {"action": "suspend"})
        with tenant_scope(acme.tenant.pk):
            stored = Membership.objects.for_tenant(acme.tenant).get(pk=member.pk)
        assert (stored.role, stored.is_active) == ("finance", False)
        assert "back in" in said(owner.post(where, {"action": "reactivate"}, follow=True))
        assert "no member" in said(owner.post(where, {"action": "remove"}, follow=True))
        assert member.pk not in {row.pk for row in rows(Membership, acme)}
        assert owner.post(where, {"action": "remove"}).status_code == 404

    def test_keep_their_last_owner(self, acme: Company, owner: Client) -> None:
        [member] = [row for row in rows(Membership, acme) if row.role == Role.OWNER]
        answer = owner.post(
            f"/portal/company/members/mb_{member.pk.hex}", {"action": "role", "role": "agent"}, follow=True
        )
        assert "owner" in said(answer).lower()
        assert [row.role for row in rows(Membership, acme) if row.pk == member.pk] == [Role.OWNER]

    def test_are_only_looked_at_by_who_may_not_manage(self, acme: Company, signed_in: Callable[[Any], Client]) -> None:
        supervisor = signed_in(add_person(acme, "Sam", Role.SUPERVISOR).user)
        assert b"<select" not in supervisor.get(PEOPLE).content
        assert supervisor.post(PEOPLE, {"email": "x@acme.example", "role": "agent"}).status_code == 403
        [member] = [row for row in rows(Membership, acme) if row.role == Role.OWNER]
        assert supervisor.post(f"/portal/company/members/mb_{member.pk.hex}", {"action": "suspend"}).status_code == 403
        assert rows(Invitation, acme) == []

    def test_an_admin_touches_no_owner(self, acme: Company, signed_in: Callable[[Any], Client]) -> None:
        admin = signed_in(add_person(acme, "Ada", Role.ADMIN).user)
        [member] = [row for row in rows(Membership, acme) if row.role == Role.OWNER]
        assert (
            "owner"
            in said(
                admin.post(f"/portal/company/members/mb_{member.pk.hex}", {"action": "suspend"}, follow=True)
            ).lower()
        )


class TestKeys:
    def test_is_shown_once_and_works(self, acme: Company, owner: Client) -> None:
        answer = owner.post(KEYS, {"name": "Shop", "scopes": ["usage.read"], "days": "30", "per_minute": ""})
        text = re.search(r"irisx_live_[A-Za-z0-9_]{20,}", answer.content.decode())
        assert text
        assert answer["Cache-Control"] == "no-store"
        assert ApiClient(text.group()).get("/v1/usage/current-period").status_code == 200
        assert text.group() not in owner.get(KEYS).content.decode()
        key = next(row for row in rows(ApiKey, acme) if row.name == "Shop")
        assert (key.expires_at - key.created_at).days in {29, 30}
        assert "api_key.created" in actions(acme)

    def test_is_rotated_and_revoked(self, acme: Company, owner: Client) -> None:
        owner.post(KEYS, {"name": "Shop", "scopes": ["usage.read"]})
        key = next(row for row in rows(ApiKey, acme) if row.name == "Shop")
        where = f"{KEYS}ak_{key.pk.hex}"
        fresh = re.search(r"irisx_live_[A-Za-z0-9_]{20,}", owner.post(where, {"action": "rotate"}).content.decode())
        assert fresh
        newer = next(row for row in rows(ApiKey, acme) if row.name == "Shop" and row.pk != key.pk)
        assert "works no more" in said(owner.post(f"{KEYS}ak_{newer.pk.hex}", {"action": "revoke"}, follow=True))
        assert ApiClient(fresh.group()).get("/v1/usage/current-period").status_code == 401

    @pytest.mark.parametrize(
        "form",
        [
            {"name": "", "scopes": ["usage.read"]},
            {"name": "Shop"},
            {"name": "Shop", "scopes": ["everything"]},
            {"name": "Shop", "scopes": ["usage.read"], "per_minute": "0"},
            {"name": "Shop", "scopes": ["usage.read"], "days": "9999"},
        ],
    )
    def test_a_form_that_is_wrong_makes_none(self, acme: Company, owner: Client, form: dict[str, Any]) -> None:
        before = len(rows(ApiKey, acme))
        answer = owner.post(KEYS, form)
        assert answer.status_code == 422
        assert b"field__error" in answer.content
        assert len(rows(ApiKey, acme)) == before


class TestWebhooks:
    def test_an_endpoint_is_added_tested_and_its_deliveries_are_seen(self, acme: Company, owner: Client) -> None:
        answer = owner.post(HOOKS, {"url": HOOK, "description": "Shop", "event_types": ["call.*"]})
        secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())
        assert secret
        assert answer["Cache-Control"] == "no-store"
        assert secret.group() not in owner.get(HOOKS).content.decode()
        [endpoint] = rows(WebhookEndpoint, acme)
        where = f"{HOOKS}wh_{endpoint.pk.hex}/"
        assert "on its way" in said(owner.post(where, {"action": "test"}, follow=True))
        dispatch(now=timezone.now())
        [delivery] = rows(WebhookDelivery, acme)
        assert b"webhook.test" in owner.get(where).content
        assert b"webhook.test" not in owner.get(f"{where}?status=failed").content
        page = f"{where}wd_{delivery.pk.hex}/"
        assert b"Not tried yet" in owner.get(page).content
        assert owner.post(f"{page}resend", follow=True).status_code == 200
        assert actions(acme)[-1] == "webhook.created"

    def test_is_disabled_enabled_given_a_new_secret_and_deleted(self, acme: Company, owner: Client) -> None:
        owner.post(HOOKS, {"url": HOOK})
        [endpoint] = rows(WebhookEndpoint, acme)
        where = f"{HOOKS}wh_{endpoint.pk.hex}/"
        owner.post(where, {"action": "disable"})
        assert b"Disabled" in owner.get(where).content
        owner.post(where, {"action": "enable"})
        assert rows(WebhookEndpoint, acme)[0].is_active
        assert b"whsec_" in owner.post(where, {"action": "rotate"}).content
        assert "deleted" in said(owner.post(where, {"action": "delete"}, follow=True))
        assert rows(WebhookEndpoint, acme) == []
        assert [action for action in actions(acme) if action.startswith("webhook.")] == [
            *("webhook.created", "webhook.changed", "webhook.changed", "webhook.secret_rotated", "webhook.deleted")
        ]

    @pytest.mark.parametrize("url", ["http://hooks.example.com/", "https://127.0.0.1/", "nonsense", ""])
    def test_an_address_that_is_never_called_is_refused(self, acme: Company, owner: Client, url: str) -> None:
        answer = owner.post(HOOKS, {"url": url})
        assert answer.status_code == 422
        assert rows(WebhookEndpoint, acme) == []

    def test_an_unknown_action_and_a_strange_endpoint_are_not_found(self, acme: Company, owner: Client) -> None:
        owner.post(HOOKS, {"url": HOOK})
        [endpoint] = rows(WebhookEndpoint, acme)
        assert owner.post(f"{HOOKS}wh_{endpoint.pk.hex}/", {"action": "explode"}).status_code == 404
        assert owner.get(f"{HOOKS}wh_{uuid4().hex}/").status_code == 404


class TestLog:
    def test_is_read_filtered_and_paged(self, acme: Company, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("irisx.portal.company.log.MOST", 2)
        for number in range(4):
            owner.post(KEYS, {"name": f"Key {number}", "scopes": ["usage.read"]})
        answer = owner.get(f"{LOG}?action=api_key.created&actor=Alice")
        entries = answer.context["entries"]
        assert [entry.action for entry in entries] == ["api_key.created"] * 2
        older = owner.get(f"{LOG}?action=api_key.created&actor=Alice&{answer.context['older']}").context["entries"]
        assert {entry.pk for entry in older}.isdisjoint({entry.pk for entry in entries})
        assert owner.get(f"{LOG}?actor=Nobody").context["entries"] == []
        assert b"API keys" in answer.content

    @pytest.mark.parametrize("query", ["start_date=tomorrow", "start_date=2026-02-02&end_date=2026-01-01"])
    def test_says_what_it_does_not_understand(self, owner: Client, query: str) -> None:
        answer = owner.get(f"{LOG}?{query}")
        assert answer.status_code == 422
        assert b'role="alert"' in answer.content

    def test_a_strange_place_to_go_on_from_is_the_beginning(self, owner: Client) -> None:
        assert owner.get(f"{LOG}?before=x").status_code == 200


class TestSettings:
    def test_are_changed_and_written_down(self, acme: Company, owner: Client) -> None:
        form = {"name": "Acme Ltd", "locale": "de", "cors_origins": "https://APP.acme.example\n\n", "require_mfa": ""}
        assert "saved" in said(owner.post(SETTINGS, form, follow=True))
        with system_access("test"):
            stored = Tenant.objects.get(pk=acme.tenant.pk)
        assert (stored.name, stored.locale, stored.settings["cors_origins"]) == (
            "Acme Ltd", "de", ["https://app.acme.example"],
        )  # fmt: skip
        assert actions(acme)[-1] == "settings.changed"

    def test_a_site_that_is_none_is_refused(self, acme: Company, owner: Client) -> None:
        answer = owner.post(SETTINGS, {"name": "Acme", "locale": "en", "cors_origins": "app.acme.example/shop"})
        assert answer.status_code == 422
        assert b"is no origin" in answer.content

    def test_an_archive_is_made_and_downloaded(self, acme: Company, owner: Client) -> None:
        assert "being made" in said(owner.post(f"{SETTINGS}export", follow=True))
        make_exports()
        page = owner.get(SETTINGS).content.decode()
        link = re.search(r'href="(/v1/tenant/exports/tex_[0-9a-f]{32}/file)"', page)
        assert link
        assert b"".join(owner.get(link.group(1)).streaming_content).startswith(b"PK")

    def test_the_data_are_their_owners_alone(self, acme: Company, signed_in: Callable[[Any], Client]) -> None:
        admin = signed_in(add_person(acme, "Ada", Role.ADMIN).user)
        assert b"Your data" not in admin.get(SETTINGS).content
        assert admin.post(f"{SETTINGS}export").status_code == 403


def test_tabs_lead_only_where_one_may_go(acme: Company, owner: Client, signed_in: Callable[[Any], Client]) -> None:
    reader = signed_in(add_person(acme, "Rita", Role.READ_ONLY).user)
    assert b"API keys" in owner.get(PEOPLE).content
    assert b"API keys" not in reader.get(PEOPLE).content
