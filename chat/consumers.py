"""The visitor's and the agent's socket: authenticate, parse, call one service."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from django.utils import timezone

from accounts import authentication
from accounts.models import User
from accounts.presence import services as presence
from accounts.presence.leases import Agent
from accounts.principals import Principal, require_user
from accounts.sockets import Finding, Frame, Listener, Sign, SocketConsumer, is_true, registry, text_of, whole_of
from accounts.sockets.outbox import Send, Write
from accounts.sockets.pulse import ping_seconds
from chat import catching_up, events, pulse, services
from chat.actors import actor_of
from chat.presenters import numbered
from chat.services.signs import TYPING_AT_MOST_EVERY
from chat.services.visitors import note_page
from chat.subscriptions import Subscriptions
from common.errors import DomainError, Invalid, NotFound
from common.ids import decode, encode
from common.problems import body as problem_body

MOST_FOLLOWED: Final = 200


class ChatConsumer(SocketConsumer):
    """What both sides have in common: send, catch up, type, mark as read and delivered."""

    __slots__ = ("_followed", "_typed", "subscriptions")
    for_visitor: ClassVar[bool]
    handlers: ClassVar[dict[str, str]] = {
        "message.send": "on_message_send",
        "events.get": "on_events_get",
        "typing": "on_typing",
        "read": "on_read",
        "delivered": "on_delivered",
        "pong": "on_pong",
    }

    def __init__(self, send: Send, write: Write | None = None) -> None:
        super().__init__(send, write)
        self.subscriptions = Subscriptions(self.deliver)
        self._followed: set[UUID] = set()
        self._typed: dict[UUID, tuple[bool, float]] = {}

    def followed(self) -> tuple[UUID, ...]:
        return tuple(self._followed)

    async def welcome(self, frame: Frame) -> None:
        """Subscribe, read, send `ready` and what was missed; live frames wait until then."""
        cursors, unreadable = _cursors(frame)
        mine = await self.own_conversations(cursors)
        with self.subscriptions.held_back():
            await self.subscriptions.join(self.general_topic(), *(self._topic(id) for id in mine))
            self._followed.update(mine)
            begun = await self.in_scope(catching_up.begin, self.who, mine, cursors, timezone.now())
            self.send_frame("ready", **echo(frame), ping_seconds=ping_seconds(), **begun.ready)
            for missed in begun.missed:
                self.send_frame(**missed)
            for public_id in [*unreadable, *(encode("cc", id) for id in cursors if id not in mine)]:
                error = NotFound("There is no such conversation.", pointer=f"/cursors/{public_id}")
                self.send_frame("problem", **echo(frame), problem=problem_body(error))

    def general_topic(self) -> str:
        """Return the topic every socket of this kind hears."""
        raise NotImplementedError

    async def own_conversations(self, cursors: Mapping[UUID, int]) -> set[UUID]:
        """Return which conversations this socket begins with."""
        return await self.in_scope(catching_up.own_conversations, self.who, cursors)

    async def leave(self, *, is_clean: bool) -> None:
        await self.subscriptions.leave_all()

    async def on_message_send(self, frame: Frame) -> None:
        attachment: dict[str, Any] = (
            {"attachment_id": decode("at", text_of(frame, "attachment_id"))} if "attachment_id" in frame else {}
        )
        sent = await self.in_scope(
            services.send_message,
            tenant_id=self.who.tenant_id,
            conversation_id=conversation_id_of(frame),
            actor=actor_of(self.who),
            client_message_id=text_of(frame, "client_message_id", most=64),
            text=_message_text(frame, is_needed=not attachment),
            now=timezone.now(),
            **attachment,
        )
        body = numbered(sent.event, for_visitor=self.for_visitor)
        self.send_frame("ack", **echo(frame), conversation_id=frame["conversation_id"], **body)

    async def on_events_get(self, frame: Frame) -> None:
        await self._catch_up(conversation_id_of(frame), whole_of(frame, "after_seq"), frame)

    async def on_typing(self, frame: Frame) -> None:
        conversation_id, is_typing = conversation_id_of(frame), is_true(frame, "is_typing")
        if is_true(frame, "is_note") or not self._may_type(conversation_id, is_typing):
            return
        await self.in_scope(
            services.set_typing,
            tenant_id=self.who.tenant_id,
            conversation_id=conversation_id,
            actor=actor_of(self.who),
            is_typing=is_typing,
            now=timezone.now(),
        )
        since = time.monotonic() if is_typing else self._typed.get(conversation_id, (False, 0.0))[1]
        self._typed = {conversation_id: (is_typing, since)}

    def _may_type(self, conversation_id: UUID, is_typing: bool) -> bool:
        """Say whether the sign is worth a look at the database: a start every three seconds, a stop after a start."""
        was_typing, since = self._typed.get(conversation_id, (False, float("-inf")))
        if is_typing:
            return time.monotonic() - since >= TYPING_AT_MOST_EVERY.total_seconds()
        return was_typing or conversation_id not in self._typed

    async def on_read(self, frame: Frame) -> None:
        await self._mark(services.mark_read, frame)

    async def on_delivered(self, frame: Frame) -> None:
        await self._mark(services.mark_delivered, frame)

    async def _mark(self, mark: Any, frame: Frame) -> None:
        await self.in_scope(
            mark,
            tenant_id=self.who.tenant_id,
            conversation_id=conversation_id_of(frame),
            actor=actor_of(self.who),
            seq=whole_of(frame, "seq"),
        )

    async def on_pong(self, frame: Frame) -> None:
        """Nothing to do: the pong's arrival is all it says."""

    async def _catch_up(self, conversation_id: UUID, after_seq: int, frame: Frame) -> None:
        for answer in await self.in_scope(
            catching_up.frames_after, self.who, conversation_id, after_seq, timezone.now()
        ):
            echoed = {} if answer["type"] == "typing" else echo(frame)
            self.send_frame(**echoed, **answer)

    async def follow(self, conversation_id: UUID, after_seq: int, frame: Frame) -> None:
        """Subscribe to a conversation of one's own, send what was missed, then its live frames."""
        if conversation_id not in self._followed:
            await self._begin_to_follow(conversation_id)
        with self.subscriptions.held_back():
            await self._catch_up(conversation_id, after_seq, frame)

    async def _begin_to_follow(self, conversation_id: UUID) -> None:
        if len(self._followed) >= MOST_FOLLOWED:
            raise Invalid(f"A socket follows at most {MOST_FOLLOWED} conversations.", code="too-many-conversations")
        if conversation_id not in await self.in_scope(catching_up.own_conversations, self.who, {conversation_id: 0}):
            raise NotFound("There is no such conversation.", pointer="/conversation_id")
        await self.subscriptions.join(self._topic(conversation_id))
        self._followed.add(conversation_id)

    async def unfollow(self, conversation_id: UUID) -> None:
        """Hear a conversation no more."""
        self._followed.discard(conversation_id)
        await self.subscriptions.leave([self._topic(conversation_id)])

    def _topic(self, conversation_id: UUID) -> str:
        return events.conversation_topic(self.who.tenant_id, conversation_id, for_visitor=self.for_visitor)


