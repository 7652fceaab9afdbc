"""Erasing, exporting and outliving what is kept of visitors."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEntry, OutboxEvent, Tenant
from accounts.tenancy import system_access, tenant_scope
from chat.ledgers import ChatEvent, Message
from chat.models import Attachment, Conversation, TypingIndicator, Visitor
from chat.privacy import retention
from chat.privacy.telling import LogReset
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.files import picture, upload
from tests.conftest import ApiClient
from usage.models import UsageRecord

SECRETS = ("Dana", "dana@home", "Elm Street", "passport", "sorry for", "shop.example", "VIP-9", "rude", "Firefox")


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def told(chat: Chat, send: Any) -> Chat:
    """Fill a conversation with everything that says who a visitor is, and close it."""
    patch(chat.visitor, "visitor", {"email": "dana@home.example", "language": "de", "attributes": {"id": "VIP-9"}})
    patch(chat.visitor, "visitor", {"page": {"url": "https://shop.example/bikes", "title": "Elm Street"}})
    send(chat.visitor, chat, "I live at Elm Street", headers={"Idempotency-Key": "k1"})
    file = upload(chat.visitor, chat, picture(), name="passport.png").json()
    send_file(chat.visitor, chat, file["id"])
    send(chat.agent, chat, "We are sorry for Elm Street", "a1")
    note = {"client_message_id": "n1", "text": "Dana was rude"}
    chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/note", note)
    with tenant_scope(chat.tenant_id):
        mine = Conversation.objects.for_tenant(chat.tenant_id)
        mine.update(metadata={"pre_chat": {"address": "Elm Street"}}, referrer="https://shop.example/")
        Visitor.objects.for_tenant(chat.tenant_id).update(location={"user_agent": "Firefox 133"})
    chat.visitor.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
    chat.visitor.post(
        f"/v1/chat/conversation/{chat.conversation_id}/rate", {"rating": 2, "feedback": "rude Elm Street"}
    )
    return chat


def patch(client: ApiClient, path: str, body: dict[str, Any]) -> Any:
    return client.patch(f"/v1/chat/{path}", body, content_type="application/json")


def send_file(client: ApiClient, chat: Chat, id: str) -> None:
    body = {"conversation_id": chat.conversation_id, "client_message_id": "f1", "attachment_id": id}
    assert client.post("/v1/chat/message/send", body).status_code == 201


def everything(*, but: tuple[str, ...] = ()) -> str:
    """Return every row of every table that chat's data can be in, as text."""
    tables = (
        "chat_visitors", "chat_conversations", "chat_events", "chat_messages", "chat_attachments", "webhook_outbox",
        "idempotency_keys", "audit_entries", "chat_typing_indicators", "usage_records",
    )  # fmt: skip
    with system_access("test"), connection.cursor() as cursor:
        found = []
        for table in sorted(set(tables) - set(but)):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def left(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret.lower() in text.lower()]


def erase(chat: Chat) -> Any:
    return chat.agent.delete(f"/v1/chat/visitors/{chat.visitor_id}")


def files() -> list[Path]:
    return [path for path in Path(django_settings.MEDIA_ROOT).rglob("*") if path.is_file()]


