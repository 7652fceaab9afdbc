"""The pages of signing up and in: what is refused stands beside its field, and nothing typed is lost."""

from typing import Any

import pytest
from django.test import Client

from accounts.identity.models import SignUp
from accounts.models import Tenant, User
from tests import factories
from tests.accounts.identity.helpers import browser, code_of, deliver, enrol, sign_in, token_in
from tests.assertions import count


def login(client: Client, user: User, **more: str) -> Any:
    return client.post("/accounts/login/", {"username": user.email, "password": factories.PASSWORD, **more})


class TestSigningIn:
    def test_leads_where_one_wanted_to_go_on_this_site_alone(self, acme: factories.Company) -> None:
        assert login(Client(), acme.agent, next="/desk/")["Location"] == "/desk/"
        for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
            assert login(Client(), acme.agent, next=elsewhere)["Location"] == "/portal/"

    def test_keeps_the_address_when_the_password_is_wrong(self, acme: factories.Company) -> None:
        answer = Client().post("/accounts/login/", {"username": acme.agent.email, "password": "wrong"})
        assert answer.status_code == 401
        assert acme.agent.email in answer.content.decode()
        assert "do not belong together" in answer.content.decode()

    def test_asks_for_the_code(self, acme: factories.Company) -> None:
        _, secret, _ = enrol(acme.agent)
        client = Client(raise_request_exception=False)
        assert login(client, acme.agent, next="/desk/")["Location"] == "/accounts/login/code/"
        assert client.post("/accounts/login/code/", {"code": "000000"}).status_code == 422
        answer = client.post("/accounts/login/code/", {"code": code_of(secret, ahead=1)})
        assert answer["Location"] == "/desk/"
        assert client.get("/v1/me").status_code == 200

    def test_without_a_password_first_there_is_no_code_to_enter(self, db: None) -> None:
        assert Client().get("/accounts/login/code/")["Location"] == "/accounts/login/"

    def test_gives_the_session_a_new_key(self, acme: factories.Company) -> None:
        enrol(acme.agent)
        client = Client()
        login(client, acme.agent)
        before = client.session.session_key
        client.get("/accounts/login/code/")
        _, _, codes = enrol(acme.owner)
        login(client, acme.owner)
        client.post("/accounts/login/code/", {"code": codes[0]})
        assert client.session.session_key != before

    def test_is_kept_out_of_caches(self, db: None) -> None:
        assert "no-store" in Client().get("/accounts/login/")["Cache-Control"]


class TestOperators:
    @pytest.fixture
    def operator(self, db: None) -> User:
        return User.objects.create_superuser("olivia@example.com", factories.PASSWORD, name="Olivia")

    def test_sign_in_where_everybody_does_second_factor_included(self, operator: User) -> None:
        _, secret, _ = enrol(operator)
        client = Client(raise_request_exception=False)
        refused = client.get("/admin/", follow=True)
        assert refused.redirect_chain[-1][0].startswith("/accounts/login/?next=")
        assert login(client, operator, next="/admin/")["Location"] == "/accounts/login/code/"
        assert client.get("/admin/").status_code == 302
        client.post("/accounts/login/code/", {"code": code_of(secret, ahead=1)})
        assert client.get("/admin/").status_code == 200

    def test_no_password_alone_opens_the_admins_own_door(self, operator: User) -> None:
        enrol(operator)
        client = Client()
        client.post("/admin/login/", {"username": operator.email, "password": factories.PASSWORD})
        assert client.get("/admin/").status_code == 302

    def test_others_are_refused(self, acme: factories.Company) -> None:
        assert browser(acme.owner).get("/admin/login/").status_code == 403

    def test_have_a_security_page_without_a_company(self, operator: User) -> None:
        assert browser(operator).get("/accounts/security/").status_code == 200


class TestSigningUp:
    def test_leads_from_the_form_to_the_first_key(self, db: None) -> None:
        client = Client(raise_request_exception=False)
        form = {"company": "New Bikes", "name": "Nina", "email": "Nina@new.example", "language": "en"}
        assert "on its way" in client.post("/accounts/signup/", form).content.decode()
        [message] = deliver()
        page = f"/accounts/verify/{token_in(message)}/"
        assert "New Bikes" in client.get(page).content.decode()
        assert client.post(page, {"password": "short"}).status_code == 422
        founded = client.post(page, {"password": factories.PASSWORD})
        assert founded.status_code == 201
        assert "irisx_live_" in founded.content.decode()
        assert client.get("/v1/me").json()["tenant"]["name"] == "New Bikes"
        assert client.get(page).status_code == 410
        assert count(Tenant) == 1

    def test_keeps_what_was_typed(self, db: None) -> None:
        answer = Client().post(
            "/accounts/signup/", {"company": "New Bikes", "name": "", "email": "nina", "language": "en"}
        )
        assert answer.status_code == 422
        assert 'value="New Bikes"' in answer.content.decode()
        assert count(SignUp) == 0

    def test_opening_the_link_alone_does_nothing(self, db: None) -> None:
        form = {"company": "New Bikes", "name": "Nina", "email": "nina@new.example", "language": "en"}
        Client().post("/accounts/signup/", form)
        [message] = deliver()
        Client().get(f"/accounts/verify/{token_in(message)}/")
        assert count(Tenant) == 0