class VisitorConsumer(ChatConsumer):
    """`/ws/v1/visitor`"""

    __slots__ = ("_mine",)
    for_visitor = True
    handlers: ClassVar[dict[str, str]] = {**ChatConsumer.handlers, "page": "on_page"}

    async def sign_in(self, frame: Frame) -> Principal:
        token = text_of(frame, "visitor_token", most=500)
        asked, _ = _cursors(frame)
        principal, self._mine = await self.in_thread(catching_up.enter_visitor, token, asked, now=timezone.now())
        return principal

    async def own_conversations(self, cursors: Mapping[UUID, int]) -> set[UUID]:
        """Return what signing in has found already."""
        mine, self._mine = self._mine, set()
        return mine

    def general_topic(self) -> str:
        return events.presence_topic(self.who.tenant_id)

    @classmethod
    def examine(cls, listeners: Sequence[Listener], now: datetime) -> list[Finding | None]:
        return pulse.examine_visitors(listeners)

    @classmethod
    def note_signs(cls, signs: Sequence[Sign], now: datetime) -> None:
        pulse.note_visitors(signs)

    async def on_events_get(self, frame: Frame) -> None:
        """Catch up, and follow a conversation begun since this socket signed in."""
        await self.follow(conversation_id_of(frame), whole_of(frame, "after_seq"), frame)

    async def on_page(self, frame: Frame) -> None:
        await self.in_scope(
            note_page,
            tenant_id=self.who.tenant_id,
            visitor_id=self.who.id,
            url=text_of(frame, "url", most=2000),
            title=_title(frame),
            now=timezone.now(),
        )


