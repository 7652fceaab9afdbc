"""Messages over HTTP: stored once, numbered without a hole, refused without a trace."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import OutboxEvent
from chat.models import ChatEvent, Conversation, Message
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat
from tests.conftest import ApiClient
from usage.models import UsageRecord

Send = Callable[..., Any]


def test_is_stored_as_the_next_event(chat: Chat, send: Send) -> None:
    answer = send(chat.visitor, chat, "Hello")
    assert answer.status_code == 201
    assert answer.json()["seq"] == 2
    message = answer.json()["event"]["payload"]["message"]
    assert (message["text"], message["sender_name"]) == ("Hello", "Dana")
    assert [(e.seq, e.visitor_seq, e.type) for e in rows(ChatEvent)] == [(1, 1, "status"), (2, 2, "message")]


def test_moves_the_counters_and_the_first_response(chat: Chat, send: Send) -> None:
    send(chat.visitor, chat, "Hello", "m1")
    send(chat.agent, chat, "Good morning", "a1")
    [stored] = rows(Conversation)
    assert (stored.message_count, stored.visitor_message_count, stored.agent_message_count) == (2, 1, 1)
    assert stored.first_response_at == stored.last_message_at is not None


def test_the_same_message_again_answers_the_stored_one(chat: Chat, send: Send) -> None:
    first, second = send(chat.visitor, chat, "Hello"), send(chat.visitor, chat, "Hello")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert count(Message) == 1


def test_the_same_id_with_another_text_is_a_conflict(chat: Chat, send: Send) -> None:
    send(chat.visitor, chat, "Hello")
    answer = send(chat.visitor, chat, "Goodbye")
    assert answer.status_code == 409
    assert [m.text for m in rows(Message)] == ["Hello"]


def test_a_repeat_after_the_close_still_answers_the_stored_one(chat: Chat, send: Send) -> None:
    send(chat.visitor, chat, "Hello")
    chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
    assert send(chat.visitor, chat, "Hello").status_code == 200


def test_a_note_leaves_no_hole_for_the_visitor(chat: Chat, send: Send) -> None:
    send(chat.visitor, chat, "Hello", "m1")
    chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/note", {"client_message_id": "n1", "text": "VIP"})
    send(chat.agent, chat, "Hi", "a1")
    path = f"/v1/chat/conversation/{chat.conversation_id}/events"
    assert [e["seq"] for e in chat.visitor.get(path).json()["events"]] == [1, 2, 3]
    assert [e["seq"] for e in chat.agent.get(path).json()["events"]] == [1, 2, 3, 4]
    assert b"VIP" not in chat.visitor.get(path).content


def test_writes_its_outbox_row_and_its_usage_in_the_same_transaction(chat: Chat, send: Send) -> None:
    send(chat.visitor, chat, "Hello")
    events = [(e.type, e.sequence) for e in rows(OutboxEvent)]
    assert events == [("chat.conversation.started", 1), ("chat.message.created", 2)]
    assert [(u.channel, u.resource_type, u.quantity) for u in rows(UsageRecord)] == [
        ("chat", "conversation", 1),
        ("chat", "message", 1),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": "   \n"}, "/text"),
        ({"text": "x" * 5001}, "/text"),
        ({"text": "nul\x00"}, "/text"),
        ({"text": None}, "/text"),
        ({"client_message_id": "no spaces"}, "/client_message_id"),
        ({"client_message_id": ""}, "/client_message_id"),
    ],
)
def test_refuses_what_is_no_message(chat: Chat, body: dict[str, Any], pointer: str) -> None:
    good = {"conversation_id": chat.conversation_id, "client_message_id": "m1", "text": "Hello"}
    answer = chat.visitor.post("/v1/chat/message/send", {**good, **body})
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert count(Message) == 0


def test_refuses_an_agents_in_a_closed_conversation(chat: Chat, send: Send) -> None:
    chat.visitor.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
    answer = send(chat.agent, chat, "Anybody?")
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation-closed")
    assert answer.json()["next_conversation"] is None
    assert count(Message) == 0


def test_refuses_a_body_that_is_not_json(chat: Chat) -> None:
    answer = chat.visitor.generic("POST", "/v1/chat/message/send", "{no", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


def test_another_tenants_conversation_is_not_found(chat: Chat, globex: factories.Company, send: Send) -> None:
    assert send(ApiClient(globex.api_key), chat, "Hello").status_code == 404
    assert count(Message) == 0


def test_another_visitors_conversation_is_not_found(chat: Chat, acme: factories.Company, send: Send) -> None:
    stranger = start_chat(acme, visitor_name="Stranger")
    assert send(stranger.visitor, chat, "Hello").status_code == 404
    path = f"/v1/chat/conversation/{chat.conversation_id}/events"
    assert stranger.visitor.get(path).status_code == 404
    assert count(Message) == 0


def test_a_replayed_idempotency_key_answers_what_was_stored(chat: Chat, send: Send) -> None:
    key = {"headers": {"Idempotency-Key": "k1", "Authorization": f"Bearer {chat.company.api_key}"}}
    first, second = send(chat.agent, chat, "Hi", **key), send(chat.agent, chat, "Hi", **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Idempotency-Replayed"] == "true"
    assert send(chat.agent, chat, "Other", "a2", **key).status_code == 409
    assert count(Message) == 1


def test_an_idempotency_key_is_its_senders_own(chat: Chat, acme: factories.Company, send: Send) -> None:
    stranger = start_chat(acme, visitor_name="Stranger")
    keys = {
        client: {"headers": {"Idempotency-Key": "k1", "Authorization": f"Bearer {token}"}}
        for client, token in ((chat, chat.visitor_token), (stranger, stranger.visitor_token))
    }
    assert send(chat.visitor, chat, "Hi", **keys[chat]).status_code == 201
    assert send(stranger.visitor, chat, "Hi", **keys[stranger]).status_code == 404
    own = send(stranger.visitor, stranger, "Hi", **keys[stranger])
    assert (own.status_code, own.json()["conversation_id"]) == (201, stranger.conversation_id)


def test_an_idempotency_key_goes_with_an_address_that_is_none(chat: Chat) -> None:
    note = {"client_message_id": "n1", "text": "x"}
    answer = chat.agent.post("/v1/chat/conversation/a%00b/note", note, HTTP_IDEMPOTENCY_KEY="k1")
    assert answer.status_code == 404


class TestConcurrently:
    @pytest.fixture
    def committed(self, committed_db: None) -> Chat:
        return start_chat(factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona"))

    def in_threads(self, jobs: list[Callable[[], Any]]) -> list[Any]:
        def run(job: Callable[[], Any]) -> Any:
            try:
                return job()
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(run, jobs))

    def test_five_identical_sends_store_one_message(self, committed: Chat, send: Send) -> None:
        client = [lambda: send(ApiClient(committed.visitor_token), committed, "Hello")] * 5
        answers = self.in_threads(client)
        assert sorted(a.status_code for a in answers) == [200, 200, 200, 200, 201]
        assert [a.json() for a in answers] == [answers[0].json()] * 5
        assert count(Message) == 1

    def test_many_writers_leave_a_log_without_holes(self, committed: Chat, send: Send) -> None:
        jobs = [
            lambda n=n: send(ApiClient(committed.visitor_token), committed, f"line {n}", f"m{n}") for n in range(24)
        ]
        assert {a.status_code for a in self.in_threads(jobs)} == {201}
        assert [e.seq for e in sorted(rows(ChatEvent), key=lambda e: e.seq)] == list(range(1, 26))
