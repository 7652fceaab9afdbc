"""Routing under fire: threads with connections of their own against real PostgreSQL."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.presence.models import AgentPresence
from accounts.tenancy import tenant_scope
from chat import services
from chat.actors import Actor
from chat.ledgers import SenderType
from chat.models import ChatEvent, Conversation
from chat.services import slots
from common.ids import encode
from tests import factories
from tests.assertions import rows
from tests.chat.conftest import Chat, start_chat, widget_of
from tests.chat.desk import ago, chats_of, colleague, in_threads, set_conversation, set_widget, sit_down, stored
from tests.conftest import ApiClient

THREADS = 64


@pytest.fixture
def company(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[factories.Company]:
    """Acme, with a connection for each thread."""
    pool: Any = connections.settings["default"]["OPTIONS"]["pool"]
    connections["default"].close_pool()  # type: ignore[attr-defined] # PostgreSQL's wrapper has it
    monkeypatch.setitem(pool, "max_size", THREADS + 4)
    monkeypatch.setitem(pool, "timeout", 60)
    yield factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined] # as above


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    barrier = Barrier(len(jobs), timeout=60)

    def held(job: Callable[[], Any]) -> Any:
        barrier.wait()
        return job()

    return in_threads([partial(held, job) for job in jobs], threads=len(jobs))


def call(path: str, company: factories.Company, body: Any = None, token: str | None = None) -> Any:
    return ApiClient(token or company.api_key).post(path, body or {})


def chat_path(chat: Chat, action: str) -> str:
    return f"/v1/chat/conversation/{chat.conversation_id}/{action}"


def presences() -> dict[Any, tuple[int, int]]:
    return {row.user_id: (row.active_chats, row.max_concurrent_chats) for row in rows(AgentPresence)}


def assert_counts_are_true() -> None:
    for row in rows(AgentPresence):
        assert row.active_chats == len(rows(Conversation, assigned_agent=row.user_id, status="active"))


def assert_log_has_no_hole(chat: Chat) -> None:
    assert sorted(e.seq for e in rows(ChatEvent, conversation_id=chat.key)) == list(range(1, stored(chat).last_seq + 1))


@pytest.mark.parametrize("routing", ["least_busy", "round_robin"])
def test_64_starts_fill_every_slot_and_exceed_no_limit(company: factories.Company, routing: str) -> None:
    set_widget(company, routing=routing)
    limits = [3, 5, 7, 9]
    for number, limit in enumerate(limits):
        sit_down(company, colleague(company, f"Agent {number}"), limit=limit)
    body = {"widget_key": widget_of(company).widget_key}
    answers = at_once([partial(call, "/v1/chat/conversation/start", company, body)] * THREADS)
    assert [a.status_code for a in answers] == [201] * THREADS
    assert sorted(presences().values()) == [(limit, limit) for limit in limits]
    assert_counts_are_true()
    waiting = rows(Conversation, assigned_agent=None)
    assert len(waiting) == THREADS - sum(limits)
    assert all(row.queued_at is not None for row in waiting)


def test_simultaneous_starts_spread_evenly_over_the_least_busy(company: factories.Company) -> None:
    for number in range(4):
        sit_down(company, colleague(company, f"Agent {number}"), limit=50)
    body = {"widget_key": widget_of(company).widget_key}
    at_once([partial(call, "/v1/chat/conversation/start", company, body)] * 32)
    taken = [active for active, _ in presences().values()]
    assert sum(taken) == 32
    assert max(taken) - min(taken) <= 8
    assert_counts_are_true()


def test_a_slot_freed_while_others_start_finds_its_chat(company: factories.Company) -> None:
    sit_down(company, company.agent, limit=4)
    first = [start_chat(company) for _ in range(4)]
    body = {"widget_key": widget_of(company).widget_key}
    closing = [partial(call, chat_path(chat, "close"), company) for chat in first]
    starting = [partial(call, "/v1/chat/conversation/start", company, body)] * 12
    answers = at_once([job for pair in zip(closing, starting[:4], strict=True) for job in pair] + starting[4:])
    assert {a.status_code for a in answers} == {200, 201}
    assert chats_of(company.agent) == 4
    assert len(rows(Conversation, assigned_agent=None, status="active")) == 8


def test_drains_at_once_share_the_queue_oldest_first(company: factories.Company) -> None:
    chats = [start_chat(company, visitor_name=f"V{n}") for n in range(12)]
    sit_down(company, company.agent, limit=3)
    sit_down(company, company.owner, limit=4)
    done = at_once([partial(services.drain, tenant_id=company.tenant.pk, now=timezone.now())] * 8)
    assert sum(done) == 7
    assert [stored(chat).assigned_agent_id is not None for chat in chats] == [True] * 7 + [False] * 5
    assert (chats_of(company.agent), chats_of(company.owner)) == (3, 4)
    assert all(stored(chat).last_seq == 2 for chat in chats[:7])


def test_one_of_many_agents_gets_what_all_accept(company: factories.Company) -> None:
    chat = start_chat(company)
    people = [colleague(company, f"Agent {n}") for n in range(8)]

    def accept(user: Any) -> str:
        try:
            with tenant_scope(chat.tenant_id):
                services.accept_conversation(
                    tenant_id=chat.tenant_id, conversation_id=chat.key, agent=user, now=timezone.now()
                )
        except Exception as error:
            return getattr(error, "code", repr(error))
        return "accepted"

    outcome = at_once([partial(accept, user) for user in people for _ in range(2)])
    assert sorted(outcome) == ["accepted"] * 2 + ["already-assigned"] * 14
    winner = stored(chat).assigned_agent
    assert winner is not None
    assert [chats_of(user) for user in people if user != winner and rows(AgentPresence, user=user)] == []
    assert chats_of(winner) == 1
    assert stored(chat).last_seq == 2


def test_transfers_and_closes_at_once_leave_true_counts(company: factories.Company) -> None:
    people = [company.agent, company.owner, colleague(company, "Ann")]
    for user in people:
        sit_down(company, user, limit=50)
    chats = [start_chat(company) for _ in range(6)]
    jobs: list[Callable[[], Any]] = []
    for chat in chats:
        ids = [encode("us", user.pk) for user in people] + [None]
        jobs += [partial(call, chat_path(chat, "transfer"), company, {"agent": to}) for to in ids]
        jobs += [partial(call, chat_path(chat, "close"), company)]
    answers = at_once(jobs)
    assert {a.status_code for a in answers} <= {200, 409}
    for chat in chats:
        assert stored(chat).status == "closed"
        assert_log_has_no_hole(chat)
    assert [chats_of(user) for user in people] == [0, 0, 0]


@pytest.mark.parametrize("round", range(3))
def test_writing_into_the_old_or_starting_anew_opens_one(company: factories.Company, round: int) -> None:
    sit_down(company, company.agent)
    chat = start_chat(company)
    call(chat_path(chat, "close"), company)
    body = {"conversation_id": chat.conversation_id, "client_message_id": "m1", "text": "Me again"}
    key = {"widget_key": widget_of(company).widget_key, "visitor_token": chat.visitor_token}
    writing = partial(call, "/v1/chat/message/send", company, body, chat.visitor_token)
    starting = partial(call, "/v1/chat/conversation/start", company, key)
    reopening = partial(call, chat_path(chat, "reopen"), company)
    sent, started, reopened = at_once([writing, starting, reopening])
    [is_open] = rows(Conversation, status="active")
    assert started.json()["conversation_id"] == encode("cc", is_open.pk)
    if is_open.pk == chat.key:
        assert (sent.status_code, started.status_code, reopened.status_code) == (201, 200, 200)
    else:
        assert (sent.status_code, started.status_code, reopened.status_code) == (409, 201, 409)
        assert sent.json()["code"] == "conversation-closed"
        assert reopened.json()["code"] == "newer-conversation"
        for refused in (sent, reopened):
            assert refused.json()["next_conversation"] == encode("cc", is_open.pk)
    assert chats_of(company.agent) == 1
    assert_log_has_no_hole(chat)


def test_rounds_at_once_return_an_offer_once(company: factories.Company) -> None:
    sit_down(company, company.agent)
    chat = start_chat(company)
    set_conversation(chat, assigned_at=ago(minutes=2))
    sit_down(company, company.agent, status="away")
    steps = at_once([partial(services.tend_all, now=timezone.now())] * 6)
    assert sum(steps) == 1
    assert chats_of(company.agent) == 0
    assert stored(chat).last_seq == 3


def test_the_count_is_mended_beside_chats_that_move(company: factories.Company) -> None:
    sit_down(company, company.agent, limit=50, active_chats=9)
    body = {"widget_key": widget_of(company).widget_key}

    def compare() -> int:
        with tenant_scope(company.tenant.pk):
            return slots.compare(tenant_id=company.tenant.pk)

    starts: list[Callable[[], Any]] = [partial(call, "/v1/chat/conversation/start", company, body)] * 12
    at_once([*starts, *[compare] * 4])
    assert chats_of(company.agent) == 12


def test_an_answer_and_the_round_agree_who_has_it(company: factories.Company) -> None:
    sit_down(company, company.agent)
    chat = start_chat(company)
    set_conversation(chat, assigned_at=ago(minutes=2))

    def answer() -> Any:
        with tenant_scope(chat.tenant_id):
            return services.send_message(
                tenant_id=chat.tenant_id,
                conversation_id=chat.key,
                actor=Actor(SenderType.AGENT, company.agent.pk, "Bob"),
                client_message_id="a1",
                text="Hello",
                now=timezone.now(),
            )

    at_once([answer, partial(services.tend_all, now=timezone.now())])
    row = stored(chat)
    assert (row.assigned_agent_id, row.accepted_at is not None, row.queued_at) == (company.agent.pk, True, None)
    assert chats_of(company.agent) == 1
