"""Signing in: nobody learns who has an account, and nobody is locked out by others' tries."""

import statistics
import time
from typing import Any

import pytest
from django.conf import settings as django_settings

from accounts.models import Membership, Tenant, User
from accounts.tenancy import system_access
from tests import factories
from tests.accounts.identity.helpers import browser, code_of, enrol, half_sign_in, me, post, sign_in
from tests.assertions import rows

HERE, THERE = "192.0.2.1", "198.51.100.9"


def try_in(email: str, password: str = "wrong", **extra: Any) -> Any:
    return post("/v1/auth/login", {"email": email, "password": password}, **extra)


class TestAPassword:
    def test_is_taken_whatever_the_addresss_capitals(self, acme: factories.Company) -> None:
        assert try_in(f" {acme.owner.email.upper()} ", factories.PASSWORD).status_code == 200

    def test_is_refused_alike_for_known_unknown_and_suspended(self, acme: factories.Company) -> None:
        User.objects.filter(pk=acme.agent.pk).update(is_active=False)
        answers = [
            try_in("nobody@example.com"),
            try_in(acme.owner.email),
            try_in(acme.agent.email, factories.PASSWORD),
        ]
        assert [answer.status_code for answer in answers] == [401] * 3
        bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
        assert bodies[0] == bodies[1] == bodies[2]

    def test_takes_as_long_for_an_unknown_address(self, acme: factories.Company, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
        acme.owner.set_password(factories.PASSWORD)
        acme.owner.save()
        taken: dict[str, list[float]] = {acme.owner.email: [], "nobody@example.com": []}
        for _ in range(4):
            for email, seconds in taken.items():
                began = time.perf_counter()
                try_in(email, REMOTE_ADDR=HERE)
                seconds.append(time.perf_counter() - began)
        known, unknown = (statistics.median(seconds) for seconds in taken.values())
        # One hash each, some 100 ms: without it an unknown address is answered in a few.
        assert 0.4 < unknown / known < 2.5

    def test_with_a_nul_is_refused_in_words(self, db: None) -> None:
        assert try_in("a\0@example.com", "x\0").status_code == 422


class TestTooManyTries:
    def test_are_stopped_for_one_account_from_one_network(self, acme: factories.Company) -> None:
        answers = [try_in(acme.owner.email, REMOTE_ADDR=HERE) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert int(answers[-1]["Retry-After"]) > 0
        assert try_in(acme.owner.email, factories.PASSWORD, REMOTE_ADDR=HERE).status_code == 429

    def test_lock_out_neither_the_owner_elsewhere_nor_others_here(self, acme: factories.Company) -> None:
        for _ in range(11):
            try_in(acme.owner.email, REMOTE_ADDR=HERE)
        assert try_in(acme.owner.email, factories.PASSWORD, REMOTE_ADDR=THERE).status_code == 200
        assert try_in(acme.agent.email, factories.PASSWORD, REMOTE_ADDR=HERE).status_code == 200

    def test_at_a_code_do_not_lock_the_owner_out_of_their_own_network(self, acme: factories.Company) -> None:
        _, secret, _ = enrol(acme.owner)  # from 127.0.0.1, known from now on
        half = half_sign_in(acme.owner)
        strange = [
            post("/v1/auth/login/totp", {"mfa_token": half, "code": "000000"}, REMOTE_ADDR=f"203.0.113.{number}")
            for number in range(21)
        ]
        assert [answer.status_code for answer in strange] == [422] * 20 + [429]
        code = code_of(secret, ahead=1)
        assert post("/v1/auth/login/totp", {"mfa_token": half, "code": code}).status_code == 200


class TestRights:
    def test_of_a_suspended_member_end_at_once(self, acme: factories.Company) -> None:
        access = sign_in(acme.agent)["access_token"]
        desk = browser(acme.agent)
        assert (me(access).status_code, desk.get("/v1/me").status_code) == (200, 200)
        with system_access("test"):
            Membership.unscoped.filter(user=acme.agent).update(is_active=False)
        assert (me(access).status_code, desk.get("/v1/me").status_code) == (403, 403)

    def test_end_for_every_browser_when_the_version_is_raised(self, acme: factories.Company) -> None:
        desk = browser(acme.agent)
        User.objects.filter(pk=acme.agent.pk).update(auth_version=2)
        assert desk.get("/v1/me").status_code == 401


class TestACompanyThatAsksForASecondFactor:
    @pytest.fixture
    def strict(self, acme: factories.Company) -> factories.Company:
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(settings={"require_mfa": True})
        return acme

    def test_lets_nobody_in_without_one_by_any_door(self, strict: factories.Company) -> None:
        access, desk = sign_in(strict.agent)["access_token"], browser(strict.agent)
        for answer in (me(access), desk.get("/v1/me"), desk.post("/v1/auth/ticket")):
            assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-needed")
        page = desk.get("/desk/")
        assert (page.status_code, page["Location"]) == (302, "/accounts/security/")
        assert desk.get("/accounts/security/").status_code == 200

    def test_lets_in_who_turned_one_on(self, strict: factories.Company) -> None:
        access, *_ = enrol(strict.agent)
        assert me(access).status_code == 200

    def test_still_takes_its_api_keys(self, strict: factories.Company) -> None:
        assert me(strict.api_key).status_code == 200


def test_sessions_are_the_databases_own() -> None:
    assert django_settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"


def test_memberships_are_untouched_by_signing_in(acme: factories.Company) -> None:
    before = [row.pk for row in rows(Membership)]
    sign_in(acme.owner)
    assert [row.pk for row in rows(Membership)] == before
