"""Closed and open again, labels, and what the desk asks of lists."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.tenancy import tenant_scope
from chat.models import ChatEvent, Label, Message, Visitor
from common.ids import encode
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.desk import ago, chats_of, set_conversation, set_widget, sit_down, stored
from tests.conftest import ApiClient


def post(client: Any, chat: Chat, action: str, body: dict[str, Any] | None = None) -> Any:
    path = f"/v1/chat/conversation/{chat.conversation_id}/{action}"
    return client.post(path, body or {}, content_type="application/json")


def payloads(chat: Chat) -> list[tuple[str, dict[str, Any]]]:
    found = sorted(rows(ChatEvent, conversation_id=chat.key), key=lambda e: e.seq)
    return [(event.type, event.payload) for event in found]


@pytest.fixture
def closed(acme: factories.Company) -> Chat:
    """Bob had it, and it was closed."""
    sit_down(acme, acme.agent)
    chat = start_chat(acme)
    assert post(chat.agent, chat, "close").status_code == 200
    return chat


class TestAVisitorWrites:
    def test_within_a_day_and_goes_on_with_the_same_agent(self, closed: Chat, send: Any) -> None:
        company = closed.company
        sit_down(company, company.owner)
        sit_down(company, company.agent, active_chats=0, last_assigned_at=timezone.now())
        assert send(closed.visitor, closed, "One more thing").status_code == 201
        row = stored(closed)
        assert (row.status, row.closed_at, row.assigned_agent_id) == ("active", None, company.agent.pk)
        assert (row.accepted_at, row.waiting_since is not None, chats_of(company.agent)) == (None, True, 1)
        bob = {"id": encode("us", company.agent.pk), "name": "Bob"}
        assert payloads(closed)[-3:-1] == [
            ("status", {"status": "active", "by": "visitor"}),
            ("assignment", {"agent": bob, "reason": "reopened"}),
        ]

    def test_is_routed_when_that_agent_is_not_available(self, closed: Chat, send: Any) -> None:
        sit_down(closed.company, closed.company.agent, status="away")
        sit_down(closed.company, closed.company.owner)
        assert send(closed.visitor, closed, "One more thing").status_code == 201
        assert stored(closed).assigned_agent_id == closed.company.owner.pk
        assert (chats_of(closed.company.agent), chats_of(closed.company.owner)) == (0, 1)

    def test_waits_as_a_message_when_nobody_is_there(self, closed: Chat, send: Any) -> None:
        sit_down(closed.company, closed.company.agent, status="offline")
        assert send(closed.visitor, closed, "One more thing").status_code == 201
        row = stored(closed)
        assert (row.assigned_agent_id, row.queued_at is not None, row.is_offline) == (None, True, True)

    def test_what_was_abandoned_opens_too(self, closed: Chat, send: Any) -> None:
        set_conversation(closed, status="abandoned")
        assert send(closed.visitor, closed, "I am back").status_code == 201
        assert stored(closed).status == "active"

    def test_later_is_told_that_it_is_closed(self, closed: Chat, send: Any) -> None:
        set_conversation(closed, closed_at=ago(hours=25))
        answer = send(closed.visitor, closed, "Hello again")
        assert (answer.status_code, answer.json()["code"]) == (409, "conversation-closed")
        assert answer.json()["next_conversation"] is None
        assert (stored(closed).status, count(Message)) == ("closed", 0)

    @pytest.mark.parametrize("hours", [1, 25])
    def test_is_told_of_the_newer_one(self, closed: Chat, send: Any, hours: int) -> None:
        newer = start_chat(closed.company, visitor_token=closed.visitor_token)
        set_conversation(closed, closed_at=ago(hours=hours))
        answer = send(closed.visitor, closed, "Hello again")
        assert (answer.status_code, answer.json()["code"]) == (409, "conversation-closed")
        assert answer.json()["next_conversation"] == newer.conversation_id
        assert stored(newer).previous_id == closed.key
        assert count(Message) == 0

    def test_the_same_again_after_the_close_opens_nothing(self, closed: Chat, send: Any) -> None:
        send(closed.visitor, closed, "Thanks", "t1")
        post(closed.agent, closed, "close")
        assert send(closed.visitor, closed, "Thanks", "t1").status_code == 200
        assert stored(closed).status == "closed"

    def test_may_not_when_blocked(self, closed: Chat, send: Any) -> None:
        with tenant_scope(closed.tenant_id):
            Visitor.objects.for_tenant(closed.tenant_id).update(blocked_at=timezone.now())
        answer = send(closed.visitor, closed, "Let me in")
        assert (answer.status_code, answer.json()["code"]) == (403, "blocked")
        assert (stored(closed).status, count(Message)) == ("closed", 0)


class TestAnAgentReopens:
    def test_at_any_time_and_has_it(self, closed: Chat, signed_in: Any) -> None:
        set_conversation(closed, closed_at=ago(days=400), last_message_at=ago(days=400))
        row = post(signed_in(closed.company.owner), closed, "reopen").json()
        assert (row["status"], row["closed_at"], row["agent"]["name"]) == ("active", None, "Alice")
        assert row["accepted_at"] is not None
        assert (chats_of(closed.company.owner), chats_of(closed.company.agent)) == (1, 0)
        assert payloads(closed)[-2] == ("status", {"status": "active", "by": "agent"})

    def test_what_is_open_stays_as_it_is(self, chat: Chat, signed_in: Any) -> None:
        assert post(signed_in(chat.company.owner), chat, "reopen").status_code == 200
        assert (stored(chat).last_seq, stored(chat).assigned_agent_id) == (1, None)

    def test_not_beside_a_newer_open_one(self, closed: Chat, signed_in: Any) -> None:
        newer = start_chat(closed.company, visitor_token=closed.visitor_token)
        answer = post(signed_in(closed.company.owner), closed, "reopen")
        assert (answer.status_code, answer.json()["code"]) == (409, "newer-conversation")
        assert answer.json()["next_conversation"] == newer.conversation_id
        assert stored(closed).status == "closed"

    def test_not_an_erased_visitors(self, closed: Chat, signed_in: Any) -> None:
        with tenant_scope(closed.tenant_id):
            Visitor.objects.for_tenant(closed.tenant_id).update(erased_at=timezone.now())
        answer = post(signed_in(closed.company.owner), closed, "reopen")
        assert (answer.status_code, answer.json()["code"]) == (409, "visitor-erased")

    def test_through_an_integration_it_goes_to_who_had_it(self, closed: Chat) -> None:
        row = post(closed.agent, closed, "reopen").json()
        assert (row["agent"]["name"], row["accepted_at"]) == ("Bob", None)
        assert chats_of(closed.company.agent) == 1


class TestLabels:
    def test_stand_on_the_row_and_join_the_catalogue(self, chat: Chat, signed_in: Any) -> None:
        bob = signed_in(chat.company.agent)
        row = post(bob, chat, "labels", {"labels": ["vip", " billing ", "vip"]}).json()
        assert row["labels"] == ["vip", "billing"]
        assert sorted(label.name for label in rows(Label)) == ["billing", "vip"]
        by = {"id": encode("us", chat.company.agent.pk), "name": "Bob"}
        first = {"labels": ["vip", "billing"], "added": ["vip", "billing"], "removed": [], "by": by}
        assert payloads(chat)[-1] == ("label", first)
        post(bob, chat, "labels", {"labels": ["billing"]})
        assert payloads(chat)[-1][1]["removed"] == ["vip"]
        assert len(rows(Label)) == 2

    def test_are_for_agents_eyes(self, chat: Chat) -> None:
        post(chat.agent, chat, "labels", {"labels": ["difficult"]})
        seen = chat.visitor.get(f"/v1/chat/conversation/{chat.conversation_id}/events")
        assert [event["seq"] for event in seen.json()["events"]] == [1]
        assert b"difficult" not in seen.content

    def test_the_same_again_logs_nothing(self, chat: Chat) -> None:
        post(chat.agent, chat, "labels", {"labels": ["vip"]})
        post(chat.agent, chat, "labels", {"labels": ["vip"]})
        assert stored(chat).last_seq == 2

    def test_stand_on_closed_ones_too(self, closed: Chat) -> None:
        assert post(closed.agent, closed, "labels", {"labels": ["done"]}).json()["labels"] == ["done"]

    @pytest.mark.parametrize(
        ("labels", "pointer"),
        [
            (["ok", ""], "/labels/1"),
            (["  "], "/labels/0"),
            (["x" * 41], "/labels/0"),
            ([f"l{n}" for n in range(21)], "/labels"),
            ("vip", "/labels"),
            ([{"name": "vip"}], "/labels/0"),
        ],
        ids=["empty", "blank", "long", "many", "text", "object"],
    )
    def test_refuses_what_is_no_label(self, chat: Chat, labels: Any, pointer: str) -> None:
        answer = post(chat.agent, chat, "labels", {"labels": labels})
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
        assert (stored(chat).labels, count(Label)) == ([], 0)

    def test_of_a_strangers_conversation_leave_nothing(self, chat: Chat, globex: factories.Company) -> None:
        assert post(ApiClient(globex.api_key), chat, "labels", {"labels": ["mine"]}).status_code == 404
        assert count(Label) == 0


class TestTheDesksLists:
    def listed(self, company: factories.Company, **filters: str) -> list[str]:
        answer = ApiClient(company.api_key).get(f"/v1/chat/agent/conversations?{urlencode(filters)}")
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["results"]]

    def test_narrow_to_a_visitor_a_label_and_what_changed(self, acme: factories.Company) -> None:
        one, two = start_chat(acme), start_chat(acme)
        post(one.agent, one, "labels", {"labels": ["vip"]})
        assert self.listed(acme, visitor=two.visitor_id) == [two.conversation_id]
        assert self.listed(acme, label="vip") == [one.conversation_id]
        changed = stored(two).updated_at
        assert self.listed(acme, updated_after=changed.isoformat()) == [one.conversation_id]
        assert self.listed(acme, updated_after=(changed - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")) == [
            two.conversation_id,
            one.conversation_id,
        ]

    def test_a_strangers_visitor_has_none(self, chat: Chat, globex: factories.Company) -> None:
        assert self.listed(globex, visitor=chat.visitor_id) == []

    @pytest.mark.parametrize(
        "query",
        ["updated_after=yesterday", "updated_after=2026-01-01T00:00:00", "updated_after=2026-99-01T00:00:00Z"],
    )
    def test_refuse_what_is_no_moment(self, chat: Chat, query: str) -> None:
        answer = chat.agent.get(f"/v1/chat/agent/conversations?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/updated_after")

    def test_nor_what_is_no_visitor(self, chat: Chat) -> None:
        assert chat.agent.get("/v1/chat/agent/conversations?visitor=Dana").status_code == 404
        assert chat.agent.get("/v1/chat/agent/conversations?label=%00").json()["results"] == []

    def test_show_who_may_answer_and_how_busy_they_are(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent, limit=3)
        chat = start_chat(acme)
        shown = chat.agent.get("/v1/chat/agents").json()["results"]
        bob = {"name": "Bob", "status": "online", "active_chats": 1, "max_concurrent_chats": 3}
        alice = {"name": "Alice", "status": "offline", "active_chats": 0, "max_concurrent_chats": 5}
        assert [{k: v for k, v in row.items() if k != "id"} for row in shown] == [alice, bob]
        assert [row["id"] for row in shown] == [encode("us", user.pk) for user in (acme.owner, acme.agent)]

    def test_show_an_agent_gone_as_offline(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent, last_seen_at=ago(seconds=71))
        shown = ApiClient(acme.api_key).get("/v1/chat/agents").json()["results"]
        assert [row["status"] for row in shown] == ["offline", "offline"]

    @pytest.mark.parametrize("most", [0, 51, "many", -1])
    def test_refuse_an_impossible_limit(self, acme: factories.Company, signed_in: Any, most: Any) -> None:
        body = {"status": "online", "max_concurrent_chats": most}
        answer = signed_in(acme.agent).post("/v1/chat/agent/presence", body, content_type="application/json")
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == ["/max_concurrent_chats"]


def test_delivered_marks_move_forward_only(chat: Chat, send: Any) -> None:
    send(chat.agent, chat, "Hello", "a1")
    assert post(chat.visitor, chat, "delivered", {"seq": 9}).json()["visitor_delivered_seq"] == 2
    assert post(chat.visitor, chat, "delivered", {"seq": 1}).json()["visitor_delivered_seq"] == 2
    assert post(chat.agent, chat, "delivered", {"seq": 1}).json()["agent_delivered_seq"] == 1


def test_hours_decide_whether_a_start_is_an_offline_message(acme: factories.Company) -> None:
    sit_down(acme, acme.agent)
    always = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    set_widget(acme, business_hours=always)
    assert stored(start_chat(acme)).is_offline is False
