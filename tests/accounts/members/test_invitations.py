"""Invitations: kept, mailed, followed once, by the person they are for."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.audit import Actor
from accounts.members import invitations, mailing
from accounts.members.invitations import Guest
from accounts.members.mailing import Sent
from accounts.members.services import Chief
from accounts.models import AuditEntry, Invitation, Membership, Tenant, User
from accounts.permissions import Role
from accounts.signals import member_added
from accounts.tenancy import system_access, tenant_scope
from common import mail as door
from common.errors import DomainError, NotFound
from tests import factories
from tests.accounts.members.test_members import JSON, seats
from tests.assertions import count, rows

PATH = "/v1/members/invitations"
DANA = {"email": "Dana@Acme.example", "name": "Dana", "role": "agent"}


@pytest.fixture
def roomy(acme: factories.Company) -> factories.Company:
    seats(acme, 10)
    return acme


@pytest.fixture
def owner(roomy: factories.Company, signed_in: Callable[[Any], Any]) -> Client:
    client: Client = signed_in(roomy.owner)
    return client


def invited(owner: Client, **said: str) -> str:
    """Invite, let the worker mail, and return the link's path."""
    answer = owner.post(PATH, {**DANA, **said}, content_type=JSON)
    assert answer.status_code == 201, answer.content
    return mailed()


def mailed(now: datetime | None = None) -> str:
    assert mailing.send_waiting(now=now or timezone.now()) == Sent(1, 0)
    [link] = re.findall(r"/invitations/[\w-]+/", str(mail.outbox[-1].body))
    return str(link)


