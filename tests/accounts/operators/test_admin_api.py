"""`/v1/admin`: operators by their groups, over every company; nobody else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.members import mailing
from accounts.models import AuditEntry, Invitation, Letter, Membership, Tenant, User
from accounts.operators.roles import FINANCE, ROLES, SUPPORT, TELEPHONY
from accounts.signals import agents_imported
from accounts.tenancy import system_access
from common.models import Job
from tests import factories
from tests.accounts.members.test_members import JSON, seats
from tests.assertions import count, rows

CSV = "text/csv"


def operator(name: str, *groups: str, **flags: Any) -> Client:
    user = factories.make_user(name)
    user.is_staff = True
    for flag, value in flags.items():
        setattr(user, flag, value)
    user.save()
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def support(db: None) -> Client:
    return operator("Sally", SUPPORT)


def tn(company: factories.Company) -> str:
    return f"tn_{company.tenant.pk.hex}"


class TestRoles:
    def test_are_data_made_once(self, db: None) -> None:
        assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
        finance = Group.objects.get(name=FINANCE).permissions.values_list("codename", flat=True)
        assert {"view_tenant", "operate_finance", "change_invoice"} <= set(finance)
        assert not {"change_tenant", "change_user", "impersonate_user"} & set(finance)

    @pytest.mark.parametrize("group", [FINANCE, TELEPHONY, ""])
    def test_hold_the_api(self, acme: factories.Company, group: str) -> None:
        client = operator("Otto", group)
        for path in (f"/v1/admin/tenants/{tn(acme)}/suspend", f"/v1/admin/users/us_{acme.agent.pk.hex}/suspend"):
            answer = client.post(path, {"reason": "!"}, content_type=JSON)
            assert (answer.status_code, answer.json()["code"]) == (403, "operator-permission")
        assert client.get("/v1/admin/tenants").status_code == (200 if group else 403)
        assert [t.status for t in rows(Tenant)] == ["trial"]

    def test_nobody_but_operators(self, acme: factories.Company, signed_in: Callable[[Any], Any], api: Any) -> None:
        for client, status in ((signed_in(acme.owner), 403), (api(acme.api_key), 403), (api(None), 401)):
            assert client.get("/v1/admin/tenants").status_code == status


class TestCompanies:
    def test_are_listed_and_searched(self, support: Client, acme: factories.Company, globex: factories.Company) -> None:
        names = [row["name"] for row in support.get("/v1/admin/tenants").json()["results"]]
        assert sorted(names) == ["Acme", "Globex"]
        assert [r["name"] for r in support.get("/v1/admin/tenants?q=GLOB").json()["results"]] == ["Globex"]
        assert support.get("/v1/admin/tenants?status=closed").json()["results"] == []
        assert support.get("/v1/admin/tenants?status=x").status_code == 422

    def test_are_founded_with_an_owner_who_chooses_a_password(self, support: Client) -> None:
        body = {"name": "Umbra", "slug": "umbra", "owner_email": "Una@umbra.example", "owner_name": "Una"}
        first, again = (
            support.post("/v1/admin/tenants", body, content_type=JSON, headers={"Idempotency-Key": "1"}) for _ in "ab"
        )
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        [member] = rows(Membership)
        assert (member.role, count(Letter, email="una@umbra.example", kind="reset")) == ("owner", 1)
        taken = support.post("/v1/admin/tenants", {**body, "owner_email": "b@c.example"}, content_type=JSON)
        assert (taken.status_code, taken.json()["code"]) == (409, "slug-taken")
        assert not User.objects.filter(email="b@c.example").exists()

    def test_are_edited_within_reason(self, support: Client, acme: factories.Company) -> None:
        path = f"/v1/admin/tenants/{tn(acme)}"
        answer = support.patch(path, {"name": "Acme Inc.", "timezone": "Europe/Berlin"}, content_type=JSON)
        assert (answer.status_code, answer.json()["name"]) == (200, "Acme Inc.")
        for wrong in ({"timezone": "Mars"}, {"billing_cycle_day": 32}, {"locale": "tlh"}, {"billing_email": "x"}):
            assert support.patch(path, wrong, content_type=JSON).status_code == 422
        [entry] = rows(AuditEntry, action="tenant.changed")
        assert (entry.actor_kind, entry.changes["name"]) == ("operator", {"from": "Acme", "to": "Acme Inc."})

    def test_are_suspended_and_let_in_again(
        self, support: Client, acme: factories.Company, api: Any, signed_in: Callable[[Any], Any]
    ) -> None:
        bob, key, path = signed_in(acme.agent), api(acme.api_key), f"/v1/admin/tenants/{tn(acme)}"
        for _ in range(2):
            assert support.post(f"{path}/suspend", {"reason": "Fraud"}, content_type=JSON).status_code == 200
        assert (bob.get("/v1/me").status_code, key.get("/v1/me").status_code) == (403, 403)
        assert support.post(f"{path}/reactivate").status_code == 200
        assert (bob.get("/v1/me").status_code, key.get("/v1/me").status_code) == (200, 200)
        assert [e.changes.get("reason") for e in rows(AuditEntry, action="tenant.suspended")] == ["Fraud"]
        assert support.post(f"{path}/close", {"reason": "!"}, content_type=JSON).status_code == 403

    def test_are_closed_by_a_superuser(self, acme: factories.Company, signed_in: Callable[[Any], Any]) -> None:
        root, path = operator("Root", is_superuser=True), f"/v1/admin/tenants/{tn(acme)}"
        assert root.post(f"{path}/close", {"reason": "Gone"}, content_type=JSON).json()["status"] == "closed"
        assert signed_in(acme.owner).get("/v1/me").status_code == 403
        assert root.post(f"{path}/reactivate").json()["status"] == "active"
        assert signed_in(acme.owner).get("/v1/me").status_code == 200


class TestPeople:
    def test_are_suspended_signed_out_and_let_in(
        self, support: Client, acme: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        bob, path = signed_in(acme.agent), f"/v1/admin/users/us_{acme.agent.pk.hex}"
        assert support.post(f"{path}/suspend", {"reason": "!"}, content_type=JSON).json()["is_active"] is False
        assert bob.get("/v1/me").status_code == 401
        assert support.post(f"{path}/reactivate").json()["is_active"] is True
        bob = signed_in(User.objects.get(pk=acme.agent.pk))
        assert support.post(f"{path}/sign-out").status_code == 200
        assert bob.get("/v1/me").status_code == 401
        assert support.post(f"{path}/reset").status_code == 202
        assert count(Letter, email=acme.agent.email, kind="reset") == 1
        found = support.get(f"/v1/admin/users?q={acme.agent.email}").json()["results"]
        assert [m["tenant"]["name"] for m in found[0]["memberships"]] == ["Acme"]

    def test_who_are_operators_are_a_superusers_to_change(self, support: Client) -> None:
        other = factories.make_user("Olga")
        User.objects.filter(pk=other.pk).update(is_staff=True)
        for act in ("suspend", "reset", "sign-out"):
            answer = support.post(f"/v1/admin/users/us_{other.pk.hex}/{act}", {"reason": "!"}, content_type=JSON)
            assert (answer.status_code, answer.json()["code"]) == (403, "operators-only")
        assert User.objects.get(pk=other.pk).is_active


class TestAgents:
    def test_of_every_company_are_listed_in_as_many_queries(
        self, support: Client, acme: factories.Company, globex: factories.Company, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(16):
            found = support.get("/v1/admin/agents?role=agent").json()["results"]
        assert {(row["user"]["name"], row["presence"]) for row in found} == {("Bob", "offline"), ("Mark", "offline")}
        assert len(support.get(f"/v1/admin/agents?tenant={tn(globex)}").json()["results"]) == 3

    def test_are_imported_from_a_file_whole_or_not_at_all(self, support: Client, acme: factories.Company) -> None:
        seats(acme, 5)
        path = f"/v1/admin/agents/import?tenant={tn(acme)}"
        wrong = (
            f"email,role,extension\n{acme.agent.email},agent,\nx,king,1\na@b.example,agent,101\na@b.example,agent,101\n"
        )
        answer = support.post(path, wrong, content_type=CSV)
        assert answer.status_code == 422
        assert {problem["pointer"] for problem in answer.json()["errors"]} == {
            "/rows/1/email", "/rows/2/email", "/rows/2/role", "/rows/2/extension", "/rows/4/email", "/rows/4/extension",
        }  # fmt: skip
        full = "email\n" + "".join(f"p{number}@b.example\n" for number in range(3))
        assert support.post(path, full, content_type=CSV).json()["code"] == "limit-reached"
        assert (count(Invitation), count(Job)) == (0, 0)

    def test_imported_are_invited_one_job_counting(self, support: Client, acme: factories.Company) -> None:
        seats(acme, 5)
        heard: list[Any] = []
        agents_imported.connect(hear := lambda **said: heard.extend(said["invitations"]), weak=False)
        content = "email,name,role,extension\nDana@b.example,Dana,agent,101\neve@b.example,,supervisor,\n"
        try:
            path = f"/v1/admin/agents/import?tenant={tn(acme)}"
            job = support.post(path, content.encode("utf-8-sig"), content_type=CSV).json()
        finally:
            agents_imported.disconnect(hear)
        assert (job["status"], job["total_count"]) == ("waiting", 2)
        assert sorted((i.email, i.role, i.details.get("extension")) for i in heard) == [
            ("dana@b.example", "agent", "101"), ("eve@b.example", "supervisor", None),
        ]  # fmt: skip
        mailing.send_waiting(now=timezone.now())
        after = support.get(f"/v1/admin/agents/import/{job['id']}").json()
        assert (after["status"], after["done_count"]) == ("done", 2)

    @pytest.mark.parametrize(
        "content", [b"\xff\xfe", b"", b"name\nx\n", b"email\n", b'email\n"x', b"email\n\x00@b.c\n"]
    )
    def test_nonsense_is_refused_in_words(self, support: Client, acme: factories.Company, content: bytes) -> None:
        answer = support.post(f"/v1/admin/agents/import?tenant={tn(acme)}", content, content_type=CSV)
        assert (answer.status_code, count(Invitation)) == (422, 0)


class TestActingInACompany:
    def test_shows_what_the_group_allows(self, acme: factories.Company) -> None:
        client = operator("Fred", FINANCE)
        assert client.get(f"/v1/billing/invoices?tenant={tn(acme)}").status_code == 200
        assert client.get(f"/v1/chat/queue?tenant={tn(acme)}").status_code == 403
        assert client.get(f"/v1/members?tenant={tn(acme)}").status_code == 200
        assert client.get("/v1/members?tenant=tn_" + "0" * 32).status_code == 404
        assert client.get("/v1/members").status_code == 403

    def test_is_noted_as_the_operators_own_act(self, support: Client, acme: factories.Company) -> None:
        [bob] = rows(Membership, user=acme.agent)
        path = f"/v1/members/mb_{bob.pk.hex}?tenant={tn(acme)}"
        assert support.patch(path, {"role": "supervisor"}, content_type=JSON).status_code == 200
        [entry] = rows(AuditEntry, action="member.role_changed")
        assert (entry.actor_kind, entry.actor_name) == ("operator", "Sally")

    def test_is_no_members_to_do(
        self, acme: factories.Company, globex: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        found = signed_in(acme.owner).get(f"/v1/members?tenant={tn(globex)}").json()["results"]
        assert "Mallory" not in {row["user"]["name"] for row in found}

    def test_opens_a_suspended_company_too(self, support: Client, acme: factories.Company) -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status="suspended")
        assert support.get(f"/v1/members?tenant={tn(acme)}").status_code == 200
