"""Members of a company: who may change whom, the last owner, seats."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from accounts.audit import Actor
from accounts.members import services
from accounts.members.services import Chief
from accounts.models import AgentPresence, AuditEntry, Membership, Tenant
from accounts.permissions import Role
from accounts.presence import services as presence
from accounts.signals import member_added, member_left
from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError
from tests import factories
from tests.assertions import rows

JSON = "application/json"


def id_of(user: Any) -> str:
    [member] = rows(Membership, user=user)
    return f"mb_{member.pk.hex}"


@pytest.fixture
def roomy(acme: factories.Company) -> factories.Company:
    seats(acme, 10)
    return acme


def seats(company: factories.Company, most: int | None) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(limits={"seats": most})


class TestTheList:
    def test_shows_the_company_alone(
        self, acme: factories.Company, globex: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        found = signed_in(acme.owner).get("/v1/members").json()["results"]
        assert {row["user"]["name"] for row in found} == {"Alice", "Bob", "Fiona"}

    def test_filters_by_role_and_standing(self, acme: factories.Company, signed_in: Callable[[Any], Any]) -> None:
        client = signed_in(acme.owner)
        assert [r["user"]["name"] for r in client.get("/v1/members?role=agent").json()["results"]] == ["Bob"]
        assert client.get("/v1/members?is_active=false").json()["results"] == []
        assert client.get("/v1/members?role=king").status_code == 422

    def test_takes_one_query_whatever_its_length(
        self, roomy: factories.Company, signed_in: Callable[[Any], Any], django_assert_max_num_queries: Any
    ) -> None:
        client = signed_in(roomy.owner)
        client.get("/v1/members")
        for number in range(5):
            factories.add_person(roomy, f"P{number}", Role.AGENT)
        with django_assert_max_num_queries(12):
            assert len(client.get("/v1/members").json()["results"]) == 8


class TestARole:
    def test_is_changed_and_noted(self, acme: factories.Company, signed_in: Callable[[Any], Any]) -> None:
        path = f"/v1/members/{id_of(acme.agent)}"
        answer = signed_in(acme.owner).patch(path, {"role": "supervisor"}, content_type=JSON)
        assert (answer.status_code, answer.json()["role"]) == (200, "supervisor")
        [entry] = rows(AuditEntry, action="member.role_changed")
        assert (entry.actor_name, entry.changes["role"]) == ("Alice", {"from": "agent", "to": "supervisor"})

    def test_of_an_owner_is_no_admins_to_give_or_take(
        self, roomy: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        admin = factories.add_person(roomy, "Ada", Role.ADMIN)
        client = signed_in(admin.user)
        for target, role in ((roomy.agent, "owner"), (roomy.owner, "agent"), (admin.user, "owner")):
            answer = client.patch(f"/v1/members/{id_of(target)}", {"role": role}, content_type=JSON)
            assert (answer.status_code, answer.json()["code"]) == (403, "owners-only")
        for act in ("suspend", "reactivate"):
            answer = client.post(f"/v1/members/{id_of(roomy.owner)}/{act}")
            assert answer.status_code in ({403} if act == "suspend" else {200})
        assert client.delete(f"/v1/members/{id_of(roomy.owner)}").status_code == 403
        assert {m.role for m in rows(Membership, user=roomy.owner)} == {"owner"}

    def test_of_the_last_owner_stays(self, acme: factories.Company, signed_in: Callable[[Any], Any]) -> None:
        client, path = signed_in(acme.owner), f"/v1/members/{id_of(acme.owner)}"
        for answer in (client.patch(path, {"role": "admin"}, content_type=JSON), client.delete(path)):
            assert (answer.status_code, answer.json()["code"]) == (409, "last-owner")
        assert client.post(f"{path}/suspend").json()["code"] == "yourself"
        assert [m.is_active for m in rows(Membership, user=acme.owner)] == [True]

    def test_of_a_foreign_member_is_not_found(
        self, acme: factories.Company, globex: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        path = f"/v1/members/{id_of(globex.agent)}"
        assert signed_in(acme.owner).patch(path, {"role": "admin"}, content_type=JSON).status_code == 404
        assert [m.role for m in rows(Membership, user=globex.agent)] == ["agent"]

    def test_an_api_key_makes_no_owners(self, acme: factories.Company, api: Any) -> None:
        path = f"/v1/members/{id_of(acme.agent)}"
        answer = api(acme.api_key).patch(path, {"role": "owner"}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (403, "owners-only")


class TestSuspending:
    def test_shuts_out_at_once_and_frees_the_seat(
        self, acme: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        seats(acme, 3)
        with tenant_scope(acme.tenant.pk):
            presence.choose_status(tenant_id=acme.tenant.pk, user_id=acme.agent.pk, status="online", now=factories.NOW)
        heard: list[Any] = []
        member_left.connect(hear := lambda **said: heard.append(said["user_id"]), weak=False)
        owner, bob, path = signed_in(acme.owner), signed_in(acme.agent), f"/v1/members/{id_of(acme.agent)}"
        try:
            assert owner.post(f"{path}/suspend").status_code == 200
            assert owner.post(f"{path}/suspend").status_code == 200
        finally:
            member_left.disconnect(hear)
        assert bob.get("/v1/me").status_code == 403
        assert heard == [acme.agent.pk]
        assert [row.status for row in rows(AgentPresence)] == ["offline"]
        assert len(rows(AuditEntry, action="member.suspended")) == 1
        factories.add_person(acme, "Eve", Role.AGENT)
        assert owner.post(f"{path}/reactivate").json()["code"] == "limit-reached"
        seats(acme, None)
        assert owner.post(f"{path}/reactivate").status_code == 200
        assert bob.get("/v1/me").status_code == 200


class TestRemoving:
    def test_takes_the_member_out_and_keeps_the_person(
        self, acme: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        path = f"/v1/members/{id_of(acme.agent)}"
        assert signed_in(acme.owner).delete(path).status_code == 204
        assert rows(Membership, user=acme.agent) == []
        acme.agent.refresh_from_db()
        assert signed_in(acme.agent).get("/v1/me").status_code == 403

    def test_anybody_who_manages_members_may_leave(
        self, roomy: factories.Company, signed_in: Callable[[Any], Any]
    ) -> None:
        second = factories.add_person(roomy, "Olga", Role.OWNER)
        assert signed_in(roomy.owner).delete(f"/v1/members/{id_of(roomy.owner)}").status_code == 204
        assert signed_in(second.user).delete(f"/v1/members/{id_of(second.user)}").json()["code"] == "last-owner"


def test_two_owners_who_step_down_at_once_leave_one(committed_db: None) -> None:
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    other = factories.add_person(acme, "Olga", Role.OWNER)
    [alice] = rows(Membership, user=acme.owner)
    barrier = Barrier(2)

    def step_down(member: Membership) -> str:
        by = Chief(Actor("user", "x", member.user_id), True, member.user_id)
        try:
            with tenant_scope(acme.tenant.pk):
                barrier.wait(10)
                services.change_role(tenant_id=acme.tenant.pk, member_id=member.pk, role=Role.AGENT, by=by)
            return "done"
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(step_down, [alice, other]))
    assert outcomes == ["done", "last-owner"]
    assert len(rows(Membership, tenant=acme.tenant, role="owner")) == 1


def test_who_joins_is_told_of_whichever_way(db: None) -> None:
    heard: list[Any] = []
    member_added.connect(hear := lambda **said: heard.append((said["membership"].role, said["details"])), weak=False)
    try:
        factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    finally:
        member_added.disconnect(hear)
    assert heard == [("owner", {}), ("agent", {}), ("finance", {})]
