"""The life of a conversation over HTTP."""

import base64
from typing import Any

import pytest
from django.test import Client

from accounts.tenancy import tenant_scope
from chat.models import Conversation, Visitor, Widget
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat, widget_of
from tests.conftest import ApiClient

ORIGIN = "https://shop.example"


def look(company: factories.Company, origin: str = ORIGIN) -> Any:
    return ApiClient().get(f"/v1/chat/widget/{widget_of(company).widget_key}", headers={"Origin": origin})


def start(company: factories.Company, **body: Any) -> Any:
    return ApiClient().post("/v1/chat/conversation/start", {"widget_key": widget_of(company).widget_key, **body})


class TestTheWidget:
    def test_answers_its_look_to_any_origin_without_a_list(self, acme: factories.Company) -> None:
        answer = look(acme)
        assert answer.status_code == 200
        assert answer.json()["primary_color"] == "#667eea"
        assert answer.json()["agents_online"] is False
        assert answer["Access-Control-Allow-Origin"] in {"*", ORIGIN}

    def test_refuses_a_wrong_origin(self, acme: factories.Company) -> None:
        self.allow(acme, ["shop.example", "*.acme.example"])
        assert look(acme, "https://evil.example").status_code == 403
        assert look(acme, "https://acme.example.evil.example").status_code == 403
        assert look(acme, "https://www.acme.example").status_code == 200
        assert look(acme).status_code == 200

    @pytest.mark.parametrize("key", ["cw_unknown", "cw_", "%00", "cw_%00", "x" * 500])
    def test_an_unknown_key_is_not_found(self, db: None, key: str) -> None:
        assert ApiClient().get(f"/v1/chat/widget/{key}").status_code == 404
        assert ApiClient().get(f"/chat/panel/{key}").status_code == 404

    def allow(self, company: factories.Company, domains: list[str]) -> None:
        with tenant_scope(company.tenant.pk):
            Widget.objects.for_tenant(company.tenant).update(domains_whitelist=domains)


class TestStarting:
    def test_takes_the_embed_token_of_the_page(self, acme: factories.Company) -> None:
        token = look(acme).json()["embed_token"]
        answer = start(acme, embed_token=token, page_url=f"{ORIGIN}/bikes", visitor_name="Dana")
        assert answer.status_code == 201
        body = answer.json()
        assert (body["status"], body["last_seq"]) == ("active", 1)
        assert body["visitor_token"].startswith("vt_")
        assert [c.page_url for c in rows(Conversation)] == [f"{ORIGIN}/bikes"]

    def test_answers_the_open_conversation_with_200(self, acme: factories.Company) -> None:
        token = look(acme).json()["embed_token"]
        first = start(acme, embed_token=token).json()
        second = start(acme, embed_token=token, visitor_token=first["visitor_token"])
        assert second.status_code == 200
        assert second.json()["conversation_id"] == first["conversation_id"]
        assert count(Conversation) == 1

    def test_begins_a_new_one_after_the_close(self, chat: Chat, acme: factories.Company) -> None:
        chat.visitor.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
        again = start_chat(acme, visitor_token=chat.visitor_token)
        assert again.visitor_id == chat.visitor_id
        assert again.conversation_id != chat.conversation_id

    def test_refuses_a_page_of_another_origin_than_the_tokens(self, acme: factories.Company) -> None:
        token = look(acme).json()["embed_token"]
        assert start(acme, embed_token=token, page_url="https://evil.example/").status_code == 403
        assert count(Conversation) == 0

    @pytest.mark.parametrize("page", ["http://[", "https://[::1", "https://shop.example:99999999/"])
    def test_refuses_a_page_that_is_no_address(self, acme: factories.Company, page: str) -> None:
        answer = start(acme, embed_token=look(acme).json()["embed_token"], page_url=page)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-origin")

    @pytest.mark.parametrize("token", ["", "forged", "a:b:c"])
    def test_refuses_a_forged_token(self, acme: factories.Company, token: str) -> None:
        assert start(acme, embed_token=token).status_code in {403, 422}
        assert count(Visitor) == 0

    def test_needs_a_token_or_a_key(self, acme: factories.Company) -> None:
        assert start(acme).status_code == 401

    def test_refuses_another_tenants_key(self, acme: factories.Company, globex: factories.Company) -> None:
        body = {"widget_key": widget_of(acme).widget_key}
        assert ApiClient(globex.api_key).post("/v1/chat/conversation/start", body).status_code == 404
        assert count(Conversation) == 0

    def test_of_an_unknown_widget_is_not_found(self, acme: factories.Company) -> None:
        body = {"widget_key": "cw_nobody", "embed_token": look(acme).json()["embed_token"]}
        assert ApiClient().post("/v1/chat/conversation/start", body).status_code == 404


