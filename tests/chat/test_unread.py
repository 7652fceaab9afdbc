"""Answers nobody has seen go by e-mail, once for several, with a link that opens the conversation again."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import jwt
import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client, override_settings
from django.utils import timezone

from accounts.tenancy import tenant_scope
from chat import services
from chat.mail_words import ENGLISH, WORDS, words_for
from chat.models import Conversation, Message, Visitor
from chat.resuming import resume_link
from chat.services import unread
from tests import factories
from tests.chat.conftest import Chat, start_chat, widget_of
from tests.chat.desk import ago, in_threads, set_conversation, set_widget, stored
from tests.conftest import ApiClient
from tests.factories import NOW

Send = Callable[..., Any]
Mailed = Callable[[], list[EmailMultiAlternatives]]


@pytest.fixture
def left(acme: factories.Company) -> Chat:
    """Dana, whose address is known, asked something and left."""
    chat = start_chat(acme, visitor_email="dana@example.com")
    set_visitor(chat, last_seen_at=ago(minutes=10))
    return chat


@pytest.fixture
def mailed(django_capture_on_commit_callbacks: Any) -> Mailed:
    """Run the look for unread answers; return what it mailed."""

    def run() -> list[EmailMultiAlternatives]:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            services.mail_unread(now=timezone.now())
        return list(mail.outbox)  # type: ignore[arg-type] # every mail of ours has both forms

    return run


def set_visitor(chat: Chat, **fields: Any) -> None:
    with tenant_scope(chat.tenant_id):
        Visitor.objects.for_tenant(chat.tenant_id).update(**fields)


def answer(chat: Chat, text: str, key: str, *, minutes_ago: float = 3) -> None:
    body = {"conversation_id": chat.conversation_id, "client_message_id": key, "text": text}
    assert chat.agent.post("/v1/chat/message/send", body).status_code == 201
    with tenant_scope(chat.tenant_id):
        rows = Message.objects.for_tenant(chat.tenant_id).filter(client_message_id=key)
        rows.update(created_at=ago(minutes=minutes_ago))


def link_in(message: EmailMultiAlternatives) -> str:
    [link] = re.findall(r"https?://\S+/chat/resume/(\S+)", str(message.body))
    return f"/chat/resume/{link}"


class TestTheMail:
    def test_shows_all_unread_answers_once(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes, we do.", "a1")
        answer(left, "In <b>red</b>, too.", "a2", minutes_ago=0)
        [message] = mailed()
        assert message.to == ["dana@example.com"]
        assert message.subject == "Acme has answered you"
        assert "Yes, we do." in message.body
        assert "In <b>red</b>, too." in message.body
        assert "In &lt;b&gt;red&lt;/b&gt;, too." in message.alternatives[0][0]
        assert stored(left).mailed_visitor_seq == stored(left).last_visitor_seq == 3
        assert mailed() == []

    def test_comes_again_for_the_next_answer_with_everything_unread(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes, we do.", "a1")
        assert len(mailed()) == 1
        answer(left, "Shall I keep one for you?", "a2")
        [message] = mailed()
        assert "Yes, we do." in message.body
        assert "Shall I keep one for you?" in message.body

    def test_shows_the_last_five_only(self, left: Chat, mailed: Mailed) -> None:
        for number in range(7):
            answer(left, f"answer {number}", f"a{number}")
        [message] = mailed()
        assert re.findall(r"answer \d", str(message.body)) == [f"answer {n}" for n in range(2, 7)]
        assert ENGLISH["more"] in message.body

    def test_goes_after_the_close_too(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Done.", "a1")
        left.agent.post(f"/v1/chat/conversation/{left.conversation_id}/close")
        assert len(mailed()) == 1

    def test_changes_no_row_of_the_desk(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes", "a1")
        before = stored(left).version
        assert len(mailed()) == 1
        assert stored(left).version == before

    @pytest.mark.parametrize("language", sorted(WORDS))
    def test_speaks_the_visitors_language(self, left: Chat, mailed: Mailed, language: str) -> None:
        set_visitor(left, language=f"{language}-XX")
        answer(left, "Si", "a1")
        [message] = mailed()
        words = words_for(language, company="Acme", date="")
        assert message.subject == words["subject"]
        html = str(message.alternatives[0][0])
        assert f'<html lang="{language}" dir="{words["direction"]}">' in html
        assert words["button"] in html

    def test_speaks_english_where_we_do_not_speak_theirs(self) -> None:
        assert words_for("tlh", company="Acme", date="")["subject"] == "Acme has answered you"
        assert words_for("", company="{x}", date="")["subject"] == "{x} has answered you"

    def test_has_every_word_in_every_language(self) -> None:
        assert {tuple(words) for words in WORDS.values()} == {tuple(ENGLISH)}


class TestNobodyIsWrittenTo:
    def test_before_two_minutes(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes", "a1", minutes_ago=1.9)
        assert mailed() == []

    def test_who_is_here(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes", "a1")
        set_visitor(left, last_seen_at=ago(seconds=30))
        assert mailed() == []

    def test_who_has_read_it(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes", "a1")
        left.visitor.post(f"/v1/chat/conversation/{left.conversation_id}/read", {"seq": 2})
        assert mailed() == []

    @pytest.mark.parametrize("fields", [{"email": ""}, {"blocked_at": NOW}, {"erased_at": NOW}], ids=str)
    def test_who_cannot_be(self, left: Chat, mailed: Mailed, fields: dict[str, Any]) -> None:
        answer(left, "Yes", "a1")
        set_visitor(left, **fields)
        assert mailed() == []

    def test_because_of_a_note_or_their_own_words(self, left: Chat, mailed: Mailed, send: Send) -> None:
        path = f"/v1/chat/conversation/{left.conversation_id}/note"
        left.agent.post(path, {"client_message_id": "n1", "text": "VIP"})
        send(left.visitor, left, "Hello?")
        set_visitor(left, last_seen_at=ago(minutes=10))
        with tenant_scope(left.tenant_id):
            Message.objects.for_tenant(left.tenant_id).update(created_at=ago(minutes=9))
        assert mailed() == []

    def test_of_what_is_older_than_a_day(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes", "a1", minutes_ago=60 * 25)
        set_conversation(left, last_message_at=ago(hours=25))
        assert mailed() == []

    def test_when_it_is_read_between_the_look_and_the_mail(
        self, left: Chat, django_capture_on_commit_callbacks: Any
    ) -> None:
        answer(left, "Yes", "a1")
        set_conversation(left, visitor_read_seq=2)
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            told = unread.tell_visitor(tenant_id=left.tenant_id, conversation_id=left.key, now=timezone.now())
        assert (told, callbacks) == (False, [])


def test_two_workers_write_once(committed_db: None) -> None:
    company = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    chat = start_chat(company, visitor_email="dana@example.com")
    answer(chat, "Yes", "a1")
    set_visitor(chat, last_seen_at=ago(minutes=10))
    mail.outbox.clear()
    barrier = Barrier(4, timeout=30)

    def work() -> int:
        barrier.wait()
        return services.mail_unread(now=timezone.now())

    assert sum(in_threads([work] * 4, threads=4)) == 1
    assert [m.to for m in mail.outbox] == [["dana@example.com"]]


class TestTheLink:
    def test_opens_the_conversation_as_its_visitor(self, left: Chat, mailed: Mailed) -> None:
        answer(left, "Yes", "a1")
        page = Client().get(link_in(mailed()[0]))
        assert page.status_code == 200
        config = config_of(page)
        assert config["session"]["conversation_id"] == left.conversation_id
        visitor = ApiClient(config["session"]["visitor_token"])
        events = visitor.get(f"/v1/chat/conversation/{left.conversation_id}/events")
        assert events.json()["events"][-1]["event"]["payload"]["message"]["text"] == "Yes"
        assert page["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]

    def test_lets_the_visitor_start_again_though_the_shop_has_a_list_of_domains(self, left: Chat) -> None:
        set_widget(left.company, domains_whitelist=["shop.example"])
        config = config_of(Client().get(path_of(left)))
        headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{factories.base_url()}{path_of(left)}"}
        look = ApiClient().get(f"/v1/chat/widget/{config['widget_key']}", headers=headers)
        assert look.status_code == 200
        left.agent.post(f"/v1/chat/conversation/{left.conversation_id}/close")
        body = {
            "widget_key": config["widget_key"],
            "embed_token": look.json()["embed_token"],
            "visitor_token": config["session"]["visitor_token"],
        }
        started = ApiClient().post("/v1/chat/conversation/start", body)
        assert (started.status_code, started.json()["visitor_id"]) == (201, left.visitor_id)

    @pytest.mark.parametrize("fields", [{"blocked_at": NOW}, {"erased_at": NOW}, {"auth_version": 2}], ids=str)
    def test_ends_with_its_visitor(self, left: Chat, fields: dict[str, Any]) -> None:
        path = path_of(left)
        set_visitor(left, **fields)
        assert Client().get(path).status_code == 404

    def test_does_not_open_what_has_become_another_persons(self, left: Chat, acme: factories.Company) -> None:
        path = path_of(left)
        somebody = start_chat(acme, visitor_name="Somebody")
        with tenant_scope(left.tenant_id):
            key = Visitor.objects.for_tenant(left.tenant_id).exclude(email="dana@example.com").get().pk
        set_conversation(somebody, status="closed")
        set_conversation(left, visitor_id=key)
        assert Client().get(path).status_code == 404

    def test_ends_when_its_visitor_is_of_another_address(self, left: Chat) -> None:
        path = path_of(left)
        secret = widget_of(left.company).identity_secret
        claims = {"sub": "dana-1", "email": "dana@work.example", "exp": timezone.now() + timedelta(hours=1)}
        body = {"identity_jwt": jwt.encode(claims, secret, algorithm="HS256")}
        assert left.visitor.patch("/v1/chat/visitor", body, content_type="application/json").status_code == 200
        assert Client().get(path).status_code == 404
        assert Client().get(path_of(left)).status_code == 200

    def test_ends_after_seven_days(self, left: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        path = path_of(left)
        later = (timezone.now() + timedelta(days=7, seconds=5)).timestamp()
        monkeypatch.setattr("django.core.signing.time.time", lambda: later)
        assert Client().get(path).status_code == 404

    @pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "WzFd:1:x", "x" * 900])
    def test_is_ours_or_nothing(self, db: None, token: str) -> None:
        assert Client().get(f"/chat/resume/{token}").status_code == 404

    def test_writes_nothing(self, left: Chat) -> None:
        path = path_of(left)
        before = (stored(left).version, stored(left).visitor_read_seq)
        assert Client().get(path).status_code == 200
        assert Client().post(path).status_code == 405
        assert (stored(left).version, stored(left).visitor_read_seq) == before

    @override_settings(IRISX_BASE_URL="https://chat.example")
    def test_stands_on_our_origin(self, left: Chat) -> None:
        with tenant_scope(left.tenant_id):
            row = Conversation.objects.for_tenant(left.tenant_id).select_related("visitor").get(pk=left.key)
        assert resume_link(row).startswith("https://chat.example/chat/resume/")


def path_of(chat: Chat) -> str:
    with tenant_scope(chat.tenant_id):
        row = Conversation.objects.for_tenant(chat.tenant_id).select_related("visitor").get(pk=chat.key)
    return resume_link(row).removeprefix(factories.base_url())


def config_of(page: Any) -> dict[str, Any]:
    [text] = re.findall(r'<script id="irisx-panel" type="application/json"[^>]*>(.*?)</script>', page.content.decode())
    config: dict[str, Any] = json.loads(text)
    return config
