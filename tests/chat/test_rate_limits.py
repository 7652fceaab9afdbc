"""How much visitors, widgets' pages and addresses may ask; agents and keys are not counted."""

from typing import Any
from uuid import uuid4

import pytest

from chat import limits
from chat.ledgers import Message
from chat.models import Attachment, Conversation, Visitor
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, widget_of
from tests.chat.files import picture, upload
from tests.conftest import ApiClient


@pytest.fixture
def tight(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody do everything twice, and a third time after ten minutes."""
    settings.IRISX_RATE_LIMITS = dict.fromkeys(settings.IRISX_RATE_LIMITS, (2, 1))
    monkeypatch.setattr("common.ratelimit.PREFIX", f"irisx:limit:{uuid4().hex}:")


def start(company: factories.Company, address: str) -> Any:
    key = widget_of(company).widget_key
    look = ApiClient().get(f"/v1/chat/widget/{key}", headers={"Origin": "https://shop.example"}).json()
    body = {"widget_key": key, "embed_token": look["embed_token"]}
    return ApiClient().post("/v1/chat/conversation/start", body, REMOTE_ADDR=address)


def test_a_busy_visitor_is_not_hit(chat: Chat, send: Any) -> None:
    assert {send(chat.visitor, chat, f"line {n}", f"m{n}").status_code for n in range(20)} == {201}


def test_a_visitors_flood_is(tight: None, chat: Chat, send: Any) -> None:
    assert [send(chat.visitor, chat, "x", f"m{n}").status_code for n in range(3)] == [201, 201, 429]
    answer = send(chat.visitor, chat, "x", "m9")
    assert (answer["Content-Type"], answer.json()["code"]) == ("application/problem+json", "too-many")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer.json()["retry_after_seconds"] == int(answer["Retry-After"])
    assert count(Message) == 2


def test_agents_and_keys_are_not_counted(tight: None, chat: Chat, send: Any) -> None:
    assert {send(chat.agent, chat, "x", f"m{n}").status_code for n in range(6)} == {201}
    assert {upload(chat.agent, chat, picture()).status_code for _ in range(4)} == {201}


def test_uploads_and_changes_are_counted(tight: None, chat: Chat) -> None:
    assert [upload(chat.visitor, chat, picture()).status_code for _ in range(3)] == [201, 201, 429]
    assert count(Attachment) == 2
    answers = [
        chat.visitor.patch("/v1/chat/visitor", {"name": f"Dana {n}"}, content_type="application/json") for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_ratings_and_exports_are_counted(tight: None, chat: Chat) -> None:
    chat.visitor.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
    path = f"/v1/chat/conversation/{chat.conversation_id}/rate"
    assert [chat.visitor.post(path, {"rating": n}).status_code for n in (1, 2, 3)] == [200, 200, 429]
    assert [c.rating for c in rows(Conversation)] == [2]
    assert chat.visitor.get("/v1/chat/visitor/export").status_code == 429


def test_an_addresss_starts_are_counted(tight: None, acme: factories.Company, globex: factories.Company) -> None:
    answers = [start(company, "203.0.113.9").status_code for company in (acme, globex, acme)]
    assert answers == [201, 201, 429]
    assert (count(Conversation), count(Visitor)) == (2, 2)


def test_a_widgets_starts_are_counted(tight: None, acme: factories.Company) -> None:
    answers = [start(acme, f"203.0.113.{n}").status_code for n in range(3)]
    assert answers == [201, 201, 429]
    body = {"widget_key": widget_of(acme).widget_key}
    assert ApiClient(acme.api_key).post("/v1/chat/conversation/start", body).status_code == 201


def test_looks_are_counted_by_address(tight: None, acme: factories.Company) -> None:
    path = f"/v1/chat/widget/{widget_of(acme).widget_key}"
    answers = [ApiClient().get(path, REMOTE_ADDR="2001:db8:1:2::1").status_code for _ in range(2)]
    neighbour = ApiClient().get(path, REMOTE_ADDR="2001:db8:1:2::ffff")
    elsewhere = ApiClient().get(path, REMOTE_ADDR="2001:db8:1:3::1")
    assert [*answers, neighbour.status_code, elsewhere.status_code] == [200, 200, 429, 200]


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::1", "10.1.2.3", "172.18.0.4", "192.168.1.1", "fd00::1"])
def test_a_proxy_nobody_counted_is_not_everybody(tight: None, address: str, now: Any) -> None:
    for _ in range(5):
        limits.note_look(address=address, now=now)