class TestErasing:
    def test_leaves_nothing_that_says_who_it_was(self, told: Chat, django_capture_on_commit_callbacks: Any) -> None:
        assert left(everything()) == list(SECRETS)
        with django_capture_on_commit_callbacks(execute=True):
            assert erase(told).status_code == 204
        assert left(everything()) == []
        assert (count(Attachment), files()) == (0, [])

    def test_keeps_the_counted_facts(self, told: Chat) -> None:
        [before] = rows(Conversation)
        erase(told)
        [after] = rows(Conversation)
        assert (after.message_count, after.rating, after.closed_at) == (before.message_count, 2, before.closed_at)
        assert (after.last_seq, after.created_at) == (before.last_seq, before.created_at)
        assert {m.text for m in rows(Message)} == {"[erased]"}
        assert [e.payload["message"]["text"] for e in rows(ChatEvent, type="message")] == ["[erased]"] * 4
        assert [e.payload for e in rows(ChatEvent, type="rating")] == [{"rating": 2, "feedback": ""}]
        assert count(UsageRecord) > 0

    def test_shows_agents_what_is_left(self, told: Chat) -> None:
        erase(told)
        row = told.agent.get("/v1/chat/agent/conversations").json()["results"][0]
        assert (row["visitor"]["name"], row["visitor"]["email"], row["last_message"]["text"]) == (
            "[erased]",
            "",
            "[erased]",
        )
        messages = told.agent.get(f"/v1/chat/conversation/{told.conversation_id}/messages").json()["results"]
        assert {m["message"]["message_type"] for m in messages} == {"text", "note"}
        assert told.agent.get(f"/v1/chat/visitors/{told.visitor_id}").status_code == 404

    def test_ends_its_tokens_and_links(self, told: Chat) -> None:
        attachment = f"at_{rows(Attachment)[0].pk.hex}"
        mine, theirs = (c.get(f"/v1/chat/attachments/{attachment}").json()["url"] for c in (told.visitor, told.agent))
        erase(told)
        assert told.visitor.get("/v1/chat/visitor").status_code == 401
        assert ApiClient().get(mine).status_code == 401
        assert ApiClient().get(theirs).status_code == 404
        assert told.agent.get(f"/v1/chat/attachments/{attachment}").status_code == 404

    def test_closes_what_is_open_and_says_so(self, chat: Chat) -> None:
        erase(chat)
        assert [c.status for c in rows(Conversation)] == ["closed"]

    def test_is_written_to_the_audit_log(self, told: Chat) -> None:
        erase(told)
        [entry] = rows(AuditEntry)
        assert (entry.action, entry.object_id, entry.actor_kind) == ("visitor.erased", told.visitor_id, "api_key")
        assert entry.changes == {"conversations": 1, "messages": 4, "files": 1}

    def test_leaves_webhook_bodies_readable(self, told: Chat) -> None:
        erase(told)
        bodies = [orjson.loads(row.body) for row in rows(OutboxEvent, object_id=told.conversation_id)]
        texts = [b["data"]["message"]["text"] for b in bodies if b["type"] == "chat.message.created"]
        assert texts == ["[erased]"] * 3
        assert [b["sequence"] for b in sorted(bodies, key=lambda b: b["sequence"])] == list(range(1, len(bodies) + 1))

    def test_leaves_everybody_else_alone(self, told: Chat, globex: factories.Company, send: Any) -> None:
        other, foreign = start_chat(told.company, visitor_name="Erin"), start_chat(globex, visitor_name="Gus")
        for someone in (other, foreign):
            send(someone.visitor, someone, "Hello from me")
        erase(told)
        assert sorted(m.text for m in rows(Message) if m.text != "[erased]") == ["Hello from me", "Hello from me"]
        assert {v.name for v in rows(Visitor)} == {"[erased]", "Erin", "Gus"}

    def test_a_repeat_finds_nobody(self, told: Chat) -> None:
        erase(told)
        assert erase(told).status_code == 404
        assert count(AuditEntry) == 1

    def test_needs_more_than_answering_visitors(self, told: Chat, signed_in: Any) -> None:
        bob = signed_in(told.company.agent)
        assert bob.delete(f"/v1/chat/visitors/{told.visitor_id}").status_code == 403
        assert bob.get(f"/v1/chat/visitors/{told.visitor_id}/export").status_code == 403
        assert left(everything()) == list(SECRETS)

    def test_tells_both_sides_to_load_again(self, told: Chat) -> None:
        [conversation] = rows(Conversation)
        frames = list(LogReset.of(conversation).frames())
        assert [(topic.rpartition(".")[2], frame["type"], frame["head"]) for topic, frame in frames] == [
            ("agents", "reset", conversation.last_seq),
            ("visitor", "reset", conversation.last_visitor_seq),
        ]


