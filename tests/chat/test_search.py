"""Search: what is found, how it is shown, and that nothing of another company's ever comes out."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.tenancy import system_access, tenant_scope
from chat.ledgers import Message
from chat.search import EXCERPT, excerpt
from common.ids import uuid7
from tests import factories
from tests.chat.conftest import Chat, start_chat

SEARCH = "/v1/chat/search"
Say = Callable[..., Any]


@pytest.fixture
def say(send: Callable[..., Any]) -> Say:
    def say(chat: Chat, *texts: str) -> None:
        for number, text in enumerate(texts):
            assert send(chat.visitor, chat, text, client_message_id=f"m{number}").status_code == 201

    return say


def found(chat: Chat, q: str, **params: Any) -> list[dict[str, Any]]:
    answer = chat.agent.get(SEARCH, {"q": q, **params})
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def texts(chat: Chat, q: str, **params: Any) -> list[str]:
    return [hit["message"]["text"] for hit in found(chat, q, **params) if hit["message"]]


def test_finds_all_words_and_the_beginning_of_the_last_newest_first(chat: Chat, say: Say) -> None:
    say(chat, "My red bicycle is broken", "The BICYCLE is blue", "Nothing of the kind")
    assert texts(chat, "bicycle") == ["The BICYCLE is blue", "My red bicycle is broken"]
    assert texts(chat, "red bicy") == ["My red bicycle is broken"]
    assert texts(chat, "bicy red") == []
    assert texts(chat, "bicycle", limit=1) == ["The BICYCLE is blue"]


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("see invoice_2026-03.pdf please", "2026 pdf"),
        ("write to dana.doe@shop.example", "shop"),
        ("https://shop.example/cart?item=4711", "4711"),
        ("it's über-groß", "über groß"),
        ("ΓΕΙΑ ΣΟΥ", "γεια"),
        ("مرحبا بالعالم", "مرحبا"),
        ("zażółć gęślą", "GĘŚLĄ"),
    ],
)
def test_finds_pieces_of_addresses_and_words_of_every_language(chat: Chat, say: Say, text: str, q: str) -> None:
    say(chat, text, "something else")
    assert texts(chat, q) == [text]


def test_a_message_comes_with_its_conversation_and_the_places(chat: Chat, say: Say) -> None:
    say(chat, "🎉 A bell, a BELLY, no dumbbell")
    hit = found(chat, "a bell")[0]
    message = hit["message"]
    assert hit["conversation"] == chat.agent.get("/v1/chat/agent/conversations").json()["results"][0]
    assert message["text"] == "🎉 A bell, a BELLY, no dumbbell"
    # In UTF-16 units: 🎉 counts two.
    assert message["highlight"] == [[3, 4], [5, 9], [11, 12], [13, 18]]
    assert (message["seq"], message["sender_type"], message["sender_name"]) == (2, "visitor", "Dana")
    assert message["id"].startswith("cm_")


def test_a_visitor_is_found_by_name_and_by_every_piece_of_the_address(acme: factories.Company) -> None:
    chat = start_chat(acme, visitor_name="Zoë Quux", visitor_email="zoe.quux@mail.example")
    start_chat(acme, visitor_name="Somebody", visitor_email="else@other.example")
    for q in ("zoë", "quu", "mail example", "zoe.quux@mail.example", "ZOË QUUX"):
        assert [(hit["conversation"]["id"], hit["message"]) for hit in found(chat, q)] == [(chat.conversation_id, None)]


def test_private_notes_are_found(chat: Chat) -> None:
    body = {"client_message_id": "n1", "text": "Handle with velvet gloves"}
    assert chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/note", body).status_code == 201
    assert [hit["message"]["message_type"] for hit in found(chat, "velvet")] == ["note"]


@pytest.mark.parametrize(
    "q", ["'", "''", '"quoted', "a & b", "!!", "a:*", "(a|b", "\\", "%%", "<->", "a\x00b", "<script>", "💥💥", "-- ;"]
)
def test_odd_characters_are_no_syntax(chat: Chat, say: Say, q: str) -> None:
    say(chat, "plain words")
    assert chat.agent.get(SEARCH, {"q": q}).status_code in {200, 422}
    assert texts(chat, f"plain {q} words") in ([], ["plain words"])


def test_signs_alone_find_nothing(chat: Chat, say: Say) -> None:
    say(chat, "plain words")
    assert found(chat, "&&") == []


@pytest.mark.parametrize(
    ("q", "code"), [("", "too-short"), ("a", "too-short"), (" a ", "too-short"), ("a" * 201, "too-long")]
)
def test_too_little_or_too_much_is_refused(chat: Chat, q: str, code: str) -> None:
    answer = chat.agent.get(SEARCH, {"q": q})
    assert (answer.status_code, answer.json()["errors"][0]) == (
        422,
        {"pointer": "/q", "code": code, "detail": answer.json()["detail"]},
    )


def test_a_long_text_is_shown_around_the_first_place(chat: Chat, say: Say) -> None:
    say(chat, "x " * 400 + "needle" + " y" * 400)
    message = found(chat, "needle")[0]["message"]
    (start, end) = message["highlight"][0]
    assert message["text"][start:end] == "needle"
    assert (message["text"][0], message["text"][-1], len(message["text"])) == ("…", "…", EXCERPT + 2)


def test_an_excerpt_without_a_place_is_the_beginning() -> None:
    found = excerpt("z" * 400, "needle")
    assert (found.text, found.ranges) == ("z" * EXCERPT + "…", [])


class TestAnotherCompany:
    """The function reads past row-level security: hold it to the transaction's tenant directly."""

    @pytest.fixture
    def both(self, acme: factories.Company, globex: factories.Company, say: Say) -> tuple[Chat, Chat]:
        ours = start_chat(acme, visitor_name="Ximena", visitor_email="ximena@a.example")
        theirs = start_chat(globex, visitor_name="Ximena", visitor_email="ximena@b.example")
        for chat in (ours, theirs):
            say(chat, "Ximena knows the watchword")
        return ours, theirs

    def test_is_never_found(self, both: tuple[Chat, Chat]) -> None:
        ours, theirs = both
        for q in ("watchword", "ximena", "example"):
            assert {hit["conversation"]["id"] for hit in found(ours, q)} == {ours.conversation_id}
            assert {hit["conversation"]["id"] for hit in found(theirs, q)} == {theirs.conversation_id}

    def test_keys_are_of_the_transactions_tenant_alone(self, both: tuple[Chat, Chat]) -> None:
        for chat in both:
            with tenant_scope(chat.tenant_id):
                keys = called("ximena")
                messages = set(Message.objects.for_tenant(chat.tenant_id).values_list("pk", flat=True))
            assert len(keys) == 2
            assert {conversation for conversation, _ in keys} == {chat.key}
            assert {message for _, message in keys} == messages | {None}

    def test_nothing_comes_without_a_tenant(self, both: tuple[Chat, Chat]) -> None:
        assert called("ximena") == []
        with tenant_scope(both[0].tenant_id):
            pass
        # A connection that had a tenant keeps '' (not NULL) in the setting.
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('irisx.tenant', '', true)")
        assert called("ximena") == []
        with system_access("test"):
            assert called("ximena") == []
        with tenant_scope(uuid7()):
            assert called("ximena") == []


def called(wanted: str) -> list[tuple[UUID, UUID | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM chat_search(%s, 50)", [wanted])
        return list(cursor.fetchall())


def test_the_function_reaches_the_index_and_a_plain_query_does_not(chat: Chat) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_userbyid(proowner), prosecdef FROM pg_proc WHERE proname = 'chat_search'")
        assert cursor.fetchone() == ("irisx_system", True)
        cursor.execute("SELECT pg_get_functiondef('chat_search'::regproc)")
        condition = cursor.fetchone()[0].split("m.tenant_id = tenant AND ")[1].split(" @@")[0]
        cursor.execute("SET LOCAL enable_seqscan = off")
        with system_access("test"):
            assert "Bitmap Index Scan on chat_messages_words" in plan(cursor, condition)
        with tenant_scope(chat.tenant_id):
            assert "chat_messages_words" not in plan(cursor, condition)


def plan(cursor: Any, condition: str) -> str:
    cursor.execute(f"EXPLAIN SELECT id FROM chat_messages m WHERE {condition} @@ 'needle'::tsquery")
    return "\n".join(row[0] for row in cursor.fetchall())
