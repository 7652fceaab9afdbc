"""Mending a message: by its author, for a while, once in the log for each text."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import OutboxEvent
from accounts.tenancy import tenant_scope
from chat.models import ChatEvent, Message
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.desk import ago, in_threads, stored
from tests.chat.files import picture, upload
from tests.conftest import ApiClient

Send = Callable[..., Any]


def say(send: Send, client: ApiClient, chat: Chat, text: str, client_message_id: str = "m1") -> str:
    answer = send(client, chat, text, client_message_id)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["event"]["payload"]["message"]["id"])


def note(chat: Chat, text: str) -> str:
    path = f"/v1/chat/conversation/{chat.conversation_id}/note"
    answer = chat.agent.post(path, {"client_message_id": "n1", "text": text})
    return str(answer.json()["event"]["payload"]["message"]["id"])


def edit(client: ApiClient, chat: Chat, message_id: str, text: Any, **extra: Any) -> Any:
    path = f"/v1/chat/conversation/{chat.conversation_id}/messages/{message_id}/edit"
    return client.post(path, {"text": text}, **extra)


def test_changes_the_message_and_joins_the_log(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "I need a blue bicycle")
    send(chat.agent, chat, "Hi", "a1")
    answer = edit(chat.visitor, chat, message_id, "I need a red bicycle")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    edited_at = body["message"]["edited_at"]
    assert (body["conversation_id"], body["seq"], body["message"]["text"]) == (
        chat.conversation_id,
        2,
        "I need a red bicycle",
    )
    last = rows(ChatEvent)[-1]
    assert (last.seq, last.visitor_seq, last.type) == (stored(chat).last_seq, stored(chat).last_visitor_seq, "edit")
    assert last.payload == {"message_id": message_id, "text": "I need a red bicycle", "edited_at": edited_at}
    assert [(m.text, m.edited_at is not None) for m in rows(Message)] == [
        ("I need a red bicycle", True),
        ("Hi", False),
    ]


def test_both_sides_read_it_in_lists_and_in_the_log(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.agent, chat, "We open at 8", "a1")
    edited_at = edit(chat.agent, chat, message_id, "We open at 9").json()["message"]["edited_at"]
    for reader in (chat.visitor, chat.agent):
        path = f"/v1/chat/conversation/{chat.conversation_id}"
        [listed] = [r["message"] for r in reader.get(f"{path}/messages").json()["results"]]
        assert (listed["text"], listed["edited_at"]) == ("We open at 9", edited_at)
        logged = reader.get(f"{path}/events").json()["events"][-1]["event"]
        assert (logged["type"], logged["payload"]["text"], logged["payload"]["edited_at"]) == (
            "edit",
            "We open at 9",
            edited_at,
        )


def test_the_same_text_again_changes_nothing(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    first = edit(chat.visitor, chat, message_id, "Hallo")
    before = stored(chat).version
    assert edit(chat.visitor, chat, message_id, "Hallo").json() == first.json()
    assert (count(ChatEvent, type="edit"), stored(chat).version) == (1, before)


def test_counts_and_tells_nothing_that_a_message_does(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    counted = lambda c: (c.message_count, c.last_message_at, c.waiting_since)  # noqa: E731
    before = counted(stored(chat))
    edit(chat.visitor, chat, message_id, "Hallo")
    assert counted(stored(chat)) == before
    assert [e.type for e in rows(OutboxEvent)] == ["chat.conversation.started", "chat.message.created"]


def test_a_note_is_edited_behind_the_visitors_back(chat: Chat) -> None:
    message_id = note(chat, "VIP")
    assert edit(chat.visitor, chat, message_id, "Seen").status_code == 404
    assert edit(chat.agent, chat, message_id, "Not a VIP").status_code == 200
    last = rows(ChatEvent)[-1]
    assert (last.type, last.visitor_seq) == ("edit", None)
    assert b"VIP" not in chat.visitor.get(f"/v1/chat/conversation/{chat.conversation_id}/events").content


def test_only_its_author_may(chat: Chat, send: Send, acme: factories.Company) -> None:
    theirs, ours = say(send, chat.visitor, chat, "Mine"), say(send, chat.agent, chat, "Ours", "a1")
    colleague = ApiClient()
    colleague.force_login(acme.agent)
    for client, message_id in ((chat.agent, theirs), (chat.visitor, ours), (colleague, ours)):
        answer = edit(client, chat, message_id, "Forged")
        assert (answer.status_code, answer.json()["code"]) == (403, "not-author")
    assert [m.text for m in rows(Message)] == ["Mine", "Ours"]


def test_is_not_found_by_another_tenant_or_in_another_conversation(
    chat: Chat, send: Send, acme: factories.Company, globex: factories.Company
) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    other = start_chat(acme)
    assert edit(ApiClient(globex.api_key), chat, message_id, "Forged").status_code == 404
    assert edit(other.visitor, chat, message_id, "Forged").status_code == 404
    assert edit(other.visitor, other, message_id, "Forged").status_code == 404
    assert edit(chat.visitor, chat, "cm_nothing", "Forged").status_code == 404
    assert [m.text for m in rows(Message)] == ["Hello"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("  ", "blank"), ("x" * 5001, "too-long"), ("a\x00b", "null-characters-not-allowed"), (None, "null")],
)
def test_refuses_what_is_no_text(chat: Chat, send: Send, text: Any, code: str) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    answer = edit(chat.visitor, chat, message_id, text)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/text", code)
    assert [m.text for m in rows(Message)] == ["Hello"]


def test_refuses_a_closed_conversation_and_what_is_long_said(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    with tenant_scope(chat.tenant_id):
        Message.objects.for_tenant(chat.tenant_id).update(created_at=ago(minutes=15, seconds=1))
    answer = edit(chat.visitor, chat, message_id, "Hallo")
    assert (answer.status_code, answer.json()["code"]) == (409, "too-late")
    chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
    answer = edit(chat.visitor, chat, message_id, "Hallo")
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation-closed")
    assert edit(chat.visitor, chat, message_id, "Hello").status_code == 200  # nothing to change
    assert count(ChatEvent, type="edit") == 0


def test_a_blocked_visitor_mends_nothing(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block")
    assert edit(chat.visitor, chat, message_id, "Rude").status_code == 403
    assert [m.text for m in rows(Message)] == ["Hello"]


def test_a_files_words_may_be_taken_away(chat: Chat) -> None:
    file = upload(chat.visitor, chat, picture()).json()["id"]
    body = {
        "conversation_id": chat.conversation_id,
        "client_message_id": "f1",
        "text": "My bicycle",
        "attachment_id": file,
    }
    answer = chat.visitor.post("/v1/chat/message/send", body)
    message_id = answer.json()["event"]["payload"]["message"]["id"]
    assert edit(chat.visitor, chat, message_id, "").status_code == 200
    [row] = rows(Message)
    assert (row.text, row.attachment_id is not None) == ("", True)


def test_a_message_sent_again_after_its_edit_is_still_known(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    edit(chat.visitor, chat, message_id, "Hallo")
    assert send(chat.visitor, chat, "Hello").status_code == 200
    assert send(chat.visitor, chat, "Hallo").status_code == 409
    assert count(Message) == 1


def test_search_follows_the_new_text(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "A tricycle")
    edit(chat.visitor, chat, message_id, "A unicycle")
    found = lambda q: len(chat.agent.get("/v1/chat/search", {"q": q}).json()["results"])  # noqa: E731
    assert (found("tricycle"), found("unicycle")) == (0, 1)


def test_the_desks_row_shows_the_new_words(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "A tricycle")
    before = stored(chat).version
    edit(chat.visitor, chat, message_id, "A unicycle")
    [row] = chat.agent.get("/v1/chat/agent/conversations").json()["results"]
    assert (row["last_message"]["text"], row["version"]) == ("A unicycle", before + 1)


def test_is_exported_and_erased_with_the_rest(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "My name is Dana")
    edit(chat.visitor, chat, message_id, "My name is Dana Doe")
    export = chat.visitor.get("/v1/chat/visitor/export")
    [conversation] = json.loads(b"".join(export.streaming_content))["conversations"]
    assert [(m["text"], bool(m["edited_at"])) for m in conversation["messages"]] == [("My name is Dana Doe", True)]
    assert chat.agent.delete(f"/v1/chat/visitors/{chat.visitor_id}").status_code == 204
    with_text = [str(e.payload) for e in rows(ChatEvent)] + [m.text for m in rows(Message)]
    assert not [text for text in with_text if "Dana" in text]


def test_an_idempotency_key_answers_what_was_answered(chat: Chat, send: Send) -> None:
    message_id = say(send, chat.visitor, chat, "Hello")
    first = edit(chat.visitor, chat, message_id, "Hallo", HTTP_IDEMPOTENCY_KEY="e1")
    again = edit(chat.visitor, chat, message_id, "Hallo", HTTP_IDEMPOTENCY_KEY="e1")
    assert again.json() == first.json()


class TestConcurrently:
    @pytest.fixture
    def committed(self, committed_db: None) -> Chat:
        return start_chat(factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona"))

    def test_two_edits_at_once_leave_two_events_and_the_last_ones_text(self, committed: Chat, send: Send) -> None:
        message_id = say(send, committed.visitor, committed, "Hello")
        texts = [f"Hello {n}" for n in range(8)]
        token = committed.visitor_token
        answers = in_threads([lambda t=t: edit(ApiClient(token), committed, message_id, t) for t in texts], 8)
        assert {answer.status_code for answer in answers} == {200}
        edits = sorted(rows(ChatEvent, type="edit"), key=lambda e: e.seq)
        assert [e.seq for e in edits] == list(range(3, 11))
        assert sorted(e.payload["text"] for e in edits) == texts
        [message] = rows(Message)
        assert (message.text, message.edited_at) == (edits[-1].payload["text"], edits[-1].occurred_at)

    def test_the_same_edit_five_times_at_once_is_one(self, committed: Chat, send: Send) -> None:
        message_id = say(send, committed.visitor, committed, "Hello")
        token = committed.visitor_token
        answers = in_threads([lambda: edit(ApiClient(token), committed, message_id, "Hallo")] * 5, 5)
        assert {answer.status_code for answer in answers} == {200}
        assert count(ChatEvent, type="edit") == 1
