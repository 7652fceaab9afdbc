"""Who a visitor is: the JWT of the customer's server, and what becomes of what was said before."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.db import connection
from django.utils import timezone

from accounts.tenancy import tenant_scope
from chat.identity import read_identity
from chat.ledgers import ChatEvent, Message
from chat.models import Conversation, Visitor
from common.errors import Invalid
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat, widget_of
from tests.chat.files import picture, upload
from tests.conftest import ApiClient

SECRET = "s" * 64
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "dana-1", "exp": int((NOW + timedelta(hours=1)).timestamp()), **more}


def signed(body: dict[str, Any], *, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(body, secret, algorithm=algorithm)


def token_for(company: factories.Company, **more: Any) -> str:
    expires = timezone.now() + timedelta(hours=1)
    body = {"sub": "dana-1", "name": "Dana Scott", "email": "dana@shop.example", "exp": expires, **more}
    return jwt.encode(body, widget_of(company).identity_secret, algorithm="HS256")


def start(company: factories.Company, **body: Any) -> Any:
    return ApiClient(company.api_key).post(
        "/v1/chat/conversation/start", {"widget_key": widget_of(company).widget_key, **body}
    )


def identify(client: ApiClient, token: str, **more: Any) -> Any:
    return client.patch("/v1/chat/visitor", {"identity_jwt": token, **more}, content_type="application/json")


class TestAJwt:
    def test_says_who_somebody_is(self) -> None:
        token = signed(claims(name="Dana Scott", email="dana@shop.example", attributes={"plan": "gold", "none": None}))
        found = read_identity(token, secret=SECRET, now=NOW)
        assert (found.external_id, found.name, found.email) == ("dana-1", "Dana Scott", "dana@shop.example")
        assert found.attributes == {"plan": "gold"}

    def test_may_be_a_minute_late(self) -> None:
        token = signed(claims(exp=int(NOW.timestamp()) - 59))
        assert read_identity(token, secret=SECRET, now=NOW).external_id == "dana-1"

    @pytest.mark.parametrize(
        "body",
        [
            {"sub": "dana-1"},
            {"exp": int(NOW.timestamp()) + 60},
            claims(sub=""),
            claims(sub="  "),
            claims(sub=7),
            claims(sub="x" * 201),
            claims(exp=int(NOW.timestamp()) - 61),
            claims(exp=int((NOW + timedelta(days=31)).timestamp())),
            claims(exp="soon"),
            claims(exp=True),
            claims(nbf=int((NOW + timedelta(minutes=5)).timestamp())),
            claims(name="x" * 121),
            claims(name="a\0b"),
            claims(name="\ud800"),
            claims(sub="\udfff"),
            claims(attributes={"a": "\ud800"}),
            claims(email="nobody"),
            claims(attributes=[1]),
            claims(attributes={"a": {"b": 1}}),
            claims(attributes={f"a{n}": n for n in range(51)}),
        ],
    )
    def test_is_refused_when_it_says_too_little_or_wrong(self, body: dict[str, Any]) -> None:

        signature = jwt.api_jws.PyJWS().encode(json.dumps(body).encode(), SECRET, algorithm="HS256")
        with pytest.raises(Invalid) as refusal:
            read_identity(signature, secret=SECRET, now=NOW)
        assert [e.pointer for e in refusal.value.errors] == ["/identity_jwt"]

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "..", signed(claims(), secret="t" * 64)])
    def test_is_refused_when_it_is_not_ours(self, token: str) -> None:
        with pytest.raises(Invalid):
            read_identity(token, secret=SECRET, now=NOW)

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS512", "RS256", "ES256"])
    def test_is_refused_under_another_algorithm(self, algorithm: str) -> None:
        body = _part(claims())
        signature = "" if algorithm.lower() == "none" else signed(claims()).rpartition(".")[2]
        with pytest.raises(Invalid):
            read_identity(f"{_part({'alg': algorithm})}.{body}.{signature}", secret=SECRET, now=NOW)
        if algorithm == "HS512":
            with pytest.raises(Invalid):
                read_identity(signed(claims(), algorithm="HS512"), secret=SECRET, now=NOW)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class TestAtTheStart:
    def test_makes_the_visitor_somebody_known(self, acme: factories.Company) -> None:
        answer = start(acme, identity_jwt=token_for(acme, attributes={"plan": "gold"}), visitor_name="Somebody")
        assert answer.status_code == 201, answer.content
        assert answer.json()["visitor"] == {
            "id": answer.json()["visitor_id"],
            "name": "Dana Scott",
            "email": "dana@shop.example",
            "is_verified": True,
            "language": "",
        }
        [visitor] = rows(Visitor)
        assert (visitor.external_id, visitor.attributes) == ("dana-1", {"plan": "gold"})

    def test_the_same_person_goes_on_from_anywhere(self, acme: factories.Company) -> None:
        first = start(acme, identity_jwt=token_for(acme)).json()
        second = start(acme, identity_jwt=token_for(acme))
        assert (second.status_code, second.json()["conversation_id"]) == (200, first["conversation_id"])
        assert count(Visitor) == 1

    def test_another_widgets_secret_is_refused(self, acme: factories.Company, globex: factories.Company) -> None:
        answer = start(acme, identity_jwt=token_for(globex))
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/identity_jwt")
        assert (count(Visitor), count(Conversation)) == (0, 0)

    def test_the_same_id_at_another_company_is_another_person(
        self, acme: factories.Company, globex: factories.Company
    ) -> None:
        start(acme, identity_jwt=token_for(acme))
        start(globex, identity_jwt=token_for(globex))
        assert len({visitor.tenant_id for visitor in rows(Visitor)}) == 2


class TestLater:
    def test_an_unknown_visitor_becomes_the_person(self, chat: Chat) -> None:
        answer = identify(chat.visitor, token_for(chat.company))
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["id"], body["name"], body["is_verified"]) == (chat.visitor_id, "Dana Scott", True)
        assert "visitor_token" not in body
        assert chat.visitor.get("/v1/chat/visitor").json()["name"] == "Dana Scott"

    def test_a_known_persons_conversations_and_the_new_one_come_together(self, chat: Chat, send: Any) -> None:
        known = start(chat.company, identity_jwt=token_for(chat.company)).json()
        ApiClient(known["visitor_token"]).post(f"/v1/chat/conversation/{known['conversation_id']}/close")
        send(chat.visitor, chat, "Hello")
        file = upload(chat.visitor, chat, picture()).json()
        answer = identify(chat.visitor, token_for(chat.company)).json()
        assert answer["id"] == known["visitor_id"]
        me = ApiClient(answer["visitor_token"])
        # What was sent before and got no answer is known again by its id.
        again = send(me, chat, "Hello")
        assert (again.status_code, again.json()["event"]["payload"]["message"]["sender_id"]) == (200, answer["id"])
        assert me.get(f"/v1/chat/attachments/{file['id']}").status_code == 200
        assert count(Message) == 1
        assert {f"vi_{c.visitor_id.hex}" for c in rows(Conversation)} == {answer["id"]}
        assert count(Visitor) == 1
        assert chat.visitor.get("/v1/chat/visitor").status_code == 401

    def test_of_two_open_conversations_the_persons_stays_open(self, chat: Chat) -> None:
        known = start(chat.company, identity_jwt=token_for(chat.company)).json()
        identify(chat.visitor, token_for(chat.company))
        status = {f"cc_{c.pk.hex}": c.status for c in rows(Conversation)}
        assert status == {known["conversation_id"]: "active", chat.conversation_id: "closed"}
        last = max(rows(ChatEvent, conversation_id=chat.key), key=lambda event: event.seq)
        assert (last.type, last.payload["status"], last.payload["by"]) == ("status", "closed", "system")

    def test_another_persons_jwt_leaves_this_ones_conversations(self, chat: Chat) -> None:
        identify(chat.visitor, token_for(chat.company))
        answer = identify(chat.visitor, token_for(chat.company, sub="erin-2", name="Erin", email="erin@shop.example"))
        assert answer.json()["id"] != chat.visitor_id
        erin = ApiClient(answer.json()["visitor_token"])
        assert erin.get(f"/v1/chat/conversation/{chat.conversation_id}/events").status_code == 404
        assert chat.visitor.get(f"/v1/chat/conversation/{chat.conversation_id}/events").status_code == 200

    def test_a_blocked_person_is_refused_as_anybody(self, chat: Chat) -> None:
        known = start(chat.company, identity_jwt=token_for(chat.company)).json()
        chat.agent.post(f"/v1/chat/visitors/{known['visitor_id']}/block")
        answer = identify(chat.visitor, token_for(chat.company))
        assert (answer.status_code, answer.json()["code"]) == (403, "blocked")
        assert start(chat.company, identity_jwt=token_for(chat.company)).status_code == 403
        assert count(Visitor) == 2

    def test_what_it_vouches_for_the_page_cannot_change(self, chat: Chat) -> None:
        token = token_for(chat.company, attributes={"plan": "gold"})
        page = {"name": "Mallory", "email": "m@evil.example", "attributes": {"plan": "diamond", "cart": 3}}
        assert identify(chat.visitor, token, **page).json()["name"] == "Dana Scott"
        chat.visitor.patch("/v1/chat/visitor", page, content_type="application/json")
        start(chat.company, visitor_token=chat.visitor_token, visitor_name="Mallory", visitor_email="m@evil.example")
        [visitor] = rows(Visitor)
        assert (visitor.name, visitor.email) == ("Dana Scott", "dana@shop.example")
        assert visitor.attributes == {"plan": "gold", "cart": 3}

    def test_what_it_does_not_say_the_visitor_may(self, chat: Chat) -> None:
        identify(chat.visitor, token_for(chat.company, email=""), email="dana@home.example")
        assert rows(Visitor)[0].email == "dana@home.example"

    def test_a_wrong_one_changes_nothing(self, chat: Chat) -> None:
        answer = identify(chat.visitor, "a.b.c", name="Mallory")
        assert (answer.status_code, answer.json()["code"]) == (422, "identity-invalid")
        assert rows(Visitor)[0].name == "Dana"


class TestConcurrently:
    def test_identifying_everywhere_at_once_makes_one_person(self, committed_db: None) -> None:
        company = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
        chats = [start_chat(company) for _ in range(6)]
        token = token_for(company)
        jobs: list[Callable[[], Any]] = [lambda chat=chat: identify(chat.visitor, token) for chat in chats]  # type: ignore[misc]

        def run(job: Callable[[], Any]) -> Any:
            try:
                return job()
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(run, jobs))
        assert [answer.status_code for answer in answers] == [200] * 6
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert count(Visitor) == 1
        assert count(Conversation) == 6
        assert count(Conversation, status="active") == 1
        with tenant_scope(company.tenant.pk):
            assert Visitor.objects.for_tenant(company.tenant).get().external_id == "dana-1"