class AgentConsumer(ChatConsumer):
    """`/ws/v1/agent`"""

    __slots__ = ()
    for_visitor = False
    handlers: ClassVar[dict[str, str]] = {
        **ChatConsumer.handlers,
        "subscribe": "on_subscribe",
        "unsubscribe": "on_unsubscribe",
        "presence": "on_presence",
    }

    async def sign_in(self, frame: Frame) -> Principal:
        principal = await self.in_thread(authentication.by_ticket, text_of(frame, "ticket"))
        principal.require("chat.read")
        return principal

    async def welcome(self, frame: Frame) -> None:
        await super().welcome(frame)
        registry().noted(self.who)  # the arrival was a sign of life

    def general_topic(self) -> str:
        return events.inbox_topic(self.who.tenant_id)

    @classmethod
    def examine(cls, listeners: Sequence[Listener], now: datetime) -> list[Finding | None]:
        return pulse.examine_agents(listeners)

    @classmethod
    def note_signs(cls, signs: Sequence[Sign], now: datetime) -> None:
        people = [sign for sign in signs if sign.principal.may("presence")]
        presence.note_signs([(Agent(s.principal.tenant_id, s.principal.id), s.heard_at) for s in people], now=now)

    async def leave(self, *, is_clean: bool) -> None:
        await super().leave(is_clean=is_clean)
        who = self.who
        if is_clean and who.may("presence") and not registry().has(who):
            await self.in_scope(presence.part, tenant_id=who.tenant_id, user_id=who.id, now=timezone.now())

    async def on_message_send(self, frame: Frame) -> None:
        self.who.require("chat.reply")
        await super().on_message_send(frame)

    async def on_typing(self, frame: Frame) -> None:
        self.who.require("chat.reply")
        await super().on_typing(frame)

    async def on_subscribe(self, frame: Frame) -> None:
        await self.follow(conversation_id_of(frame), whole_of(frame, "after_seq", default=0), frame)

    async def on_unsubscribe(self, frame: Frame) -> None:
        await self.unfollow(conversation_id_of(frame))
        self.send_frame("ack", **echo(frame), conversation_id=frame["conversation_id"])

    async def on_presence(self, frame: Frame) -> None:
        self.who.require("presence")
        await self.in_scope(self._note_presence, text_of(frame, "status", most=10))
        self.send_frame("ack", **echo(frame))

    def _note_presence(self, status: str) -> None:
        services.note_presence(
            tenant_id=self.who.tenant_id,
            user=User.objects.get(pk=require_user(self.who)),
            status=status,
            status_message=None,
            now=timezone.now(),
        )


def conversation_id_of(frame: Frame) -> UUID:
    """Return the conversation a frame names."""
    return decode("cc", text_of(frame, "conversation_id"))


def echo(frame: Frame) -> Frame:
    """Return what an answer repeats of its request."""
    return {"id": frame["id"]} if "id" in frame else {}


def _message_text(frame: Frame, *, is_needed: bool) -> str:
    text = frame.get("text", None if is_needed else "")
    if not isinstance(text, str):
        raise Invalid("text must be a text.", pointer="/text")
    return text


def _title(frame: Frame) -> str:
    title = frame.get("title", "")
    if not isinstance(title, str):
        raise Invalid("title must be a text.", pointer="/title")
    return title[:300]


def _cursors(frame: Frame) -> tuple[dict[UUID, int], list[str]]:
    """Return the auth frame's cursors by conversation, and the names that are no conversation's id."""
    cursors = frame.get("cursors", {})
    if not isinstance(cursors, dict) or len(cursors) > MOST_FOLLOWED:
        raise Invalid(f"cursors must be an object of at most {MOST_FOLLOWED} numbers.", pointer="/cursors")
    found: dict[UUID, int] = {}
    unreadable: list[str] = []
    for public_id in cursors:
        seq = whole_of(cursors, public_id)
        try:
            found[decode("cc", public_id)] = seq
        except DomainError:
            unreadable.append(public_id[:40])
    return found, unreadable
