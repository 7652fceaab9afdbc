"""Both sockets, on real Valkey and PostgreSQL: sign-in, live events, catching up, refusals that leave the socket healthy."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from accounts.models import Membership, Tenant, User
from accounts.sockets import consumer, pulse
from accounts.tenancy import system_access
from chat import selectors
from chat.models import Message
from tests import factories
from tests.assertions import count
from tests.chat.conftest import Chat, start_chat
from tests.chat.sockets.client import Frame, Opener, post, say, ticket_of


class TestSigningIn:
    async def test_a_visitor_is_welcomed_with_its_heads(self, chat: Chat, visitor: Opener) -> None:
        socket = await visitor(visitor_token=chat.visitor_token)
        ready = await socket.next("ready")
        assert ready["heads"] == {chat.conversation_id: 1}
        assert ready["principal"]["kind"] == "visitor"

    async def test_a_ticket_opens_one_socket(self, chat: Chat, agent: Opener) -> None:
        ticket = await ticket_of(chat.company.agent)
        assert (await (await agent(ticket=ticket)).next("ready"))["principal"]["name"] == "Bob"
        assert await (await agent(ticket=ticket)).closed_with() == 4001

    @pytest.mark.parametrize("token", ["vt_forged", "", 7, None])
    async def test_a_forged_token_is_refused(self, chat: Chat, visitor: Opener, token: object) -> None:
        socket = await visitor(visitor_token=token)
        assert (await socket.next("problem"))["problem"]["status"] in {401, 422}
        assert await socket.closed_with() == 4001

    async def test_another_first_frame_closes(self, chat: Chat, visitor: Opener) -> None:
        socket = await visitor()
        await socket.send("typing", conversation_id=chat.conversation_id, is_typing=True)
        assert await socket.closed_with() == 4001

    async def test_silence_closes(self, chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consumer, "SIGN_IN_SECONDS", 0.1)
        assert await (await visitor()).closed_with() == 4001

    async def test_a_flood_is_read_at_the_pace_and_loses_nothing(
        self, chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumer, "FRAMES_AT_ONCE", 5)
        monkeypatch.setattr(consumer, "FRAMES_A_SECOND", 20)
        socket = await visitor(visitor_token=chat.visitor_token)
        await socket.next("ready")
        began = time.monotonic()
        for number in range(14):
            await socket.send("nonsense", id=str(number))
        answered = [(await socket.next("problem"))["id"] for _ in range(14)]
        assert answered == [str(number) for number in range(14)]
        assert time.monotonic() - began > 0.4  # ten of them waited a twentieth of a second each

    async def test_a_finance_person_has_no_desk(self, chat: Chat, agent: Opener) -> None:
        socket = await agent(ticket=await ticket_of(chat.company.finance))
        assert (await socket.next("problem"))["problem"]["status"] == 403
        assert await socket.closed_with() == 4003


class TestWhenStorageFails:
    @pytest.fixture
    def dead_valkey(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def refuse(*args: Any) -> None:
            raise ConnectionError("Valkey is away")

        layer = SimpleNamespace(new_channel=refuse, reset=refuse, on_connect=lambda tell: None)
        monkeypatch.setattr("common.live.hub.channel_layer", lambda: layer)

    @pytest.mark.usefixtures("dead_valkey")
    async def test_a_visitor_chats_on_without_the_doorbell(self, chat: Chat, visitor: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await panel.send(
            "message.send", id="2", conversation_id=chat.conversation_id, client_message_id="m1", text="Hi"
        )
        assert (await panel.next("ack"))["seq"] == 2

    async def test_a_failing_database_does_not_cost_the_token(
        self, chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr("chat.catching_up.enter_visitor", fail)
        socket = await visitor(visitor_token=chat.visitor_token)
        assert (await socket.next("problem"))["problem"]["status"] == 503
        assert await socket.closed_with() == 1012

    async def test_a_failing_database_keeps_the_socket_and_its_pings(
        self, chat: Chat, agent: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pulse, "PING_SECONDS", 0.2)
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.next("ping")

        def fail(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("gone")

        with monkeypatch.context() as outage:
            outage.setattr("chat.pulse.examine_agents", fail)
            while "heads" in await desk.next("ping"):
                continue
        while "heads" not in await desk.next("ping"):
            continue


class TestLive:
    async def test_a_message_reaches_the_other_side(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.next("ready")
        await desk.send("subscribe", id="2", conversation_id=chat.conversation_id, after_seq=0)
        assert [e["seq"] for e in (await desk.next("events"))["events"]] == [1]
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await panel.send(
            "message.send", id="3", conversation_id=chat.conversation_id, client_message_id="m1", text="Hi"
        )
        ack = await panel.next("ack")
        assert (ack["id"], ack["seq"]) == ("3", 2)
        heard = await desk.next_event(chat.conversation_id, after=1)
        assert (heard["seq"], heard["event"]) == (2, ack["event"])

    async def test_a_new_message_shows_in_the_inbox(self, chat: Chat, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.next("ready")
        await say(chat, chat.visitor, "Hello", "m1")
        row = (await desk.next("inbox"))["conversation"]
        while row["last_message"] is None:  # the late doorbell of the start
            row = (await desk.next("inbox"))["conversation"]
        assert (row["id"], row["unread_count"], row["last_message"]["text"]) == (chat.conversation_id, 1, "Hello")

    async def test_a_note_never_reaches_the_visitor(self, chat: Chat, visitor: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        path = f"/v1/chat/conversation/{chat.conversation_id}/note"
        assert (await post(chat.agent, path, {"client_message_id": "n1", "text": "VIP"})).status_code == 201
        await say(chat, chat.agent, "Hi", "a1")
        heard = await panel.next_event(chat.conversation_id, after=1)
        assert (heard["seq"], heard["event"]["payload"]["message"]["text"]) == (2, "Hi")

    async def test_an_edit_reaches_both_sides_and_a_notes_only_agents(
        self, chat: Chat, visitor: Opener, agent: Opener
    ) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.send("subscribe", id="2", conversation_id=chat.conversation_id, after_seq=0)
        await desk.next("events")
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        path = f"/v1/chat/conversation/{chat.conversation_id}"
        message = {"conversation_id": chat.conversation_id, "client_message_id": "a1", "text": "Hi"}
        note = {"client_message_id": "n1", "text": "VIP"}
        for at, body, text in ((f"{path}/note", note, "No VIP"), ("/v1/chat/message/send", message, "Hello")):
            said = (await post(chat.agent, at, body)).json()["event"]["payload"]["message"]
            assert (await post(chat.agent, f"{path}/messages/{said['id']}/edit", {"text": text})).status_code == 200
        edits = [await desk.next_event(chat.conversation_id, after=seq) for seq in (2, 4)]
        assert [(e["seq"], e["event"]["type"], e["event"]["payload"]["text"]) for e in edits] == [
            (3, "edit", "No VIP"),
            (5, "edit", "Hello"),
        ]
        heard = await panel.next_event(chat.conversation_id, after=2)
        assert (heard["seq"], heard["event"]) == (3, edits[1]["event"])

    async def test_typing_is_shown_to_the_other_side(self, chat: Chat, visitor: Opener, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.send("subscribe", id="2", conversation_id=chat.conversation_id, after_seq=0)
        await desk.next("events")
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.send("typing", conversation_id=chat.conversation_id, is_typing=True)
        sign = await desk.next("typing")
        assert (sign["participant"]["type"], sign["is_typing"]) == ("visitor", True)

    async def test_the_visitor_hears_what_it_began_after_signing_in(self, chat: Chat, visitor: Opener) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await post(chat.visitor, f"/v1/chat/conversation/{chat.conversation_id}/close", {})
        again = await sync_to_async(start_chat)(chat.company, visitor_token=chat.visitor_token)
        await panel.send("events.get", id="4", conversation_id=again.conversation_id, after_seq=0)
        assert (await panel.next("events"))["conversation_id"] == again.conversation_id
        await say(again, again.agent, "Back again?", "a1")
        assert (await panel.next_event(again.conversation_id, after=1))["seq"] == 2


class TestCatchingUp:
    async def test_cursors_bring_what_was_missed(self, chat: Chat, visitor: Opener) -> None:
        for n in range(3):
            await say(chat, chat.agent, f"line {n}", f"a{n}")
        panel = await visitor(visitor_token=chat.visitor_token, cursors={chat.conversation_id: 2})
        assert [e["seq"] for e in (await panel.next("events"))["events"]] == [3, 4]

    async def test_too_far_behind_means_reset(
        self, chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selectors, "MOST_EVENTS", 2)
        for n in range(3):
            await say(chat, chat.agent, f"line {n}", f"a{n}")
        panel = await visitor(visitor_token=chat.visitor_token, cursors={chat.conversation_id: 1})
        assert (await panel.next("reset"))["head"] == 4

    async def test_a_ping_carries_the_heads(self, chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pulse, "PING_SECONDS", 0.2)
        panel = await visitor(visitor_token=chat.visitor_token)
        assert (await panel.next("ping"))["heads"] == {chat.conversation_id: 1}

    async def test_a_resend_after_a_lost_answer_stores_nothing_new(self, chat: Chat, visitor: Opener) -> None:
        message = {"conversation_id": chat.conversation_id, "client_message_id": "m1", "text": "Hi"}
        first = await visitor(visitor_token=chat.visitor_token)
        await first.send("message.send", id="2", **message)
        before = await first.next("ack")
        await first.close()
        second = await visitor(visitor_token=chat.visitor_token)
        await second.send("message.send", id="2", **message)
        after = await second.next("ack")
        assert (before["seq"], before["event"]) == (after["seq"], after["event"])
        assert await sync_to_async(count)(Message) == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("frame", "status"),
        [
            ({"type": "message.send", "client_message_id": "m1", "text": " "}, 422),
            ({"type": "message.send", "client_message_id": "m1", "text": "x" * 5001}, 422),
            ({"type": "message.send", "client_message_id": "m1", "text": 5}, 422),
            ({"type": "message.send", "text": "no id"}, 422),
            (
                {"type": "message.send", "conversation_id": "cc_" + "0" * 32, "client_message_id": "m1", "text": "x"},
                404,
            ),
            ({"type": "events.get", "after_seq": -1}, 422),
            ({"type": "read", "seq": "all"}, 422),
            ({"type": "nonsense"}, 422),
        ],
    )
    async def test_leave_nothing_written_and_the_socket_healthy(
        self, chat: Chat, visitor: Opener, frame: Frame, status: int
    ) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.send(**{"conversation_id": chat.conversation_id, "id": "9", **frame})
        problem = await panel.next("problem")
        assert (problem["id"], problem["problem"]["status"]) == ("9", status)
        assert await sync_to_async(count)(Message) == 0
        await panel.send(
            "message.send", id="10", conversation_id=chat.conversation_id, client_message_id="ok", text="Hi"
        )
        assert (await panel.next("ack"))["id"] == "10"

    @pytest.mark.parametrize("text", ["{no", "[]", '"x"', '{"v":2,"type":"pong"}', '{"v":1}', "x" * 70_000])
    async def test_what_is_no_frame_closes_with_4009(self, chat: Chat, visitor: Opener, text: str) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await panel.send_text(text)
        assert await panel.closed_with() == 4009

    async def test_an_outsiders_conversation_is_not_found(self, chat: Chat, agent: Opener) -> None:
        globex = await sync_to_async(factories.make_company)("Globex", owner="Mallory", agent="Mark", finance="Max")
        desk = await agent(ticket=await ticket_of(globex.agent))
        await desk.next("ready")
        await desk.send("subscribe", id="2", conversation_id=chat.conversation_id, after_seq=0)
        assert (await desk.next("problem"))["problem"]["status"] == 404
        await say(chat, chat.visitor, "secret", "m1")
        assert await desk.heard() == []

    async def test_a_suspended_membership_is_out_at_the_next_ping(
        self, chat: Chat, agent: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pulse, "PING_SECONDS", 0.2)
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.next("ready")
        await sync_to_async(_suspend)(chat.company.agent)
        assert await desk.closed_with() == 4003

    async def test_a_suspended_tenants_visitor_is_out_at_the_next_ping(
        self, chat: Chat, visitor: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pulse, "PING_SECONDS", 0.2)
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await sync_to_async(_suspend_tenant)(chat.tenant_id)
        assert await panel.closed_with() == 4003


def _suspend(user: User) -> None:
    with system_access("test"):
        Membership.unscoped.filter(user=user).update(is_active=False)


def _suspend_tenant(tenant_id: Any) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=tenant_id).update(status=Tenant.Status.SUSPENDED)
