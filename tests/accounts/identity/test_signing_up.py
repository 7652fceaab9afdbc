"""Signing up: one answer for every address, everything or nothing once it is proven, and only once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.identity.models import Letter, SignUp
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.signals import tenant_created
from chat.models import Widget
from tests import factories
from tests.accounts.identity.helpers import at_once, deliver, me, post, token_in
from tests.assertions import count, rows
from usage.models import Subscription

WISH = {"email": "Nina@New.example", "name": "Nina", "company": "New Bikes", "timezone": "Europe/Berlin"}


def ask(**more: Any) -> str:
    """Sign up and return the mailed token."""
    assert post("/v1/signup", {**WISH, **more}).status_code == 202
    [message] = deliver()
    return token_in(message)


def verify(token: str, password: str = factories.PASSWORD) -> Any:
    return post("/v1/signup/verify", {"token": token, "password": password})


class TestAsking:
    def test_answers_and_works_alike_for_known_and_unknown_addresses(self, acme: factories.Company) -> None:
        answers, statements = [], []
        for email in ("nobody@new.example", acme.owner.email):
            with CaptureQueriesContext(
                connection,
            ) as ran:
                answers.append(post("/v1/signup", {**WISH, "email": email}))
            statements.append([re.sub(r"'[^']*'|\"s\d+_x\d+\"", "?", query["sql"]) for query in ran.captured_queries])
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        assert statements[0] == statements[1]
        assert mail.outbox == []

    def test_mails_a_known_address_that_it_is_known(self, acme: factories.Company) -> None:
        post("/v1/signup", {**WISH, "email": acme.owner.email.upper()})
        [message] = deliver()
        assert message.to == [acme.owner.email]
        assert "already" in message.subject
        assert "/accounts/verify/" not in message.body

    def test_mails_in_german(self, db: None) -> None:
        post("/v1/signup", {**WISH, "language": "de"})
        [message] = deliver()
        assert message.subject == "Bestätigen Sie Ihre Adresse für New Bikes"
        assert "Guten Tag Nina," in message.body

    @pytest.mark.parametrize(
        ("field", "value"),
        [("email", "nobody"), ("name", ""), ("company", "x" * 121), ("timezone", "Mars/Base"), ("language", "tlh")],
    )
    def test_says_what_is_wrong(self, db: None, field: str, value: str) -> None:
        answer = post("/v1/signup", {**WISH, field: value})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
        assert count(SignUp) == count(Letter) == 0

    def test_mails_nobody_more_than_six_times_an_hour(self, db: None) -> None:
        for _ in range(9):
            assert post("/v1/signup", WISH).status_code == 202
        assert len(deliver()) == 6

    def test_is_limited_by_network(self, db: None) -> None:
        answers = [post("/v1/signup", {**WISH, "email": f"n{number}@new.example"}) for number in range(22)]
        assert answers[0].status_code == 202
        assert (answers[-1].status_code, "Retry-After" in answers[-1]) == (429, True)
        assert post("/v1/signup", WISH, REMOTE_ADDR="192.0.2.7").status_code == 202


class TestVerifying:
    def test_makes_the_trial_with_everything_it_needs(self, db: None) -> None:
        answer = verify(ask())
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert body["user"]["email"] == "nina@new.example"
        [tenant] = rows(Tenant)
        assert (tenant.name, tenant.status, tenant.timezone, tenant.plan) == (
            "New Bikes", Tenant.Status.TRIAL, "Europe/Berlin", "free_trial",
        )  # fmt: skip
        assert [(one.user.email, one.role) for one in rows(Membership)] == [("nina@new.example", "owner")]
        assert (count(Widget), count(ApiKey), count(Subscription)) == (1, 1, 1)

    def test_signs_in_and_shows_the_first_key(self, db: None) -> None:
        body = verify(ask()).json()
        assert me(body["api_key"]).json()["kind"] == "api_key"
        assert me(body["access_token"]).json()["user"]["email"] == "nina@new.example"

    def test_welcomes(self, db: None, django_capture_on_commit_callbacks: Any) -> None:
        token = ask(language="de")
        with django_capture_on_commit_callbacks(execute=True):
            verify(token)
        assert [message.subject for message in mail.outbox[1:]] == ["Willkommen bei IRISX, New Bikes"]

    def test_happens_once(self, db: None) -> None:
        token = ask()
        assert [verify(token).status_code, verify(token).status_code] == [201, 409]
        assert (count(Tenant), count(ApiKey)) == (1, 1)

    def test_refuses_a_weak_password_and_the_link_stays_good(self, db: None) -> None:
        token = ask()
        answer = verify(token, "password")
        assert answer.status_code == 422
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/password"}
        assert (count(Tenant), count(User)) == (0, 0)
        assert verify(token).status_code == 201

    def test_refuses_a_forged_link(self, db: None) -> None:
        token = ask()
        answer = verify(token[:-2] + ("aa" if token[-2:] != "aa" else "bb"))
        assert (answer.status_code, answer.json()["code"]) == (422, "link-ended")
        assert count(Tenant) == 0

    def test_refuses_a_link_of_yesterday(self, db: None) -> None:
        token = ask()
        SignUp.objects.update(created_at=timezone.now() - timedelta(hours=25))
        assert verify(token).status_code == 422
        assert count(Tenant) == 0

    def test_of_two_sign_ups_of_one_address_makes_one(self, db: None) -> None:
        first, second = ask(), ask()
        assert verify(first).status_code == 201
        answer = verify(second)
        assert (answer.status_code, answer.json()["code"]) == (409, "already-registered")
        assert (count(Tenant), count(User)) == (1, 1)

    def test_gives_two_companies_of_one_name_short_names_of_their_own(self, db: None) -> None:
        for email in ("a@new.example", "b@new.example"):
            assert verify(ask(email=email)).status_code == 201
        first, second = (tenant.slug for tenant in rows(Tenant))
        assert first == "new-bikes"
        assert re.fullmatch(r"new-bikes-[0-9a-f]{8}", second)


def test_a_failure_on_the_way_leaves_nothing(committed_db: None) -> None:
    def refuse(**kwargs: Any) -> None:
        raise RuntimeError("no")

    token = ask()
    tenant_created.connect(refuse)
    try:
        assert verify(token).status_code == 500
    finally:
        tenant_created.disconnect(refuse)
    assert (count(Tenant), count(User), count(ApiKey), count(Widget)) == (0, 0, 0, 0)
    assert [one.verified_at for one in rows(SignUp)] == [None]
    assert verify(token).status_code == 201


def test_many_at_once_make_one_company(committed_db: None) -> None:
    token = ask()
    answers = at_once([lambda: verify(token).status_code] * 4)
    assert sorted(answers) == [201, 409, 409, 409]
    assert (count(Tenant), count(User), count(ApiKey)) == (1, 1, 1)