class TestForgetMe:
    def test_erases_and_ends(self, told: Chat, django_capture_on_commit_callbacks: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            assert told.visitor.post("/v1/chat/visitor/forget").status_code == 204
        assert left(everything()) == []
        assert told.visitor.post("/v1/chat/visitor/forget").status_code == 401
        [entry] = rows(AuditEntry)
        assert (entry.actor_kind, entry.actor_name, entry.ip_address) == ("visitor", "Visitor", None)

    def test_while_typing(self, chat: Chat) -> None:
        with tenant_scope(chat.tenant_id):
            now = timezone.now()
            visitor = rows(Visitor)[0]
            TypingIndicator.objects.create(
                tenant_id=chat.tenant_id, conversation_id=chat.key, participant_type="visitor",
                participant_id=visitor.pk, started_at=now, expires_at=now,
            )  # fmt: skip
        chat.visitor.post("/v1/chat/visitor/forget")
        assert count(TypingIndicator) == 0


class TestExporting:
    def test_hands_out_everything_that_is_held(self, told: Chat) -> None:
        answer = told.agent.get(f"/v1/chat/visitors/{told.visitor_id}/export")
        assert answer.status_code == 200
        assert answer["Content-Disposition"].startswith("attachment; ")
        body = json.loads(b"".join(answer.streaming_content))
        assert left(json.dumps(body)) == list(SECRETS)
        [conversation] = body["conversations"]
        assert [m["text"] for m in conversation["messages"]] == [
            "I live at Elm Street", "", "We are sorry for Elm Street", "Dana was rude",
        ]  # fmt: skip
        url = conversation["messages"][1]["attachment"]["url"]
        assert b"".join(ApiClient().get(url).streaming_content) == picture()

    def test_labels_are_for_agents(self, told: Chat) -> None:
        told.agent.post(f"/v1/chat/conversation/{told.conversation_id}/labels", {"labels": ["troublemaker"]})
        theirs = b"".join(told.visitor.get("/v1/chat/visitor/export").streaming_content)
        agents = b"".join(told.agent.get(f"/v1/chat/visitors/{told.visitor_id}/export").streaming_content)
        assert (b"troublemaker" in theirs, b"troublemaker" in agents) == (False, True)

    def test_hands_a_visitor_its_own_without_agents_notes(self, told: Chat) -> None:
        other = start_chat(told.company, visitor_name="Erin")
        body = json.loads(b"".join(told.visitor.get("/v1/chat/visitor/export").streaming_content))
        texts = [m["text"] for c in body["conversations"] for m in c["messages"]]
        assert texts == ["I live at Elm Street", "", "We are sorry for Elm Street"]
        theirs = json.loads(b"".join(other.visitor.get("/v1/chat/visitor/export").streaming_content))
        assert [len(c["messages"]) for c in theirs["conversations"]] == [0]


class TestRetention:
    def age(self, chat: Chat, *, days: int) -> None:
        moment = timezone.now() - timedelta(days=days)
        with tenant_scope(chat.tenant_id):
            Conversation.objects.for_tenant(chat.tenant_id).filter(pk=chat.key).update(closed_at=moment)
            Visitor.objects.for_tenant(chat.tenant_id).update(created_at=moment, last_seen_at=moment)

    def keep(self, company: factories.Company, days: object) -> None:
        with system_access("test"):
            Tenant.objects.filter(pk=company.tenant.pk).update(limits={"retention_days": days})

    def test_forgets_what_was_closed_longer_ago(self, told: Chat, send: Any) -> None:
        self.keep(told.company, 30)
        fresh = start_chat(told.company, visitor_name="Erin")
        send(fresh.visitor, fresh, "Hello from me")
        self.age(told, days=31)
        usage = count(UsageRecord)
        assert retention.forget_the_old(now=timezone.now()) == {told.tenant_id: (1, 1)}
        assert left(everything(but=("usage_records", "idempotency_keys", "webhook_outbox"))) == []
        assert [f"cc_{c.pk.hex}" for c in rows(Conversation)] == [fresh.conversation_id]
        assert {v.name for v in rows(Visitor)} == {"Erin"}
        assert [m.text for m in rows(Message)] == ["Hello from me"]
        assert (count(Attachment), files()) == (0, [])
        assert count(OutboxEvent, object_id=told.conversation_id) == 0
        assert count(UsageRecord) == usage
        assert retention.forget_the_old(now=timezone.now()) == {}

    @pytest.mark.parametrize("days", [None, 32, "30", True, 0])
    def test_keeps_what_the_plan_keeps(self, told: Chat, days: object) -> None:
        self.keep(told.company, days)
        self.age(told, days=31)
        assert retention.forget_the_old(now=timezone.now()) == {}
        assert count(Conversation) == 1

    def test_never_touches_an_open_conversation_or_a_blocked_visitor(self, chat: Chat, told: Chat) -> None:
        self.keep(chat.company, 1)
        talking = start_chat(chat.company, visitor_name="Erin")
        blocked = start_chat(chat.company, visitor_name="Mallory")
        chat.agent.post(f"/v1/chat/visitors/{blocked.visitor_id}/block")
        chat.agent.post(f"/v1/chat/conversation/{blocked.conversation_id}/close")
        self.age(blocked, days=9)
        retention.forget_the_old(now=timezone.now())
        assert {v.name for v in rows(Visitor)} >= {"Erin", "Mallory"}
        assert f"cc_{talking.key.hex}" in {f"cc_{c.pk.hex}" for c in rows(Conversation)}

    def test_goes_on_after_a_crash_between_bytes_and_rows(self, told: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keep(told.company, 30)
        self.age(told, days=31)

        def crash(*args: object) -> str:
            raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr(retention, "encode", crash)
            with pytest.raises(MemoryError):
                retention.forget_the_old(now=timezone.now())
        assert (count(Conversation), count(Attachment), files()) == (1, 1, [])
        assert retention.forget_the_old(now=timezone.now()) == {told.tenant_id: (1, 1)}
