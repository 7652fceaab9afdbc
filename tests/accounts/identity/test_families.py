"""Tokens of API users: short, rotated, and all of them ended by the second use of one."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session

from accounts.identity.models import SignIn
from accounts.models import Tenant, User
from accounts.permissions import Role
from accounts.services import add_member
from accounts.tenancy import system_access, tenant_scope
from tests import factories
from tests.accounts.identity.helpers import at_once, enrol, half_sign_in, me, post, sign_in
from tests.assertions import count
from tests.conftest import ApiClient

Tokens = dict[str, Any]


def refresh(tokens: Tokens) -> Any:
    return post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})


@pytest.fixture
def tokens(acme: factories.Company) -> Tokens:
    return sign_in(acme.owner)


class TestAnAccessToken:
    def test_opens_the_api_and_sets_no_cookie(self, tokens: Tokens, acme: factories.Company) -> None:
        answer = me(tokens["access_token"])
        assert (answer.status_code, answer.json()["user"]["email"]) == (200, acme.owner.email)
        assert answer.cookies == {}

    def test_lives_five_minutes(self, tokens: Tokens) -> None:
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 300

    def test_is_not_taken_once_it_expired(self, tokens: Tokens) -> None:
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        old = {**claims, "exp": claims["iat"] - 1}
        assert me(jwt.encode(old, settings.HEADLESS_JWT_PRIVATE_KEY, "HS256")).status_code == 401

    def test_signed_by_nothing_or_another_key_is_refused(self, tokens: Tokens) -> None:
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        for forged in (jwt.encode(claims, "", "none"), jwt.encode(claims, "x" * 32, "HS256")):
            assert me(forged).status_code == 401

    def test_is_no_refresh_token(self, tokens: Tokens) -> None:
        assert refresh({"refresh_token": tokens["access_token"]}).status_code == 401
        assert me(tokens["access_token"]).status_code == 200

    def test_ends_at_once_with_its_person(self, tokens: Tokens, acme: factories.Company) -> None:
        User.objects.filter(pk=acme.owner.pk).update(is_active=False)
        assert me(tokens["access_token"]).status_code == 401
        assert refresh(tokens).status_code == 401

    def test_ends_at_once_when_its_person_is_signed_out_everywhere(
        self, tokens: Tokens, acme: factories.Company
    ) -> None:
        User.objects.filter(pk=acme.owner.pk).update(auth_version=2)
        assert me(tokens["access_token"]).status_code == 401
        assert refresh(tokens).status_code == 401

    def test_is_stopped_by_a_suspended_company(self, tokens: Tokens, acme: factories.Company) -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status=Tenant.Status.SUSPENDED)
        answer = me(tokens["access_token"])
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant-suspended")

    def test_acts_in_the_company_its_person_chose_and_so_does_the_next(
        self, tokens: Tokens, acme: factories.Company, globex: factories.Company
    ) -> None:
        with tenant_scope(globex.tenant.pk):
            add_member(tenant_id=globex.tenant.pk, user=acme.owner, role=Role.FINANCE)
        client = ApiClient(tokens["access_token"])
        assert client.post("/v1/me", {"tenant": f"tn_{globex.tenant.pk.hex}"}).json()["role"] == "finance"
        assert me(tokens["access_token"]).json()["tenant"]["name"] == "Globex"
        assert me(refresh(tokens).json()["access_token"]).json()["tenant"]["name"] == "Globex"


@pytest.mark.parametrize("kind", ["refresh", "half"])
def test_no_other_token_works_as_an_access_token(acme: factories.Company, kind: str) -> None:
    tokens = sign_in(acme.agent)
    if kind == "half":
        enrol(acme.agent)
    text = tokens["refresh_token"] if kind == "refresh" else half_sign_in(acme.agent)
    for path in ("/v1/me", "/v1/auth/totp", "/v1/auth/sessions"):
        assert ApiClient(text).get(path).status_code == 401, path


class TestARefreshToken:
    def test_gives_new_tokens(self, tokens: Tokens) -> None:
        answer = refresh(tokens)
        assert answer.status_code == 200
        fresh = answer.json()
        assert fresh["refresh_token"] != tokens["refresh_token"]
        assert me(fresh["access_token"]).status_code == 200
        assert refresh(fresh).status_code == 200

    def test_of_a_signed_out_family_is_refused(self, tokens: Tokens) -> None:
        assert post("/v1/auth/logout", {"refresh_token": tokens["refresh_token"]}).status_code == 204
        assert refresh(tokens).status_code == 401
        assert me(tokens["access_token"]).status_code == 401

    @pytest.mark.parametrize("text", ["", "a.b.c", "é.é.é", "irisx_live_x", "x" * 3000])
    def test_of_another_kind_is_refused(self, db: None, text: str) -> None:
        assert refresh({"refresh_token": text}).status_code in {401, 422}


class TestSigningOut:
    def test_works_with_an_access_token(self, tokens: Tokens) -> None:
        assert ApiClient(tokens["access_token"]).post("/v1/auth/logout").status_code == 204
        assert me(tokens["access_token"]).status_code == 401

    def test_answers_alike_whatever_the_token(self, db: None) -> None:
        assert post("/v1/auth/logout", {"refresh_token": "a.b.c"}).status_code == 204
        assert ApiClient("a.b.c").post("/v1/auth/logout").status_code == 204

    def test_leaves_other_families_alone(self, tokens: Tokens, acme: factories.Company) -> None:
        other = sign_in(acme.owner)
        post("/v1/auth/logout", {"refresh_token": tokens["refresh_token"]})
        assert me(other["access_token"]).status_code == 200


@pytest.fixture
def stored(committed_db: None) -> User:
    return factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona").owner


def test_a_spent_refresh_token_ends_the_family_for_good(stored: User) -> None:
    first = sign_in(stored)
    other = sign_in(stored)
    second = refresh(first).json()
    assert me(second["access_token"]).status_code == 200
    answer = refresh(first)
    assert (answer.status_code, answer.json()["code"]) == (401, "token-ended")
    assert answer["Content-Type"].startswith("application/problem+json")
    assert [me(second["access_token"]).status_code, refresh(second).status_code] == [401, 401]
    assert me(other["access_token"]).status_code == 200
    assert (count(SignIn), Session.objects.count()) == (1, 1)


def test_a_refresh_token_used_by_many_at_once_serves_one_at_most_and_ends_the_family(stored: User) -> None:
    tokens = sign_in(stored)
    jobs: list[Callable[[], Any]] = [lambda: refresh(tokens)] * 4
    answers = at_once(jobs)
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    [served] = [answer.json() for answer in answers if answer.status_code == 200]
    assert me(served["access_token"]).status_code == 401
