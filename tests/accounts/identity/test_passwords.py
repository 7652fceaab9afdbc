"""Passwords and addresses: changed by their owner, reset by who reads the mail, and others' sessions end."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.identity import passwords
from accounts.models import User
from tests import factories
from tests.accounts.identity.helpers import at_once, browser, deliver, enrol, half_sign_in, me, post, sign_in, token_in

NEW = "staple of many words"


def change(token: str, *, password: str = factories.PASSWORD, new: str = NEW) -> Any:
    return post("/v1/auth/password", {"password": password, "new_password": new}, token=token)


def reset_token(user: User) -> str:
    assert post("/v1/auth/password/forgotten", {"email": user.email.upper()}).status_code == 202
    [message] = deliver()
    return token_in(message)


def reset(token: str, password: str = NEW) -> Any:
    return post("/v1/auth/password/reset", {"token": token, "password": password})


class TestChangingAPassword:
    def test_keeps_this_session_and_ends_the_others(self, acme: factories.Company) -> None:
        here, there, desk = sign_in(acme.owner), sign_in(acme.owner), browser(acme.owner)
        assert change(here["access_token"]).status_code == 204
        assert me(here["access_token"]).status_code == 200
        assert post("/v1/auth/refresh", {"refresh_token": here["refresh_token"]}).status_code == 200
        assert [me(there["access_token"]).status_code, desk.get("/v1/me").status_code] == [401, 401]
        assert sign_in(acme.owner, password=NEW)
        assert [message.subject for message in deliver()] == ["Your IRISX password has changed"]

    def test_needs_the_present_one_and_a_good_one(self, acme: factories.Company) -> None:
        access = sign_in(acme.owner)["access_token"]
        for answer, pointer in (
            (change(access, password="x"), "/password"),
            (change(access, new="x"), "/new_password"),
        ):
            assert answer.status_code == 422
            assert {error["pointer"] for error in answer.json()["errors"]} == {pointer}
        assert sign_in(acme.owner)

    def test_is_not_done_by_an_api_key(self, acme: factories.Company) -> None:
        assert change(acme.api_key).status_code == 401


class TestResettingAPassword:
    def test_answers_and_works_alike_for_known_and_unknown_addresses(self, acme: factories.Company) -> None:
        answers, statements = [], []
        for email in (acme.owner.email, "nobody@example.com"):
            with CaptureQueriesContext(connection) as ran:
                answers.append(post("/v1/auth/password/forgotten", {"email": email}))
            statements.append([re.sub(r"'[^']*'|\"s\d+_x\d+\"", "?", query["sql"]) for query in ran.captured_queries])
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        assert statements[0] == statements[1]
        assert len(deliver()) == 1

    def test_works_once_and_signs_out_everywhere(self, acme: factories.Company) -> None:
        access, desk = sign_in(acme.owner)["access_token"], browser(acme.owner)
        token = reset_token(acme.owner)
        assert reset(token).status_code == 204
        assert [me(access).status_code, desk.get("/v1/me").status_code] == [401, 401]
        assert sign_in(acme.owner, password=NEW)
        again = reset(token, "another of many words")
        assert (again.status_code, again.json()["code"]) == (422, "link-ended")
        assert sign_in(acme.owner, password=NEW)

    def test_refuses_a_weak_password_and_the_link_stays_good(self, acme: factories.Company) -> None:
        token = reset_token(acme.owner)
        assert reset(token, "short").status_code == 422
        assert reset(token).status_code == 204

    def test_leaves_the_second_factor(self, acme: factories.Company) -> None:
        enrol(acme.owner)
        deliver()
        assert reset(reset_token(acme.owner)).status_code == 204
        answer = post("/v1/auth/login", {"email": acme.owner.email, "password": NEW})
        assert answer.status_code == 202

    def test_of_a_suspended_person_sends_and_changes_nothing(self, acme: factories.Company) -> None:
        token = reset_token(acme.owner)
        User.objects.filter(pk=acme.owner.pk).update(is_active=False)
        assert reset(token).status_code == 422
        post("/v1/auth/password/forgotten", {"email": acme.owner.email})
        assert deliver() == []

    @pytest.mark.parametrize("token", ["x", "-", "0" * 32 + "-abc", "\0", "é" * 30])
    def test_refuses_nonsense(self, db: None, token: str) -> None:
        assert reset(token).status_code == 422


def test_a_link_used_by_many_at_once_sets_one_password(committed_db: None) -> None:
    owner = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona").owner
    token = passwords.reset_token(owner)
    answers = at_once(
        [lambda number=number: reset(token, f"password number {number}").status_code for number in range(4)]
    )  # type: ignore[misc]
    assert sorted(answers) == [204, 422, 422, 422]
    sign_in(owner, password=f"password number {answers.index(204)}")


class TestChangingAnAddress:
    def ask(self, user: User, email: str) -> list[Any]:
        access = sign_in(user)["access_token"]
        answer = post("/v1/auth/email", {"password": factories.PASSWORD, "email": email}, token=access)
        assert answer.status_code == 202, answer.content
        return deliver()

    def test_happens_once_the_new_one_is_proven(self, acme: factories.Company) -> None:
        former = acme.owner.email
        [message] = self.ask(acme.owner, "Alice@Elsewhere.example")
        assert message.to == ["alice@elsewhere.example"]
        acme.owner.refresh_from_db()
        assert acme.owner.email == former
        token = token_in(message)
        assert post("/v1/auth/email/confirm", {"token": token}).status_code == 204
        acme.owner.refresh_from_db()
        assert acme.owner.email == "alice@elsewhere.example"
        assert [(told.to, told.subject) for told in deliver()] == [([former], "Your IRISX address has changed")]
        assert post("/v1/auth/email/confirm", {"token": token}).status_code == 422

    def test_to_somebody_elses_is_answered_alike_and_never_happens(self, acme: factories.Company) -> None:
        assert self.ask(acme.owner, acme.agent.email) == []

    def test_to_one_taken_meanwhile_is_refused(self, acme: factories.Company) -> None:
        [message] = self.ask(acme.owner, "new@elsewhere.example")
        factories.make_user("Nina", email="new@elsewhere.example")
        answer = post("/v1/auth/email/confirm", {"token": token_in(message)})
        assert (answer.status_code, answer.json()["code"]) == (409, "address-in-use")

    def test_is_void_once_the_password_changed(self, acme: factories.Company) -> None:
        [message] = self.ask(acme.owner, "new@elsewhere.example")
        change(sign_in(acme.owner)["access_token"])
        assert post("/v1/auth/email/confirm", {"token": token_in(message)}).status_code == 422

    def test_voids_links_that_reset_the_password(self, acme: factories.Company) -> None:
        token = reset_token(acme.owner)
        User.objects.filter(pk=acme.owner.pk).update(email="new@elsewhere.example")
        assert reset(token).status_code == 422


def test_a_half_finished_sign_in_ends_with_the_password(acme: factories.Company) -> None:
    _, _, codes = enrol(acme.owner)
    deliver()
    half = half_sign_in(acme.owner)
    assert reset(reset_token(acme.owner)).status_code == 204
    assert post("/v1/auth/login/totp", {"mfa_token": half, "code": codes[0]}).status_code == 401