class TestAForgottenPassword:
    def test_is_reset_by_the_mailed_link(self, acme: factories.Company) -> None:
        client = Client()
        client.post("/accounts/password/", {"email": acme.owner.email})
        [message] = deliver()
        page = f"/accounts/password/{token_in(message)}/"
        assert client.get(page).status_code == 200
        assert client.post(page, {"password": "staple of many words"})["Location"] == "/accounts/login/"
        assert sign_in(acme.owner, password="staple of many words")
        assert client.get(page).status_code == 410

    def test_shows_the_same_page_for_nobody(self, acme: factories.Company) -> None:
        shown = [
            Client().post("/accounts/password/", {"email": email}).content.decode().replace(email, "")
            for email in (acme.owner.email, "nobody@example.com")
        ]
        assert shown[0] == shown[1]


class TestOnesOwnSecurity:
    def test_a_second_factor_is_turned_on_and_off(self, acme: factories.Company) -> None:
        client, page = browser(acme.agent), "/accounts/security/second-factor/"
        assert client.post(page, {"password": "wrong"}).status_code == 422
        client.post(page, {"password": factories.PASSWORD})
        shown = client.get(page).content.decode()
        assert "<svg" in shown
        secret = shown.split('id="secret" value="')[1].split('"')[0]
        codes = client.post(page, {"code": code_of(secret)}).content.decode()
        assert codes.count("<li>") == 10
        recovery = codes.split("<li>")[1][:8]
        off = client.post(f"{page}off", {"password": factories.PASSWORD, "code": recovery})
        assert off["Location"] == "/accounts/security/"
        acme.agent.refresh_from_db()
        assert acme.agent.second_factor_at is None

    def test_the_password_is_changed(self, acme: factories.Company) -> None:
        client, other = browser(acme.agent), browser(acme.agent)
        path = "/accounts/security/password"
        refused = client.post(path, {"password": "wrong", "new_password": "staple of many words"})
        assert (refused.status_code, "not your password" in refused.content.decode()) == (422, True)
        client.post(path, {"password": factories.PASSWORD, "new_password": "staple of many words"})
        assert (client.get("/v1/me").status_code, other.get("/v1/me").status_code) == (200, 401)

    def test_the_address_is_changed_by_a_click(self, acme: factories.Company) -> None:
        client = browser(acme.agent)
        body = {"password": factories.PASSWORD, "email": "bob@elsewhere.example"}
        assert client.post("/accounts/security/address", body).status_code == 302
        [message] = deliver()
        page = f"/accounts/address/{token_in(message)}/"
        assert client.get(page).status_code == 200
        acme.agent.refresh_from_db()
        assert acme.agent.email != "bob@elsewhere.example"
        client.post(page)
        acme.agent.refresh_from_db()
        assert acme.agent.email == "bob@elsewhere.example"

    def test_sessions_are_ended(self, acme: factories.Company) -> None:
        client, other = browser(acme.agent), browser(acme.agent)
        client.post("/accounts/security/sessions/end")
        assert (client.get("/v1/me").status_code, other.get("/v1/me").status_code) == (200, 401)
        assert client.post("/accounts/security/sessions/end", {"session": "nonsense"}).status_code == 302

    def test_strangers_are_sent_to_sign_in(self, db: None) -> None:
        for path in ("", "second-factor/"):
            assert Client().get(f"/accounts/security/{path}")["Location"].startswith("/accounts/login/")
        for path in ("password", "address", "second-factor/off", "recovery-codes", "sessions/end"):
            assert Client().post(f"/accounts/security/{path}")["Location"].startswith("/accounts/login/")

    def test_posts_need_the_csrf_token(self, acme: factories.Company) -> None:
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        client.force_login(acme.agent)
        assert client.post("/accounts/security/sessions/end").status_code == 403
        assert client.post("/v1/auth/sessions/end-others").status_code == 403
