"""Visitors: what is known of them, where they are, and whether they may write."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.services import issue_api_key
from accounts.tenancy import tenant_scope
from chat.models import Conversation, Visitor, Widget
from chat.services import visitors
from common.errors import Invalid
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat, widget_of
from tests.chat.files import picture, upload
from tests.conftest import ApiClient

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
ORIGIN = "https://shop.example"


def patch(client: ApiClient, path: str, body: dict[str, Any]) -> Any:
    return client.patch(f"/v1/chat/{path}", body, content_type="application/json")


def start_from_page(company: factories.Company, *, address: str = "203.0.113.9", **body: Any) -> Any:
    key = widget_of(company).widget_key
    look = ApiClient().get(f"/v1/chat/widget/{key}", headers={"Origin": ORIGIN}).json()
    return ApiClient().post(
        "/v1/chat/conversation/start",
        {"widget_key": key, "embed_token": look["embed_token"], **body},
        headers={"User-Agent": FIREFOX},
        REMOTE_ADDR=address,
    )


def ask(company: factories.Company, *fields: dict[str, Any], **more: Any) -> None:
    with tenant_scope(company.tenant.pk):
        Widget.objects.for_tenant(company.tenant).update(pre_chat_fields=list(fields), **more)


class TestAgents:
    def test_see_who_and_where_a_visitor_is(self, acme: factories.Company) -> None:
        started = start_from_page(
            acme, visitor_name="Dana", language="de-AT", timezone="Europe/Vienna", attributes={"orders": 3}
        ).json()
        answer = ApiClient(acme.api_key).get(f"/v1/chat/visitors/{started['visitor_id']}")
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["name"], body["language"], body["attributes"]) == ("Dana", "de-AT", {"orders": 3})
        assert body["location"] == {
            "ip_address": "203.0.113.9", "timezone": "Europe/Vienna", "user_agent": "Firefox 133, Windows",
        }  # fmt: skip
        assert (body["is_online"], body["is_blocked"], body["is_verified"]) == (True, False, False)
        assert [row["id"] for row in body["conversations"]] == [started["conversation_id"]]

    def test_change_what_is_known_and_desks_read_the_rows_again(self, chat: Chat) -> None:
        before = rows(Conversation)[0].version
        answer = patch(
            chat.agent, f"visitors/{chat.visitor_id}", {"name": "Dana S.", "attributes": {"vip": True, "a": None}}
        )
        assert (answer.status_code, answer.json()["name"], answer.json()["attributes"]) == (
            200,
            "Dana S.",
            {"vip": True},
        )
        assert rows(Conversation)[0].version > before
        assert answer.json()["conversations"][0]["visitor"]["name"] == "Dana S."

    @pytest.mark.parametrize("id", ["vi_nonsense", "vi_" + "0" * 32, "cc_" + "0" * 32])
    def test_find_nobody_under_a_wrong_id(self, acme: factories.Company, id: str) -> None:
        for path in ("", "/block", "/unblock"):
            method = ApiClient(acme.api_key).post if path else ApiClient(acme.api_key).get
            assert method(f"/v1/chat/visitors/{id}{path}").status_code == 404

    def test_a_key_that_may_not_read_is_told_no_more_than_the_visitor(self, chat: Chat) -> None:
        with tenant_scope(chat.tenant_id):
            _, text = issue_api_key(tenant_id=chat.tenant_id, name="Bot", scopes={"chat.reply"})
        bot, own = ApiClient(text), chat.visitor.get("/v1/chat/visitor").json()
        path = f"visitors/{chat.visitor_id}"
        answers = [
            patch(bot, path, {}), bot.post(f"/v1/chat/{path}/block"), bot.post(f"/v1/chat/{path}/unblock"),
        ]  # fmt: skip
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, own)] * 3

    def test_of_another_company_find_nobody(self, chat: Chat, globex: factories.Company) -> None:
        outsider = ApiClient(globex.api_key)
        assert outsider.get(f"/v1/chat/visitors/{chat.visitor_id}").status_code == 404
        assert patch(outsider, f"visitors/{chat.visitor_id}", {"name": "x"}).status_code == 404
        assert outsider.post(f"/v1/chat/visitors/{chat.visitor_id}/block").status_code == 404
        assert outsider.delete(f"/v1/chat/visitors/{chat.visitor_id}").status_code == 404
        [visitor] = rows(Visitor)
        assert (visitor.name, visitor.blocked_at, visitor.erased_at) == ("Dana", None, None)


class TestAttributes:
    @pytest.mark.parametrize(
        ("attributes", "pointer"),
        [
            ([], "/attributes"),
            ("x", "/attributes"),
            ({f"a{n}": n for n in range(51)}, "/attributes"),
            ({"": 1}, "/attributes/"),
            ({"1st": 1}, "/attributes/1st"),
            ({"x" * 41: 1}, "/attributes/" + "x" * 41),
            ({"a": "x" * 501}, "/attributes/a"),
            ({"a": "x\0y"}, "/attributes/a"),
            ({"a": [1]}, "/attributes/a"),
            ({"a": {"b": 1}}, "/attributes/a"),
            ({"a": 2**53}, "/attributes/a"),
        ],
    )
    def test_are_few_and_short(self, chat: Chat, attributes: Any, pointer: str) -> None:
        answer = patch(chat.visitor, "visitor", {"attributes": attributes})
        assert answer.status_code == 422, answer.content
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert rows(Visitor)[0].attributes == {}

    def test_are_merged_and_stay_at_most_fifty(self, chat: Chat) -> None:
        patch(chat.visitor, "visitor", {"attributes": {f"a{n}": n for n in range(50)}})
        answer = patch(chat.visitor, "visitor", {"attributes": {"b": 1}})
        assert (answer.status_code, answer.json()["code"]) == (422, "too-many-attributes")
        assert patch(chat.visitor, "visitor", {"attributes": {"a0": None, "b": 1}}).status_code == 200
        assert len(rows(Visitor)[0].attributes) == 50


class TestAVisitor:
    def test_says_who_it_is(self, chat: Chat) -> None:
        answer = patch(chat.visitor, "visitor", {"name": "Dana S.", "email": "dana@home.example", "language": "de"})
        assert answer.json() == chat.visitor.get("/v1/chat/visitor").json() == {
            "id": chat.visitor_id, "name": "Dana S.", "email": "dana@home.example", "is_verified": False, "language": "de",
        }  # fmt: skip

    def test_is_nobody_else(self, chat: Chat) -> None:
        other = start_chat(chat.company, visitor_name="Erin")
        patch(other.visitor, "visitor", {"name": "Erin E."})
        assert chat.visitor.get("/v1/chat/visitor").json()["name"] == "Dana"
        assert chat.agent.get("/v1/chat/visitor").status_code == 403

    def test_tells_its_page(self, chat: Chat) -> None:
        before = rows(Conversation)[0].version
        patch(chat.visitor, "visitor", {"page": {"url": "https://shop.example/bikes", "title": "Bikes"}})
        [conversation] = rows(Conversation)
        assert (conversation.page_url, conversation.page_title) == ("https://shop.example/bikes", "Bikes")
        assert conversation.version > before
        assert [page["url"] for page in rows(Visitor)[0].recent_pages] == ["https://shop.example/bikes"]

    def test_keeps_the_newest_twenty_pages_and_no_repeats(self, chat: Chat) -> None:
        key = rows(Visitor)[0].pk
        with tenant_scope(chat.tenant_id):
            for number in range(25):
                for _ in range(2):
                    moment = timezone.now() + timedelta(minutes=number)
                    address = f"https://shop.example/{number}"
                    visitors.note_page(tenant_id=chat.tenant_id, visitor_id=key, url=address, title="", now=moment)
        pages = [page["url"].rpartition("/")[2] for page in rows(Visitor)[0].recent_pages]
        assert pages == [str(number) for number in range(5, 25)]

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "/bikes", "http://[", "file:///etc/passwd"]
    )
    def test_is_on_no_page_but_of_the_web(self, chat: Chat, url: str) -> None:
        answer = patch(chat.visitor, "visitor", {"page": {"url": url}})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/page/url")
        with tenant_scope(chat.tenant_id), pytest.raises(Invalid):
            visitors.note_page(
                tenant_id=chat.tenant_id, visitor_id=rows(Visitor)[0].pk, url=url, title="", now=timezone.now()
            )
        assert rows(Visitor)[0].recent_pages == []


class TestPreChat:
    TOPIC = {"key": "topic", "label": "Topic", "type": "select", "required": True, "options": ["Order", "Bike"]}
    PHONE = {"key": "phone", "label": "Telephone", "type": "phone", "required": False, "options": []}
    TERMS = {"key": "terms", "label": "I agree", "type": "checkbox", "required": True, "options": []}

    def test_answers_are_kept_with_the_conversation(self, acme: factories.Company) -> None:
        ask(acme, self.TOPIC, self.PHONE, self.TERMS)
        answers = {"topic": "Bike", "phone": " +1 555 0100 ", "terms": True, "unasked": "x"}
        answer = start_from_page(acme, pre_chat=answers)
        assert answer.status_code == 201, answer.content
        kept = {"topic": "Bike", "phone": "+1 555 0100", "terms": True}
        assert rows(Conversation)[0].metadata["pre_chat"] == kept
        shown = ApiClient(acme.api_key).get(f"/v1/chat/visitors/{answer.json()['visitor_id']}").json()
        assert shown["pre_chat"] == kept

    @pytest.mark.parametrize(
        ("answers", "pointers"),
        [
            ({}, ["/pre_chat/topic", "/pre_chat/terms"]),
            ({"topic": "  ", "terms": False}, ["/pre_chat/topic", "/pre_chat/terms"]),
            ({"topic": "Boat", "terms": True}, ["/pre_chat/topic"]),
            ({"topic": "Bike", "terms": "yes"}, ["/pre_chat/terms"]),
            ({"topic": "Bike", "terms": True, "phone": "call me"}, ["/pre_chat/phone"]),
            ({"topic": ["Bike"], "terms": True}, ["/pre_chat/topic"]),
        ],
    )
    def test_wrong_answers_begin_nothing(self, acme: factories.Company, answers: Any, pointers: list[str]) -> None:
        ask(acme, self.TOPIC, self.PHONE, self.TERMS)
        answer = start_from_page(acme, pre_chat=answers)
        assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, pointers)
        assert (count(Conversation), count(Visitor)) == (0, 0)

    def test_whoever_talks_already_is_not_asked_again(self, acme: factories.Company) -> None:
        ask(acme, self.TOPIC)
        first = start_from_page(acme, pre_chat={"topic": "Bike"}).json()
        again = start_from_page(acme, visitor_token=first["visitor_token"])
        assert (again.status_code, again.json()["conversation_id"]) == (200, first["conversation_id"])

    def test_an_address_that_is_known_is_not_asked_for_again(self, acme: factories.Company) -> None:
        ask(acme, require_email=True)
        answer = start_from_page(acme)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/visitor_email")
        first = start_from_page(acme, visitor_email="dana@home.example").json()
        visitor = ApiClient(first["visitor_token"])
        visitor.post(f"/v1/chat/conversation/{first['conversation_id']}/close")
        again = start_from_page(acme, visitor_token=first["visitor_token"])
        assert (again.status_code, again.json()["previous_conversation"]) == (201, first["conversation_id"])


class TestBlocking:
    def test_a_blocked_visitor_does_nothing_any_more(self, chat: Chat, send: Any) -> None:
        before = rows(Conversation)[0].version
        answer = chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block")
        assert (answer.status_code, answer.json()["is_blocked"]) == (200, True)
        assert rows(Conversation)[0].version > before
        key = widget_of(chat.company).widget_key
        refused = [
            send(chat.visitor, chat, "Hello"),
            upload(chat.visitor, chat, picture()),
            chat.visitor.get(f"/v1/chat/conversation/{chat.conversation_id}/events"),
            patch(chat.visitor, "visitor", {"name": "x"}),
            ApiClient(chat.company.api_key).post(
                "/v1/chat/conversation/start", {"widget_key": key, "visitor_token": chat.visitor_token}
            ),
        ]
        assert [(r.status_code, r.json()["code"]) for r in refused] == [(403, "blocked")] * 5
        assert count(Visitor) == 1

    def test_is_undone(self, chat: Chat, send: Any) -> None:
        chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block")
        answer = chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/unblock")
        assert (answer.json()["is_blocked"], answer.json()["blocked_at"]) == (False, None)
        assert send(chat.visitor, chat, "Hello").status_code == 201

    def test_a_repeat_changes_nothing(self, chat: Chat) -> None:
        chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block")
        before = rows(Visitor)[0].blocked_at
        assert chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block").status_code == 200
        assert rows(Visitor)[0].blocked_at == before


class TestATokenOf:
    def test_an_earlier_version_has_ended(self, chat: Chat) -> None:
        with tenant_scope(chat.tenant_id):
            Visitor.objects.for_tenant(chat.tenant_id).update(auth_version=2)
        answer = chat.visitor.get("/v1/chat/visitor")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")

    def test_nobody_is_refused(self, chat: Chat) -> None:
        start = {"widget_key": widget_of(chat.company).widget_key, "visitor_token": "vt_nonsense"}
        assert ApiClient("vt_nonsense").get("/v1/chat/visitor").status_code == 401
        answer = ApiClient(chat.company.api_key).post("/v1/chat/conversation/start", start)
        assert (answer.status_code, answer.json()["visitor_id"] != chat.visitor_id) == (201, True)
