"""The second factor: each code once, sealed at rest, asked for at every door."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import User
from tests import factories
from tests.accounts.identity.helpers import at_once, browser, code_of, deliver, enrol, half_sign_in, me, post, sign_in
from tests.conftest import ApiClient


def finish(half: str, code: str) -> int:
    return int(post("/v1/auth/login/totp", {"mfa_token": half, "code": code}).status_code)


class TestTurningItOn:
    def test_needs_the_password_and_a_right_code(self, acme: factories.Company) -> None:
        access = sign_in(acme.owner)["access_token"]
        assert post("/v1/auth/totp", {"password": "wrong"}, token=access).status_code == 422
        assert post("/v1/auth/totp/confirm", {"code": "000000"}, token=access).status_code == 409
        secret = post("/v1/auth/totp", {"password": factories.PASSWORD}, token=access).json()["secret"]
        wrong = "000000" if code_of(secret) != "000000" else "000001"
        assert post("/v1/auth/totp/confirm", {"code": wrong}, token=access).status_code == 422
        assert ApiClient(access).get("/v1/auth/totp").json()["is_on"] is False
        assert post("/v1/auth/totp/confirm", {"code": code_of(secret)}, token=access).status_code == 200

    def test_gives_ten_recovery_codes_and_tells_by_mail(self, acme: factories.Company) -> None:
        access, _, codes = enrol(acme.owner)
        assert len(set(codes)) == 10
        shown = ApiClient(access).get("/v1/auth/totp").json()
        assert (shown["is_on"], shown["recovery_codes_left"]) == (True, 10)
        assert [message.subject for message in deliver()] == ["Two-step sign-in is on"]

    def test_ends_the_other_sessions(self, acme: factories.Company) -> None:
        other, desk = sign_in(acme.owner), browser(acme.owner)
        access, *_ = enrol(acme.owner)
        assert me(access).status_code == 200
        assert (me(other["access_token"]).status_code, desk.get("/v1/me").status_code) == (401, 401)

    def test_twice_is_refused(self, acme: factories.Company) -> None:
        access, *_ = enrol(acme.owner)
        assert post("/v1/auth/totp", {"password": factories.PASSWORD}, token=access).status_code == 409

    def test_keeps_nothing_readable(self, acme: factories.Company) -> None:
        _, secret, codes = enrol(acme.owner)
        stored = str(list(Authenticator.objects.values_list("data", flat=True)))
        assert secret not in stored
        assert not any(code in stored for code in codes)


class TestSigningInWithIt:
    def test_takes_a_code_of_the_app(self, acme: factories.Company) -> None:
        _, secret, _ = enrol(acme.owner)
        half = half_sign_in(acme.owner)
        answer = post("/v1/auth/login/totp", {"mfa_token": half, "code": code_of(secret, ahead=1)})
        assert me(answer.json()["access_token"]).status_code == 200

    def test_refuses_the_code_that_was_used(self, acme: factories.Company) -> None:
        _, secret, _ = enrol(acme.owner)
        assert finish(half_sign_in(acme.owner), code_of(secret, ahead=-1)) == 422
        code = code_of(secret, ahead=1)
        assert finish(half_sign_in(acme.owner), code) == 200
        assert finish(half_sign_in(acme.owner), code) == 422

    def test_takes_each_recovery_code_once(self, acme: factories.Company) -> None:
        access, _, codes = enrol(acme.owner)
        assert finish(half_sign_in(acme.owner), f" {codes[0][:4]}-{codes[0][4:]} ") == 200
        assert finish(half_sign_in(acme.owner), codes[0]) == 422
        assert ApiClient(access).get("/v1/auth/totp").json()["recovery_codes_left"] == 9

    @pytest.mark.parametrize("code", ["", "abcdef", "１２３４５６", "0" * 32, "12345"])
    def test_refuses_nonsense(self, acme: factories.Company, code: str) -> None:
        enrol(acme.owner)
        assert finish(half_sign_in(acme.owner), code) == 422

    def test_begins_again_once_the_password_changed(self, acme: factories.Company) -> None:
        _, secret, _ = enrol(acme.owner)
        half = half_sign_in(acme.owner)
        User.objects.filter(pk=acme.owner.pk).update(auth_version=9)
        assert finish(half, code_of(secret, ahead=1)) == 401

    def test_is_not_possible_by_half(self, acme: factories.Company) -> None:
        enrol(acme.owner)
        client = Client(raise_request_exception=False)
        page = client.post("/accounts/login/", {"username": acme.owner.email, "password": factories.PASSWORD})
        assert page["Location"] == "/accounts/login/code/"
        assert client.get("/v1/me").status_code == 401
        assert client.get("/portal/")["Location"].startswith("/accounts/login/")
        assert client.get("/accounts/security/")["Location"].startswith("/accounts/login/")


class TestTurningItOff:
    def test_needs_password_and_code(self, acme: factories.Company) -> None:
        access, _, codes = enrol(acme.owner)
        path = "/v1/auth/totp/disable"
        assert post(path, {"password": factories.PASSWORD, "code": "x"}, token=access).status_code == 422
        assert post(path, {"password": "wrong", "code": codes[0]}, token=access).status_code == 422
        assert post(path, {"password": factories.PASSWORD, "code": codes[0]}, token=access).status_code == 204
        assert sign_in(acme.owner)["access_token"]
        assert Authenticator.objects.count() == 0

    def test_new_recovery_codes_void_the_old(self, acme: factories.Company) -> None:
        access, secret, codes = enrol(acme.owner)
        body = {"password": factories.PASSWORD, "code": code_of(secret, ahead=1)}
        fresh = post("/v1/auth/totp/recovery-codes", body, token=access).json()["recovery_codes"]
        assert set(fresh).isdisjoint(codes)
        assert finish(half_sign_in(acme.owner), codes[0]) == 422
        assert finish(half_sign_in(acme.owner), fresh[0]) == 200


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_code_used_by_many_at_once_signs_one_in(committed_db: None, kind: str) -> None:
    owner = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona").owner
    _, secret, codes = enrol(owner)
    half = half_sign_in(owner)
    code = code_of(secret, ahead=1) if kind == "app" else codes[3]
    assert sorted(at_once([lambda: finish(half, code)] * 4)) == [200, 422, 422, 422]
