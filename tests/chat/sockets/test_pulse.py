"""The pulse: one look for all sockets, out of turn when the doorbell came back, and signs of life while somebody is heard."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.authentication import by_membership, by_visitor_token
from accounts.sockets import Finding, Listener, pulse
from accounts.tenancy import tenant_scope
from chat import pulse as asking
from chat.models import Visitor
from chat.selectors import inbox_state
from tests import factories
from tests.assertions import rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.sockets.client import Opener, ticket_of
from tests.local.waiting import eventually_async

Examine = Callable[[list[Listener]], list[Finding | None]]


def queries_of(examine: Examine, listeners: list[Listener]) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert None not in examine(listeners)
    return len(seen)


class TestOneLook:
    @pytest.fixture
    def company(self, acme: factories.Company) -> factories.Company:
        return acme

    def test_asks_the_same_few_questions_for_many_agents(self, company: factories.Company) -> None:
        chats = [start_chat(company) for _ in range(5)]
        bob = by_membership(company.agent)
        listeners = [Listener(bob, tuple(chat.key for chat in chats[:n])) for n in range(1, 6)] * 20
        assert queries_of(asking.examine_agents, listeners) == queries_of(asking.examine_agents, listeners[:1])

    def test_asks_the_same_few_questions_for_many_visitors(self, company: factories.Company, now: Any) -> None:
        chats = [start_chat(company) for _ in range(6)]
        listeners = [Listener(by_visitor_token(chat.visitor_token, now=now), (chat.key,)) for chat in chats]
        assert queries_of(asking.examine_visitors, listeners) == queries_of(asking.examine_visitors, listeners[:1])

    def test_tells_each_side_its_own_numbers(self, company: factories.Company, now: Any) -> None:
        chat = start_chat(company)
        note = {"client_message_id": "n1", "text": "VIP"}
        assert chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/note", note).status_code == 201
        [desk] = asking.examine_agents([Listener(by_membership(company.agent), (chat.key,))])
        [panel] = asking.examine_visitors([Listener(by_visitor_token(chat.visitor_token, now=now), (chat.key,))])
        assert desk is not None
        assert panel is not None
        assert (desk.ping["heads"], panel.ping["heads"]) == ({chat.conversation_id: 2}, {chat.conversation_id: 1})
        with tenant_scope(company.tenant.pk):
            assert desk.ping["inbox"] == inbox_state(company.tenant.pk)
        assert "inbox" not in panel.ping

    def test_shows_nobody_a_conversation_that_is_not_theirs(
        self, company: factories.Company, globex: factories.Company, now: Any
    ) -> None:
        chat, other = start_chat(company), start_chat(globex)
        visitor = by_visitor_token(other.visitor_token, now=now)
        [desk] = asking.examine_agents([Listener(by_membership(globex.agent), (chat.key,))])
        [panel] = asking.examine_visitors([Listener(visitor, (chat.key,))])
        assert desk is not None
        assert panel is not None
        assert (desk.ping["heads"], panel.ping["heads"]) == ({}, {})


async def test_the_doorbells_return_pings_everybody_at_once(
    chat: Chat, visitor: Opener, agent: Opener, valkey_client: redis.Redis
) -> None:
    panel = await visitor(visitor_token=chat.visitor_token)
    desk = await agent(ticket=await ticket_of(chat.company.agent), cursors={chat.conversation_id: 0})
    await panel.next("ready")
    await desk.next("events")
    await sync_to_async(valkey_client.client_kill_filter)(_type="pubsub")
    for socket in (panel, desk):
        ping = await socket.next("ping")
        assert ping["heads"] == {chat.conversation_id: 1}
        assert ping["now"].endswith("Z")


async def test_a_visitor_who_is_heard_is_seen(chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SIGNS_SECONDS", 0.1)
    monkeypatch.setattr(pulse, "SIGN_AT_MOST_EVERY_SECONDS", 0.1)
    [before] = await sync_to_async(rows)(Visitor)
    panel = await visitor(visitor_token=chat.visitor_token)
    await panel.next("ready")
    await panel.send("pong")
    assert await eventually_async(lambda: pulse.registry().sockets()[0].heard_at > before.last_seen_at.timestamp())

    async def seen() -> Any:
        [now] = await sync_to_async(rows)(Visitor)
        return now.last_seen_at

    heard = []
    for _ in range(50):
        heard.append(pulse.registry().sockets()[0].heard_at)
        if await seen() > before.last_seen_at:
            break
        assert await panel.heard() == []
    stored = (await seen()).timestamp()
    assert any(abs(stored - moment) < 0.001 for moment in heard)  # when it was heard, not when that was written
