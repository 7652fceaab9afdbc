"""Who may no longer listen is out at once, by the doorbell; and nobody ever hears what is not theirs."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import logout
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.models import AgentPresence, Membership, Tenant, User
from accounts.permissions import Role
from accounts.tenancy import system_access, tenant_scope
from chat.ledgers import Message
from chat.models import Conversation, TypingIndicator
from chat.services import visitors
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.sockets.client import Frame, Opener, say, ticket_of

Change = Callable[[Chat], None]


def _demote(chat: Chat) -> None:
    with system_access("test"):
        membership = Membership.unscoped.get(user=chat.company.agent)
        membership.role = Role.FINANCE
        membership.save()


def _suspend_member(chat: Chat) -> None:
    with system_access("test"):
        membership = Membership.unscoped.get(user=chat.company.agent)
        membership.is_active = False
        membership.save(update_fields=["is_active"])


def _remove_member(chat: Chat) -> None:
    with system_access("test"):
        Membership.unscoped.get(user=chat.company.agent).delete()


def _deactivate(chat: Chat) -> None:
    user = User.objects.get(pk=chat.company.agent.pk)
    user.is_active = False
    user.save()


def _sign_out_everywhere(chat: Chat) -> None:
    user = User.objects.get(pk=chat.company.agent.pk)
    user.auth_version += 1
    user.save(update_fields=["auth_version"])


def _suspend_tenant(chat: Chat) -> None:
    with system_access("test"):
        tenant = Tenant.objects.get(pk=chat.tenant_id)
        tenant.status = Tenant.Status.SUSPENDED
        tenant.save()


def _block(chat: Chat) -> None:
    with tenant_scope(chat.tenant_id):
        conversation = Conversation.objects.for_tenant(chat.tenant_id).get(pk=chat.key)
        visitors.block_visitor(tenant_id=chat.tenant_id, visitor_id=conversation.visitor_id, now=timezone.now())


class TestRevocation:
    @pytest.mark.parametrize(
        "change",
        [_demote, _suspend_member, _remove_member, _deactivate, _sign_out_everywhere, _suspend_tenant],
        ids=lambda change: change.__name__,
    )
    async def test_an_agent_is_out_at_once(self, chat: Chat, agent: Opener, change: Change) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.next("ready")
        await sync_to_async(change)(chat)
        assert await desk.closed_with() == 4003

    @pytest.mark.parametrize("change", [_block, _suspend_tenant], ids=lambda change: change.__name__)
    async def test_a_visitor_is_out_at_once(self, chat: Chat, visitor: Opener, change: Change) -> None:
        panel = await visitor(visitor_token=chat.visitor_token)
        await panel.next("ready")
        await sync_to_async(change)(chat)
        assert await panel.closed_with() == 4003

    async def test_others_stay(self, chat: Chat, agent: Opener, visitor: Opener) -> None:
        owner = await agent(ticket=await ticket_of(chat.company.owner))
        panel = await visitor(visitor_token=chat.visitor_token)
        await owner.next("ready")
        await panel.next("ready")
        bob = await agent(ticket=await ticket_of(chat.company.agent))
        await bob.next("ready")
        await sync_to_async(_deactivate)(chat)
        assert await bob.closed_with() == 4003
        await say(chat, chat.visitor, "Still there?", "m1")
        assert (await owner.next("inbox"))["conversation"]["id"] == chat.conversation_id
        assert (await panel.next_event(chat.conversation_id, after=1))["seq"] == 2

    async def test_a_new_role_counts_for_the_next_frame(self, chat: Chat, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(chat.company.agent))
        await desk.next("ready")
        await sync_to_async(_make_reader)(chat)
        await desk.next("ping")
        await desk.send("message.send", id="2", conversation_id=chat.conversation_id, client_message_id="m", text="x")
        assert (await desk.next("problem"))["problem"]["status"] == 403
        assert await sync_to_async(count)(Message) == 0

    async def test_signing_out_takes_that_browsers_sockets_along(self, chat: Chat, agent: Opener) -> None:
        here, there = await sync_to_async(_two_browsers)(chat.company.agent)
        left = await agent(ticket=await sync_to_async(_ticket)(here))
        stays = await agent(ticket=await sync_to_async(_ticket)(there))
        await left.next("ready")
        await stays.next("ready")
        late = await sync_to_async(_ticket)(here)
        await sync_to_async(_sign_out)(here)
        assert await left.closed_with() == 4003
        assert (await stays.next("ping"))["heads"] == {}
        assert await (await agent(ticket=late)).closed_with() == 4001


def _make_reader(chat: Chat) -> None:
    with system_access("test"):
        membership = Membership.unscoped.get(user=chat.company.agent)
        membership.role = Role.READ_ONLY
        membership.save()


def _two_browsers(user: User) -> tuple[Client, Client]:
    browsers = Client(), Client()
    for browser in browsers:
        browser.force_login(user)
    return browsers


def _ticket(browser: Client) -> str:
    answer = browser.post("/v1/auth/ticket", {}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["ticket"])


def _sign_out(browser: Client) -> None:
    request = HttpRequest()
    request.session = browser.session  # type: ignore[assignment] # the test client's own
    request.user = User.objects.get(pk=browser.session["_auth_user_id"])
    logout(request)


FRAMES: list[Frame] = [
    {"type": "message.send", "client_message_id": "m1", "text": "x"},
    {"type": "events.get", "after_seq": 0},
    {"type": "typing", "is_typing": True},
    {"type": "read", "seq": 1},
    {"type": "delivered", "seq": 1},
]


class TestForeignConversations:
    """Mallory's people name Acme's conversation, and a visitor names another visitor's."""

    @pytest.fixture
    def globex(self, chat: Chat) -> Chat:
        return start_chat(factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max"))

    @pytest.mark.parametrize("frame", [*FRAMES, {"type": "subscribe", "after_seq": 0}], ids=lambda frame: frame["type"])
    async def test_are_not_found_by_another_companys_agent(
        self, chat: Chat, globex: Chat, agent: Opener, frame: Frame
    ) -> None:
        desk = await agent(ticket=await ticket_of(globex.company.agent))
        await desk.next("ready")
        await self._is_refused(chat, desk, frame)

    @pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["type"])
    async def test_are_not_found_by_another_companys_visitor(
        self, chat: Chat, globex: Chat, visitor: Opener, frame: Frame
    ) -> None:
        panel = await visitor(visitor_token=globex.visitor_token)
        await panel.next("ready")
        await self._is_refused(chat, panel, frame)

    @pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["type"])
    async def test_are_not_found_by_another_visitor_of_the_same_company(
        self, chat: Chat, visitor: Opener, frame: Frame
    ) -> None:
        other = await sync_to_async(start_chat)(chat.company)
        panel = await visitor(visitor_token=other.visitor_token)
        await panel.next("ready")
        await self._is_refused(chat, panel, frame)

    async def _is_refused(self, chat: Chat, socket: Any, frame: Frame) -> None:
        before = await sync_to_async(_state)()
        await socket.send(**frame, id="9", conversation_id=chat.conversation_id)
        problem = await socket.next("problem")
        assert (problem["id"], problem["problem"]["status"]) == ("9", 404)
        assert await sync_to_async(_state)() == before
        await say(chat, chat.visitor, "secret", "s1")
        assert await socket.hears_nothing_of(chat.conversation_id)

    async def test_are_not_found_in_cursors(self, chat: Chat, globex: Chat, agent: Opener) -> None:
        own = globex.conversation_id
        desk = await agent(ticket=await ticket_of(globex.company.agent), cursors={chat.conversation_id: 0, own: 0})
        assert (await desk.next("ready"))["heads"] == {own: 1}
        assert (await desk.next("events"))["conversation_id"] == own
        problem = (await desk.next("problem"))["problem"]
        assert (problem["status"], problem["errors"][0]["pointer"]) == (404, f"/cursors/{chat.conversation_id}")
        await say(chat, chat.visitor, "secret", "s1")
        assert await desk.hears_nothing_of(chat.conversation_id)

    async def test_are_never_in_a_ping(self, chat: Chat, globex: Chat, agent: Opener) -> None:
        desk = await agent(ticket=await ticket_of(globex.company.agent))
        assert (await desk.next("ready"))["inbox"] == {"open": 1, "versions": 2}
        for n in range(3):
            await say(chat, chat.visitor, "many", f"m{n}")
        await sync_to_async(_touch)(globex)
        ping = await desk.next("ping")
        assert (ping["heads"], ping["inbox"]) == ({}, {"open": 1, "versions": 2})

    async def test_a_colleagues_presence_stays_in_the_company(self, chat: Chat, globex: Chat, agent: Opener) -> None:
        mark = await agent(ticket=await ticket_of(globex.company.agent))
        await mark.next("ready")
        bob = await agent(ticket=await ticket_of(chat.company.agent))
        await bob.next("ready")
        await bob.send("presence", id="2", status="online")
        await bob.next("ack")
        assert await mark.hears_nothing_of("us_" + chat.company.agent.pk.hex)


def _state() -> list[Any]:
    """Everything a refused frame could have changed."""
    conversations = [
        (
            row.pk,
            row.last_seq,
            row.agent_read_seq,
            row.visitor_read_seq,
            row.agent_delivered_seq,
            row.visitor_delivered_seq,
        )
        for row in rows(Conversation)
    ]
    return [conversations, count(Message), count(TypingIndicator), count(AgentPresence)]


def _touch(chat: Chat) -> None:
    """Bring the next ping of everybody in the company forward."""
    with system_access("test"):
        Tenant.objects.get(pk=chat.tenant_id).save()