class TestInviting:
    def test_keeps_a_place_and_mails_a_link_whose_hash_alone_is_kept(self, owner: Client) -> None:
        link = invited(owner)
        [kept] = rows(Invitation)
        assert (kept.email, kept.role, kept.sent_at is not None) == ("dana@acme.example", "agent", True)
        assert kept.expires_at - kept.created_at == timedelta(days=7)
        assert link.split("/")[2].encode() not in bytes(kept.token_hash or b"")
        assert mail.outbox[-1].to == ["dana@acme.example"]
        assert mail.outbox[-1].subject == "Acme: Alice invites you to IRISX"
        assert mailing.send_waiting(now=timezone.now()) == Sent(0, 0)
        assert owner.get(PATH).json()["results"][0]["status"] == "sent"

    def test_speaks_the_companys_language(self, owner: Client, roomy: factories.Company) -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=roomy.tenant.pk).update(locale="de")
        invited(owner)
        assert mail.outbox[-1].subject == "Acme: Alice lädt Sie zu IRISX ein"

    def test_refuses_members_and_twins(self, owner: Client, roomy: factories.Company) -> None:
        invited(owner)
        for email, code in (("DANA@acme.example", "already-invited"), (roomy.agent.email, "already-member")):
            answer = owner.post(PATH, {**DANA, "email": email}, content_type=JSON)
            assert (answer.status_code, answer.json()["code"]) == (409, code)
        for wrong in ({"role": "king"}, {"email": "x"}, {"name": "x" * 121}, {"role": None}):
            assert owner.post(PATH, {**DANA, **wrong}, content_type=JSON).status_code == 422
        assert count(Invitation) == 1

    def test_keeps_a_seat(self, owner: Client, roomy: factories.Company) -> None:
        seats(roomy, 4)
        invited(owner)
        answer = owner.post(PATH, {**DANA, "email": "eve@acme.example"}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "limit-reached")
        [kept] = rows(Invitation)
        assert owner.delete(f"{PATH}/iv_{kept.pk.hex}").status_code == 204
        assert owner.post(PATH, {**DANA, "email": "eve@acme.example"}, content_type=JSON).status_code == 201

    def test_of_owners_is_for_owners(self, roomy: factories.Company, signed_in: Callable[[Any], Any]) -> None:
        admin = signed_in(factories.add_person(roomy, "Ada", Role.ADMIN).user)
        answer = admin.post(PATH, {**DANA, "role": "owner"}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"], count(Invitation)) == (403, "owners-only", 0)

    def test_again_ends_the_old_link(self, owner: Client, roomy: factories.Company) -> None:
        old = invited(owner)
        [kept] = rows(Invitation)
        assert owner.post(f"{PATH}/iv_{kept.pk.hex}/resend").json()["status"] == "waiting"
        new = mailed()
        assert Client().get(old).status_code == 404
        assert Client().get(new).status_code == 200

    def test_of_another_company_is_not_found(self, owner: Client, globex: factories.Company, api: Any) -> None:
        invited(owner)
        [kept] = rows(Invitation)
        other = api(globex.api_key)
        for act in (other.get, other.delete):
            assert act(f"{PATH}/iv_{kept.pk.hex}").status_code == 404
        assert other.post(f"{PATH}/iv_{kept.pk.hex}/resend").status_code == 404
        assert [row.revoked_at for row in rows(Invitation)] == [None]


class TestMailing:
    def test_what_the_server_does_not_take_is_tried_again(self, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(message: object) -> None:
            raise door.NotSent("no")

        owner.post(PATH, DANA, content_type=JSON)
        now = timezone.now()
        with monkeypatch.context() as patched:
            patched.setattr(door, "send", refuse)
            assert mailing.send_waiting(now=now) == Sent(0, 1)
        assert mailing.send_waiting(now=now + timedelta(minutes=4)) == Sent(0, 0)
        assert mailing.send_waiting(now=now + timedelta(minutes=5)) == Sent(1, 0)

    def test_what_was_taken_back_is_not_mailed(self, owner: Client) -> None:
        made = owner.post(PATH, DANA, content_type=JSON).json()
        owner.delete(f"{PATH}/{made['id']}")
        assert mailing.send_waiting(now=timezone.now()) == Sent(0, 0)


class TestTheLink:
    def test_lets_somebody_new_join_once(self, owner: Client, roomy: factories.Company) -> None:
        link, heard = invited(owner), []
        member_added.connect(hear := lambda **said: heard.append(said["membership"].role), weak=False)
        page, form = Client(), {"name": "Dana D.", "password": factories.PASSWORD}
        try:
            assert b"Choose a password" in page.get(link).content
            assert page.post(link, form).status_code == 302
        finally:
            member_added.disconnect(hear)
        me = page.get("/v1/me").json()
        assert (me["user"]["email"], me["tenant"]["name"], me["role"]) == ("dana@acme.example", "Acme", "agent")
        assert heard == ["agent"]
        assert Client().post(link, form).status_code == 404
        assert [entry.actor_name for entry in rows(AuditEntry, action="invitation.accepted")] == ["Dana D."]

    def test_says_what_is_wrong_with_a_password_and_makes_nobody(self, owner: Client) -> None:
        link = invited(owner)
        answer = Client().post(link, {"name": "", "password": "12345"})
        assert answer.status_code == 422
        answer = Client().post(link, {"name": "Dana", "password": "12345"})
        assert b"too short" in answer.content
        assert not User.objects.filter(email="dana@acme.example").exists()

    def test_sends_somebody_known_to_sign_in_and_back(self, owner: Client) -> None:
        user = factories.make_user("Dana", email="dana@acme.example")
        link, page = invited(owner), Client()
        assert f"/accounts/login/?next={link}".encode() in page.get(link).content
        assert page.post(link, {"name": "x", "password": factories.PASSWORD}).status_code == 200
        assert rows(Membership, user=user) == []
        page.force_login(user)
        assert page.post(link).status_code == 302
        assert [m.role for m in rows(Membership, user=user)] == ["agent"]

    def test_is_of_no_use_to_another_person(self, owner: Client, globex: factories.Company) -> None:
        link, page = invited(owner), Client()
        page.force_login(globex.agent)
        assert b"Sign out, then follow the link again" in page.get(link).content
        assert page.post(link).status_code == 200
        assert rows(Membership, user=globex.agent, tenant__name="Acme") == []

    def test_ends_after_seven_days(self, owner: Client) -> None:
        token = invited(owner).split("/")[2]
        [kept] = rows(Invitation)
        assert invitations.of_token(token, now=kept.expires_at - timedelta(seconds=1)) == kept
        with pytest.raises(NotFound):
            invitations.of_token(token, now=kept.expires_at)

    def test_of_a_suspended_company_opens_nothing(self, owner: Client, roomy: factories.Company) -> None:
        link = invited(owner)
        with system_access("test"):
            Tenant.objects.filter(pk=roomy.tenant.pk).update(status="suspended")
        assert Client().get(link).status_code == 404


def test_a_link_followed_twice_at_once_makes_one_member(committed_db: None) -> None:
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    seats(acme, 10)
    now, user = timezone.now(), factories.make_user("Dana", email="dana@acme.example")
    by = Chief(Actor("user", "Alice", acme.owner.pk), True, acme.owner.pk)
    with tenant_scope(acme.tenant.pk):
        invitations.invite(tenant_id=acme.tenant.pk, guest=Guest(user.email, Role.AGENT), by=by, now=now)
    token, barrier = mailed(now).split("/")[2], Barrier(2)

    def join(_: int) -> str:
        try:
            barrier.wait(10)
            invitations.accept(token=token, user=user, now=now)
            return "joined"
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(join, range(2))) == ["joined", "not-found"]
    assert count(Membership, user=user) == 1


def test_of_guests_who_come_for_the_last_seat_one_gets_it(committed_db: None) -> None:
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    seats(acme, 4)
    now, barrier = timezone.now(), Barrier(4)
    by = Chief(Actor("user", "Alice", acme.owner.pk), True, acme.owner.pk)

    def invite(number: int) -> str:
        try:
            with tenant_scope(acme.tenant.pk):
                barrier.wait(10)
                guest = Guest(f"guest{number}@acme.example", Role.AGENT)
                invitations.invite(tenant_id=acme.tenant.pk, guest=guest, by=by, now=now)
            return "invited"
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(invite, range(4))) == ["invited", *["limit-reached"] * 3]
