"""Routing: who is offered a chat, the queue, what comes back, and the count of each agent's chats."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, OutboxEvent
from accounts.permissions import Role
from accounts.presence.models import AgentPresence
from accounts.signals import presence_changed
from accounts.tenancy import tenant_scope
from chat import services
from chat.models import ChatEvent, Visitor
from chat.services import routing, slots, tending
from common.ids import encode
from tests import factories
from tests.assertions import rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.desk import ago, chats_of, colleague, set_conversation, set_widget, sit_down, stored

Send = Callable[..., Any]


def events(chat: Chat, type: str = "assignment") -> list[dict[str, Any]]:
    return [e.payload for e in sorted(rows(ChatEvent, conversation_id=chat.key), key=lambda e: e.seq) if e.type == type]


def post(client: Client, chat: Chat, action: str, body: dict[str, Any] | None = None) -> Any:
    path = f"/v1/chat/conversation/{chat.conversation_id}/{action}"
    return client.post(path, body or {}, content_type="application/json")


def drain(chat: Chat) -> int:
    return services.drain(tenant_id=chat.tenant_id, now=timezone.now())


def name_of(chat: Chat) -> str | None:
    agent = stored(chat).assigned_agent
    return agent.name if agent else None


class TestAStart:
    def test_is_offered_to_the_agent_who_is_there(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        row = stored(chat)
        assert (row.assigned_agent_id, row.accepted_at, row.queued_at) == (acme.agent.pk, None, None)
        agent = {"id": encode("us", acme.agent.pk), "name": "Bob"}
        assert events(chat) == [{"agent": agent, "reason": "routed"}]
        assert chats_of(acme.agent) == 1
        announced = [e.type for e in sorted(rows(OutboxEvent), key=lambda e: e.sequence)]
        assert announced == ["chat.conversation.started", "chat.conversation.assigned"]

    @pytest.mark.parametrize(
        "absence",
        [
            {"status": "away"}, {"status": "busy"}, {"status": "offline"}, {"last_seen_at": None},
            {"last_seen_at": factories.NOW}, {"active_chats": 5},
        ],
        ids=str,
    )  # fmt: skip
    def test_queues_while_nobody_is_free(self, acme: factories.Company, absence: dict[str, Any]) -> None:
        before = sit_down(acme, acme.agent, **absence)
        chat = start_chat(acme)
        assert stored(chat).assigned_agent_id is None
        assert stored(chat).queued_at == stored(chat).created_at
        assert [r.active_chats for r in rows(AgentPresence)] == [before.active_chats]

    def test_passes_over_who_may_not_chat(self, acme: factories.Company) -> None:
        sit_down(acme, acme.finance)
        left = factories.add_person(acme, "Lea", Role.AGENT)
        sit_down(acme, left.user)
        with tenant_scope(acme.tenant.pk):
            Membership.objects.for_tenant(acme.tenant).filter(pk=left.pk).update(is_active=False)
        assert name_of(start_chat(acme)) is None

    def test_passes_over_another_companys_agents(self, acme: factories.Company, globex: factories.Company) -> None:
        sit_down(globex, globex.agent)
        assert name_of(start_chat(acme)) is None

    def test_goes_to_the_least_busy_then_to_who_had_none_for_longest(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent, active_chats=2, last_assigned_at=ago(hours=9))
        sit_down(acme, acme.owner, active_chats=1, last_assigned_at=ago(minutes=1))
        sit_down(acme, colleague(acme, "Ann"), active_chats=1, last_assigned_at=ago(minutes=2))
        picked = slots_in_turn(acme, "least_busy", 4)
        assert picked == ["Ann", "Alice", "Bob", "Ann"]

    def test_goes_round_in_turn(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent, active_chats=2, last_assigned_at=ago(hours=9), limit=4)
        sit_down(acme, acme.owner, active_chats=0, last_assigned_at=ago(minutes=1))
        assert slots_in_turn(acme, "round_robin", 5) == ["Bob", "Alice", "Bob", "Alice", "Alice"]

    def test_waits_to_be_chosen_by_hand_where_nobody_routes(self, acme: factories.Company) -> None:
        set_widget(acme, routing="manual")
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        assert (name_of(chat), drain(chat)) == (None, 0)
        assert [row["id"] for row in chat.agent.get("/v1/chat/queue").json()["results"]] == [chat.conversation_id]

    def test_does_not_pass_those_who_wait(self, acme: factories.Company) -> None:
        first = start_chat(acme)
        sit_down(acme, acme.agent, limit=1)
        second = start_chat(acme)
        assert (name_of(first), name_of(second)) == (None, None)
        assert drain(first) == 1
        assert (name_of(first), name_of(second)) == ("Bob", None)

    def test_is_left_as_a_message_while_nobody_is_online_or_hours_are_over(self, acme: factories.Company) -> None:
        assert stored(start_chat(acme)).is_offline is True
        sit_down(acme, acme.agent)
        assert stored(start_chat(acme)).is_offline is False
        closed = {day: [] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
        set_widget(acme, business_hours=closed)
        assert stored(start_chat(acme)).is_offline is True

    def test_names_the_conversation_before(self, chat: Chat, acme: factories.Company) -> None:
        post(chat.agent, chat, "close")
        again = start_chat(acme, visitor_token=chat.visitor_token)
        row = again.agent.get("/v1/chat/queue").json()["results"][0]
        assert row["previous_conversation"] == chat.conversation_id
        assert chat.agent.get(f"/v1/chat/agent/conversations?visitor={chat.visitor_id}&status=closed").json()["results"][
            0
        ]["previous_conversation"] is None  # fmt: skip


def slots_in_turn(company: factories.Company, routing: str, times: int) -> list[str]:
    names = {u.pk: u.name for u in (m.user for m in rows(Membership))}
    picked = []
    for step in range(times):
        with tenant_scope(company.tenant.pk):
            moment = timezone.now() + timedelta(seconds=step)
            key = slots.claim(tenant_id=company.tenant.pk, routing=routing, excluded=[], now=moment)
        picked.append(names[key] if key else "nobody")
    return picked


class TestTheQueue:
    def test_drains_oldest_first_up_to_the_limit(self, acme: factories.Company) -> None:
        chats = [start_chat(acme, visitor_name=f"V{n}") for n in range(3)]
        sit_down(acme, acme.agent, limit=2)
        assert drain(chats[0]) == 2
        assert [name_of(chat) for chat in chats] == ["Bob", "Bob", None]
        assert chats_of(acme.agent) == 2
        assert drain(chats[0]) == 0

    def test_drains_when_an_agent_closes_a_chat(
        self, acme: factories.Company, django_capture_on_commit_callbacks: Any
    ) -> None:
        sit_down(acme, acme.agent, limit=1)
        first, second = start_chat(acme), start_chat(acme)
        assert name_of(second) is None
        with django_capture_on_commit_callbacks(execute=True):
            post(first.agent, first, "close")
        assert name_of(second) == "Bob"
        assert chats_of(acme.agent) == 1

    def test_drains_when_an_agent_comes_online(
        self, chat: Chat, signed_in: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            client = signed_in(chat.company.agent)
            answer = client.post("/v1/chat/agent/presence", {"status": "online"}, content_type="application/json")
        assert answer.status_code == 200
        assert name_of(chat) == "Bob"

    def test_does_not_drain_when_an_agent_goes_away(self, chat: Chat, django_capture_on_commit_callbacks: Any) -> None:
        sit_down(chat.company, chat.company.owner)
        with django_capture_on_commit_callbacks(execute=True), tenant_scope(chat.tenant_id):
            presence_changed.send(
                sender=AgentPresence,
                tenant_id=chat.tenant_id,
                user_id=chat.company.agent.pk,
                status="away",
                now=timezone.now(),
            )
        assert name_of(chat) is None

    def test_drains_when_an_agents_limit_is_raised(
        self, acme: factories.Company, signed_in: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        sit_down(acme, acme.agent, limit=1)
        first, second = start_chat(acme), start_chat(acme)
        body = {"status": "online", "max_concurrent_chats": 2}
        with django_capture_on_commit_callbacks(execute=True):
            answer = signed_in(acme.agent).post("/v1/chat/agent/presence", body, content_type="application/json")
        assert answer.json()["max_concurrent_chats"] == 2
        assert (name_of(first), name_of(second)) == ("Bob", "Bob")

    def test_is_shown_in_the_order_it_waits(self, acme: factories.Company) -> None:
        first, second = start_chat(acme), start_chat(acme)
        set_conversation(first, queued_at=ago(seconds=1))
        set_conversation(second, queued_at=ago(minutes=1))
        shown = first.agent.get("/v1/chat/queue").json()["results"]
        assert [row["id"] for row in shown] == [second.conversation_id, first.conversation_id]

    def test_is_drained_for_every_company(self, acme: factories.Company, globex: factories.Company) -> None:
        ours, theirs = start_chat(acme), start_chat(globex)
        sit_down(acme, acme.agent)
        sit_down(globex, globex.agent)
        assert services.drain_all(now=timezone.now()) == 2
        assert (name_of(ours), name_of(theirs)) == ("Bob", "Mark")


class TestAccepting:
    def test_takes_up_what_was_offered_without_a_second_assignment(
        self, acme: factories.Company, signed_in: Any
    ) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        row = post(signed_in(acme.agent), chat, "accept").json()
        assert row["accepted_at"] is not None
        assert len(events(chat)) == 1
        assert chats_of(acme.agent) == 1

    def test_refuses_what_is_offered_to_a_colleague(self, acme: factories.Company, signed_in: Any) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        answer = post(signed_in(acme.owner), chat, "accept")
        assert (answer.status_code, answer.json()["code"]) == (409, "already-assigned")
        assert stored(chat).assigned_agent_id == acme.agent.pk

    def test_may_exceed_the_limit(self, acme: factories.Company, signed_in: Any) -> None:
        sit_down(acme, acme.agent, limit=1)
        first, second = start_chat(acme), start_chat(acme)
        assert post(signed_in(acme.agent), second, "accept").status_code == 200
        assert (name_of(first), name_of(second)) == ("Bob", "Bob")
        assert chats_of(acme.agent) == 2

    def test_counts_for_an_agent_who_was_never_online(self, chat: Chat, signed_in: Any) -> None:
        post(signed_in(chat.company.agent), chat, "accept")
        assert chats_of(chat.company.agent) == 1

    @pytest.mark.parametrize("offered", [True, False])
    def test_an_agents_first_answer_takes_it_up(self, acme: factories.Company, signed_in: Any, offered: bool) -> None:
        if offered:
            sit_down(acme, acme.agent)
        chat = start_chat(acme)
        body = {"conversation_id": chat.conversation_id, "client_message_id": "a1", "text": "Hi"}
        bob = signed_in(acme.agent)
        post(bob, chat, "note", {"client_message_id": "n1", "text": "mine?"})
        assert stored(chat).accepted_at is None
        assert bob.post("/v1/chat/message/send", body, content_type="application/json").status_code == 201
        row = stored(chat)
        assert (row.assigned_agent_id, row.accepted_at is not None, row.queued_at) == (acme.agent.pk, True, None)
        assert chats_of(acme.agent) == 1
        assert [e["reason"] for e in events(chat)] == ["routed" if offered else "replied"]

    def test_an_integrations_answer_takes_nothing_up(self, chat: Chat, send: Send) -> None:
        send(chat.agent, chat, "We are busy", "k1")
        assert (name_of(chat), stored(chat).queued_at is not None) == (None, True)


class TestTransferring:
    def test_offers_it_to_a_colleague_with_a_note(self, acme: factories.Company, signed_in: Any) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        to = encode("us", acme.owner.pk)
        row = post(signed_in(acme.agent), chat, "transfer", {"agent": to, "note": "Wants an invoice"}).json()
        assert (row["agent"]["name"], row["accepted_at"], row["queued_at"]) == ("Alice", None, None)
        assert [e["message"]["text"] for e in events(chat, "message")] == ["Wants an invoice"]
        assert events(chat)[-1] == {"agent": {"id": to, "name": "Alice"}, "reason": "transferred"}
        assert (chats_of(acme.agent), chats_of(acme.owner)) == (0, 1)
        assert b"invoice" not in chat.visitor.get(f"/v1/chat/conversation/{chat.conversation_id}/events").content

    def test_to_oneself_takes_it_over(self, acme: factories.Company, signed_in: Any) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        post(signed_in(acme.owner), chat, "transfer", {"agent": encode("us", acme.owner.pk)})
        assert (name_of(chat), stored(chat).accepted_at is not None) == ("Alice", True)
        assert (chats_of(acme.agent), chats_of(acme.owner)) == (0, 1)

    def test_back_to_the_queue_keeps_the_visitors_place(self, acme: factories.Company, send: Send) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        send(chat.visitor, chat, "Hello?")
        row = post(chat.agent, chat, "transfer", {"agent": None}).json()
        assert (row["agent"], row["queued_at"]) == (None, row["waiting_since"])
        assert chats_of(acme.agent) == 0
        assert events(chat)[-1] == {"agent": None, "reason": "returned"}

    def test_again_to_the_same_changes_nothing(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        post(chat.agent, chat, "transfer", {"agent": encode("us", acme.agent.pk)})
        assert len(events(chat)) == 1
        assert chats_of(acme.agent) == 1

    @pytest.mark.parametrize("who", ["finance", "stranger", "nobody", "rubbish", "left"])
    def test_refuses_somebody_who_cannot_chat_here(self, chat: Chat, globex: factories.Company, who: str) -> None:
        left = factories.add_person(chat.company, "Lea", Role.AGENT)
        with tenant_scope(chat.tenant_id):
            Membership.objects.for_tenant(chat.tenant_id).filter(pk=left.pk).update(is_active=False)
        ids = {
            "finance": encode("us", chat.company.finance.pk), "stranger": encode("us", globex.agent.pk),
            "nobody": "us_" + "0" * 32, "rubbish": "Bob", "left": encode("us", left.user_id),
        }  # fmt: skip
        answer = post(chat.agent, chat, "transfer", {"agent": ids[who], "note": "Take it"})
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == ["/agent"]
        assert stored(chat).last_seq == 1

    def test_refuses_a_closed_conversation(self, chat: Chat) -> None:
        post(chat.agent, chat, "close")
        assert post(chat.agent, chat, "transfer", {"agent": None}).status_code == 409

    def test_is_not_for_the_visitor_nor_for_a_stranger(self, chat: Chat, globex: factories.Company) -> None:
        for action in ("transfer", "labels", "reopen", "accept"):
            body = {"agent": None, "labels": ["x"]}
            assert post(chat.visitor, chat, action, body).status_code == 403
            assert post(Client(), chat, action, body).status_code == 401
        mallory = Client()
        mallory.force_login(globex.owner)
        for action in ("transfer", "labels", "reopen", "accept"):
            assert post(mallory, chat, action, {"agent": None, "labels": ["x"]}).status_code == 404
        assert stored(chat).last_seq == 1


class TestTheRound:
    def tend(self) -> int:
        return services.tend_all(now=timezone.now())

    def test_returns_an_offer_nobody_took_up_and_asks_another(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        sit_down(acme, acme.owner, active_chats=0)
        set_conversation(chat, assigned_at=ago(seconds=61))
        assert self.tend() == 1
        assert events(chat)[-1] == {"agent": None, "reason": "no-answer"}
        assert drain(chat) == 1
        assert name_of(chat) == "Alice"
        assert (chats_of(acme.agent), chats_of(acme.owner)) == (0, 1)
        set_conversation(chat, assigned_at=ago(seconds=61))
        assert (self.tend(), drain(chat)) == (1, 1)
        assert name_of(chat) == "Bob"  # all have missed it: another round, but not at once the same

    def test_asks_the_same_agent_again_when_there_is_no_other(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        set_conversation(chat, assigned_at=ago(seconds=61))
        assert (self.tend(), drain(chat)) == (1, 1)
        assert name_of(chat) == "Bob"
        assert chats_of(acme.agent) == 1

    def test_leaves_what_was_taken_up(self, acme: factories.Company, signed_in: Any) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        post(signed_in(acme.agent), chat, "accept")
        set_conversation(chat, assigned_at=ago(seconds=90))
        assert self.tend() == 0

    def test_forgets_who_missed_it_once_it_is_taken_up(self, acme: factories.Company, signed_in: Any) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        set_conversation(chat, assigned_at=ago(seconds=61))
        self.tend()
        assert routing.missed_by(stored(chat)) == [acme.agent.pk]
        post(signed_in(acme.owner), chat, "accept")
        assert stored(chat).metadata == {}

    def test_returns_the_waiting_chats_of_an_agent_who_is_gone(
        self, acme: factories.Company, signed_in: Any, send: Send
    ) -> None:
        sit_down(acme, acme.agent)
        waiting, quiet = start_chat(acme), start_chat(acme)
        for chat in (waiting, quiet):
            post(signed_in(acme.agent), chat, "accept")
            set_conversation(chat, assigned_at=ago(minutes=3), accepted_at=ago(minutes=3))
        send(waiting.visitor, waiting, "Are you there?")
        sit_down(acme, acme.agent, last_seen_at=ago(minutes=2))
        assert self.tend() == 0  # not declared gone yet
        sit_down(acme, acme.agent, last_seen_at=ago(minutes=2), gone_at=ago(seconds=30))
        assert self.tend() == 1
        assert (name_of(waiting), name_of(quiet)) == (None, "Bob")
        assert events(waiting)[-1] == {"agent": None, "reason": "agent-gone"}
        assert stored(waiting).queued_at == stored(waiting).waiting_since
        send(quiet.visitor, quiet, "One more thing")
        assert self.tend() == 1
        assert (name_of(quiet), chats_of(acme.agent)) == (None, 0)

    def test_abandons_what_nobody_answered_when_its_visitor_is_gone(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        with tenant_scope(chat.tenant_id):
            Visitor.objects.for_tenant(chat.tenant_id).update(last_seen_at=ago(minutes=16))
        set_conversation(chat, last_message_at=ago(minutes=16))
        assert self.tend() == 1
        row = stored(chat)
        assert (row.status, row.closed_at is not None, row.queued_at) == ("abandoned", True, None)
        assert events(chat, "status")[-1] == {"status": "abandoned", "by": "system"}
        assert chats_of(acme.agent) == 0

    def test_keeps_what_was_left_while_nobody_was_there(self, chat: Chat, send: Send) -> None:
        send(chat.visitor, chat, "Call me back")
        with tenant_scope(chat.tenant_id):
            Visitor.objects.for_tenant(chat.tenant_id).update(last_seen_at=ago(days=3))
        set_conversation(chat, last_message_at=ago(days=3), waiting_since=ago(days=3), queued_at=ago(days=3))
        assert self.tend() == 0
        assert stored(chat).status == "active"

    def test_closes_an_idle_chat(self, acme: factories.Company, signed_in: Any, send: Send) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        post(signed_in(acme.agent), chat, "accept")
        send(chat.visitor, chat, "Thanks!")
        hour = ago(minutes=61)
        set_conversation(chat, assigned_at=hour, accepted_at=hour, last_message_at=hour, first_response_at=hour)
        assert self.tend() == 0  # the visitor waits for a word
        set_conversation(chat, waiting_since=None)
        assert self.tend() == 1
        assert events(chat, "status")[-1] == {"status": "closed", "by": "system", "reason": "idle"}
        assert (stored(chat).status, chats_of(acme.agent)) == ("closed", 0)

    def test_leaves_a_row_somebody_holds_to_the_next_round(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        assert tending.tend(tenant_id=chat.tenant_id, conversation_id=chat.key, now=timezone.now()) is None
        assert tending.tend(tenant_id=chat.tenant_id, conversation_id=chat.tenant_id, now=timezone.now()) is None


class TestTheCount:
    def test_is_mended_and_logged(self, acme: factories.Company, caplog: pytest.LogCaptureFixture) -> None:
        sit_down(acme, acme.agent)
        start_chat(acme)
        sit_down(acme, acme.agent, active_chats=4)
        with caplog.at_level(logging.WARNING, "chat.services.slots"):
            assert services.compare_all() == 1
            assert services.compare_all() == 0
        assert [r.getMessage() for r in caplog.records] == [f"agent {acme.agent.pk} has 1 open chats, 4 were counted"]
        assert chats_of(acme.agent) == 1

    def test_is_mended_when_the_queue_drains(self, acme: factories.Company) -> None:
        chat = start_chat(acme)
        sit_down(acme, acme.agent, limit=1, active_chats=1)
        assert drain(chat) == 1
        assert (name_of(chat), chats_of(acme.agent)) == ("Bob", 1)

    def test_never_falls_below_none(self, acme: factories.Company) -> None:
        sit_down(acme, acme.agent)
        chat = start_chat(acme)
        sit_down(acme, acme.agent, active_chats=0)
        assert post(chat.agent, chat, "close").status_code == 200
        assert chats_of(acme.agent) == 0