class TestAccepting:
    def test_assigns_the_agent_once(self, chat: Chat, signed_in: Any) -> None:
        bob: Client = signed_in(chat.company.agent)
        path = f"/v1/chat/conversation/{chat.conversation_id}/accept"
        for _ in range(2):
            answer = bob.post(path, {}, content_type="application/json")
            assert answer.status_code == 200, answer.content
            assert answer.json()["agent"]["name"] == "Bob"
        assert rows(Conversation)[0].last_seq == 2

    def test_refuses_what_another_agent_has(self, chat: Chat, signed_in: Any) -> None:
        path = f"/v1/chat/conversation/{chat.conversation_id}/accept"
        signed_in(chat.company.agent).post(path, {}, content_type="application/json")
        answer = signed_in(chat.company.owner).post(path, {}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (409, "already-assigned")

    def test_is_not_for_finance(self, chat: Chat, signed_in: Any) -> None:
        path = f"/v1/chat/conversation/{chat.conversation_id}/accept"
        assert signed_in(chat.company.finance).post(path, {}, content_type="application/json").status_code == 403
        assert rows(Conversation)[0].assigned_agent_id is None


class TestClosingAndRating:
    def test_closes_once_and_takes_one_rating(self, chat: Chat) -> None:
        path = f"/v1/chat/conversation/{chat.conversation_id}"
        assert chat.agent.post(f"{path}/close").json()["status"] == "closed"
        assert chat.agent.post(f"{path}/close").status_code == 200
        rated = chat.visitor.post(f"{path}/rate", {"rating": 5, "feedback": "Quick!"})
        assert (rated.status_code, rated.json()["rating"]) == (200, 5)
        assert rows(Conversation)[0].last_seq == 3

    def test_refuses_to_rate_an_open_one(self, chat: Chat) -> None:
        answer = chat.visitor.post(f"/v1/chat/conversation/{chat.conversation_id}/rate", {"rating": 5})
        assert answer.status_code == 409

    @pytest.mark.parametrize("rating", [0, 6, "good", None])
    def test_refuses_a_rating_outside_1_to_5(self, chat: Chat, rating: object) -> None:
        chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
        answer = chat.visitor.post(f"/v1/chat/conversation/{chat.conversation_id}/rate", {"rating": rating})
        assert answer.status_code == 422
        assert rows(Conversation)[0].rating is None

    def test_an_agent_does_not_rate(self, chat: Chat) -> None:
        chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
        path = f"/v1/chat/conversation/{chat.conversation_id}/rate"
        assert chat.agent.post(path, {"rating": 5}).status_code == 403


class TestReading:
    def test_marks_only_move_forward_and_never_past_the_head(self, chat: Chat) -> None:
        path = f"/v1/chat/conversation/{chat.conversation_id}/read"
        assert chat.agent.post(path, {"seq": 99}).json()["agent_read_seq"] == 1
        assert chat.agent.post(path, {"seq": 0}).json()["agent_read_seq"] == 1

    def test_each_side_sees_the_others_mark_in_its_own_numbering(self, chat: Chat, send: Any) -> None:
        path = f"/v1/chat/conversation/{chat.conversation_id}"
        chat.agent.post(f"{path}/note", {"client_message_id": "n1", "text": "VIP"})
        send(chat.visitor, chat, "one", "m1")
        send(chat.agent, chat, "two", "a1")
        assert chat.agent.post(f"{path}/read", {"seq": 3}).json()["agent_read_seq"] == 3
        seen = chat.visitor.post(f"{path}/read", {"seq": 2}).json()
        assert (seen["visitor_read_seq"], seen["agent_read_seq"]) == (2, 2)
        [row] = chat.agent.get("/v1/chat/queue").json()["results"]
        assert (row["visitor_read_seq"], row["agent_read_seq"]) == (3, 3)

    def test_unread_follows_from_the_mark(self, chat: Chat, send: Any) -> None:
        send(chat.visitor, chat, "one", "m1")
        send(chat.visitor, chat, "two", "m2")
        [row] = chat.agent.get("/v1/chat/queue").json()["results"]
        assert (row["unread_count"], row["last_message"]["text"]) == (2, "two")
        chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/read", {"seq": 2})
        [row] = chat.agent.get("/v1/chat/queue").json()["results"]
        assert row["unread_count"] == 1

    def test_the_desks_list_pages_by_cursor(self, acme: factories.Company) -> None:
        started = {start_chat(acme, visitor_name=f"V{n}").conversation_id for n in range(5)}
        client, found = ApiClient(acme.api_key), []
        url: str | None = "/v1/chat/agent/conversations?limit=2"
        while url:
            page = client.get(url).json()
            found += [row["id"] for row in page["results"]]
            url = page["next"]
        assert len(found) == 5
        assert set(found) == started

    @pytest.mark.parametrize(
        "moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00"]
    )
    def test_refuses_moments_that_are_none(self, acme: factories.Company, moment: str) -> None:
        cursor = base64.urlsafe_b64encode(f"f|{moment}|{'0' * 32}".encode()).decode()
        for name, value in (("cursor", cursor), ("updated_after", moment)):
            answer = ApiClient(acme.api_key).get("/v1/chat/agent/conversations", {name: value})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{name}")

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "2026-01-01T00:00:00+20:00", "9999-12-31T23:59:59Z"])
    def test_a_cursor_nobody_gave_out_finds_what_it_says(self, acme: factories.Company, moment: str) -> None:
        cursor = base64.urlsafe_b64encode(f"f|{moment}|{'0' * 32}".encode()).decode()
        assert ApiClient(acme.api_key).get("/v1/chat/agent/conversations", {"cursor": cursor}).status_code == 200

    @pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "٣", "1" * 5000])
    def test_a_page_has_1_to_200(self, acme: factories.Company, limit: str) -> None:
        answer = ApiClient(acme.api_key).get("/v1/chat/agent/conversations", {"limit": limit})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/limit")

    def test_an_outsider_finds_nothing(self, chat: Chat, globex: factories.Company) -> None:
        mallory = ApiClient(globex.api_key)
        for path in ("events", "messages"):
            assert mallory.get(f"/v1/chat/conversation/{chat.conversation_id}/{path}").status_code == 404
        assert mallory.get("/v1/chat/agent/conversations").json()["results"] == []
