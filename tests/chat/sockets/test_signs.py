"""Passing signs over sockets: typing, read and delivered marks, presence; and frames that carry pages and files."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import AgentPresence
from accounts.presence import services as presence
from accounts.tenancy import tenant_scope
from chat.models import Conversation, TypingIndicator, Visitor
from tests.assertions import rows
from tests.chat.conftest import Chat, widget_of
from tests.chat.sockets.client import Opener, Socket, post, say, ticket_of


async def both(chat: Chat, visitor: Opener, agent: Opener) -> tuple[Socket, Socket]:
    """Return the visitor's panel and the agent's desk, both in the conversation."""
    desk = await agent(ticket=await ticket_of(chat.company.agent), cursors={chat.conversation_id: 0})
    await desk.next("events")
    panel = await visitor(visitor_token=chat.visitor_token)
    await panel.next("ready")
    return panel, desk


class TestTyping:
    async def test_is_shown_to_who_joins_late(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.send("typing", conversation_id=chat.conversation_id, is_typing=True)
        await panel.next("typing")
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.send("subscribe", id="2", conversation_id=chat.conversation_id, after_seq=0)
        await desk.next("events")
        sign = await desk.next("typing")
        assert (sign["conversation_id"], sign["is_typing"], sign["participant"]) == (
            chat.conversation_id,
            True,
            {"type": "visitor", "id": chat.visitor_id, "name": "Dana"},
        )

    async def test_is_not_shown_to_oneself_or_after_it_ran_out(self, chat: Chat, visitor: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.send("typing", conversation_id=chat.conversation_id, is_typing=True)
        await panel.next("typing")
        await panel.send("events.get", id="2", conversation_id=chat.conversation_id, after_seq=0)
        await panel.next("events")
        assert await panel.heard() == []

    async def test_is_written_once_in_three_seconds_whatever_comes(
        self, chat: Chat, visitor: Opener, agent: Opener
    ) -> None:
        panel, desk = await both(chat, visitor, agent)
        second_tab = await visitor(visitor_token=chat.visitor_token)
        for socket in (panel, panel, second_tab, panel, second_tab):
            await socket.send("typing", conversation_id=chat.conversation_id, is_typing=True)
        await second_tab.send("events.get", id="2", conversation_id=chat.conversation_id, after_seq=1)
        await second_tab.next("events")
        await desk.next("typing")
        assert await desk.heard() == []
        assert len(await sync_to_async(rows)(TypingIndicator)) == 1

    async def test_ends_when_it_is_said_to(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        panel, desk = await both(chat, visitor, agent)
        for is_typing in (True, False):
            await panel.send("typing", conversation_id=chat.conversation_id, is_typing=is_typing)
            assert (await desk.next("typing"))["is_typing"] is is_typing

    async def test_of_a_note_stays_private(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        panel, desk = await both(chat, visitor, agent)
        await desk.send("typing", conversation_id=chat.conversation_id, is_typing=True, is_note=True)
        await desk.send("unsubscribe", id="3", conversation_id=chat.conversation_id)
        await desk.next("ack")
        assert await panel.heard() == []
        assert await sync_to_async(rows)(TypingIndicator) == []


class TestMarks:
    async def test_delivered_is_shown_to_the_other_side_in_its_own_numbers(
        self, chat: Chat, visitor: Opener, agent: Opener
    ) -> None:
        path = f"/v1/chat/conversation/{chat.conversation_id}/note"
        assert (await post(chat.agent, path, {"client_message_id": "n1", "text": "VIP"})).status_code == 201
        await say(chat, chat.agent, "Hi", "a1")
        panel, desk = await both(chat, visitor, agent)
        head = (await _conversation()).last_visitor_seq
        await panel.send("delivered", conversation_id=chat.conversation_id, seq=head)
        mark = await desk.next("delivered")
        stored = await _conversation()
        assert (mark["participant"], mark["seq"]) == ({"type": "visitor", "id": chat.visitor_id}, stored.last_seq)
        assert (stored.visitor_delivered_seq, stored.visitor_read_seq) == (head, 0)

    async def test_only_move_forward_and_never_past_the_head(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        await say(chat, chat.agent, "Hi", "a1")
        panel, desk = await both(chat, visitor, agent)
        head = (await _conversation()).last_visitor_seq
        for seq in (999, 1):
            await panel.send("delivered", conversation_id=chat.conversation_id, seq=seq)
        assert (await desk.next("delivered"))["seq"] == (await _conversation()).last_seq
        await panel.send("events.get", id="2", conversation_id=chat.conversation_id, after_seq=head)
        await panel.next("events")
        assert (await _conversation()).visitor_delivered_seq == head

    async def test_what_is_read_was_delivered(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        panel, desk = await both(chat, visitor, agent)
        await desk.send("read", conversation_id=chat.conversation_id, seq=1)
        assert (await panel.next("read"))["seq"] == 1
        stored = await _conversation()
        assert (stored.agent_read_seq, stored.agent_delivered_seq) == (1, 1)

    async def test_a_visitors_mark_does_not_ring_the_inbox(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        panel, desk = await both(chat, visitor, agent)
        version = (await _conversation()).version
        for type in ("delivered", "read"):
            await panel.send(type, conversation_id=chat.conversation_id, seq=1)
            await desk.next(type)
        assert (await _conversation()).version == version
        assert await desk.heard() == []


class TestPresence:
    async def test_a_goodbye_of_the_last_tab_shortens_the_lease(self, chat: Chat, agent: Opener) -> None:
        first = await agent(ticket=await ticket_of(chat.company.agent))
        second = await agent(ticket=await ticket_of(chat.company.agent))
        for tab in (first, second):
            await tab.next("ready")
        await first.send("presence", id="2", status="online")
        await first.next("ack")
        seen = (await _presence()).last_seen_at
        await first.close()
        assert (await _presence()).last_seen_at == seen
        await second.close()
        shortened = await _presence()
        assert seen is not None
        assert shortened.last_seen_at is not None
        assert shortened.last_seen_at < seen
        assert (shortened.status, shortened.gone_at) == ("online", None)

    async def test_a_lost_connection_keeps_the_lease(self, chat: Chat, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.send("presence", id="2", status="online")
        await desk.next("ack")
        seen = (await _presence()).last_seen_at
        await desk.lose()
        assert (await _presence()).last_seen_at == seen

    async def test_a_choice_is_shown_to_colleagues_and_visitors(
        self, chat: Chat, agent: Opener, visitor: Opener
    ) -> None:
        alice = await agent(ticket=await ticket_of(chat.company.owner))
        panel = await visitor(visitor_token=chat.visitor_token)
        await alice.next("ready")
        await panel.next("ready")
        bob = await agent(ticket=await ticket_of(chat.company.agent))
        await bob.send("presence", id="2", status="online")
        shown = (await alice.next("presence"))["agent"]
        assert (shown["name"], shown["status"]) == ("Bob", "online")
        told = await panel.next("presence")
        assert (told["agents_online"], told["is_offline"]) == (True, False)
        assert told["widgets"] == [(await sync_to_async(widget_of)(chat.company)).widget_key]

    async def test_who_comes_back_is_what_they_chose(self, chat: Chat, agent: Opener, now: Any) -> None:
        await sync_to_async(_choose_long_ago)(chat, now)
        alice = await agent(ticket=await ticket_of(chat.company.owner))
        await alice.next("ready")
        await agent(ticket=await ticket_of(chat.company.agent))
        shown = (await alice.next("presence"))["agent"]
        assert (shown["name"], shown["status"]) == ("Bob", "busy")


class TestPages:
    async def test_a_visitors_page_is_noted(self, chat: Chat, visitor: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await panel.send("page", url="https://shop.example/bikes", title="Bikes")
        await panel.send("events.get", id="2", conversation_id=chat.conversation_id, after_seq=0)
        await panel.next("events")
        [dana] = await sync_to_async(rows)(Visitor)
        assert [(page["url"], page["title"]) for page in dana.recent_pages] == [("https://shop.example/bikes", "Bikes")]

    @pytest.mark.parametrize("fields", [{}, {"url": 5}, {"url": "https://shop.example", "title": 5}])
    async def test_a_page_must_have_an_address(self, chat: Chat, visitor: Opener, fields: dict[str, Any]) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.send("page", id="2", **fields)
        assert (await panel.next("problem"))["problem"]["status"] == 422

    async def test_an_agent_has_no_page(self, chat: Chat, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.send("page", id="2", url="https://shop.example")
        assert (await desk.next("problem"))["problem"]["code"] == "unknown-type"

    async def test_an_unknown_file_is_refused(self, chat: Chat, visitor: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        file = {"client_message_id": "m1", "text": "", "attachment_id": "at_" + "0" * 32}
        await panel.send("message.send", id="2", conversation_id=chat.conversation_id, **file)
        assert (await panel.next("problem"))["problem"]["status"] in {404, 422}


@sync_to_async
def _conversation() -> Conversation:
    [conversation] = rows(Conversation)
    return conversation


@sync_to_async
def _presence() -> AgentPresence:
    [row] = rows(AgentPresence)
    return row


def _choose_long_ago(chat: Chat, now: Any) -> None:
    with tenant_scope(chat.tenant_id):
        presence.choose_status(tenant_id=chat.tenant_id, user_id=chat.company.agent.pk, status="busy", now=now)
