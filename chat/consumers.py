"""The visitor's and the agent's socket: authenticate, parse, call one service."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone

from accounts import authentication
from accounts.consumers import PING_SECONDS, Frame, SocketConsumer, text_of, whole_of
from accounts.models import Tenant, User
from accounts.presence import services as presence
from accounts.principals import Kind, Principal, require_user
from chat import events, selectors, services
from chat.actors import actor_of
from chat.presenters import numbered
from chat.subscriptions import Subscriptions
from common.errors import Forbidden, Invalid
from common.ids import decode, encode

MOST_CURSORS = 200


class ChatConsumer(SocketConsumer):
    """What both sides have in common: send, catch up, type, mark as read."""

    for_visitor: ClassVar[bool]
    handlers: ClassVar[dict[str, str]] = {
        "message.send": "on_message_send",
        "events.get": "on_events_get",
        "typing": "on_typing",
        "read": "on_read",
        "pong": "on_pong",
    }

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions = Subscriptions(self.deliver)

    async def leave(self) -> None:
        await self.subscriptions.leave_all()

    async def on_message_send(self, frame: Frame) -> None:
        sent = await self.in_scope(
            services.send_message,
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation_id_of(frame),
            actor=actor_of(self.principal),
            client_message_id=text_of(frame, "client_message_id", most=64),
            text=_message_text(frame),
            now=timezone.now(),
        )
        body = numbered(sent.event, for_visitor=self.for_visitor)
        self.send_frame("ack", **echo(frame), conversation_id=frame["conversation_id"], **body)

    async def on_events_get(self, frame: Frame) -> None:
        await self.catch_up(conversation_id_of(frame), whole_of(frame, "after_seq"), echo(frame))

    async def on_typing(self, frame: Frame) -> None:
        await self.in_scope(
            services.set_typing,
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation_id_of(frame),
            actor=actor_of(self.principal),
            is_typing=frame.get("is_typing") is True,
            now=timezone.now(),
        )

    async def on_read(self, frame: Frame) -> None:
        await self.in_scope(
            services.mark_read,
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation_id_of(frame),
            actor=actor_of(self.principal),
            seq=whole_of(frame, "seq"),
        )

    async def on_pong(self, frame: Frame) -> None:
        """Nothing to do: the pong's arrival is all it says."""

    async def catch_up(self, conversation_id: UUID, after_seq: int, echoed: Frame) -> None:
        """Send the events after a number, or `reset` when they are too many."""
        public_id = encode("cc", conversation_id)
        missed, head = await self.in_scope(self._read_missed, conversation_id, after_seq)
        if head - after_seq > selectors.MOST_EVENTS:
            self.send_frame("reset", **echoed, conversation_id=public_id, head=head)
        else:
            self.send_frame("events", **echoed, conversation_id=public_id, events=missed, head=head)

    def _read_missed(self, conversation_id: UUID, after_seq: int) -> tuple[list[dict[str, Any]], int]:
        conversation = selectors.conversation_of(self.principal, conversation_id)
        head = conversation.last_visitor_seq if self.for_visitor else conversation.last_seq
        if head - after_seq > selectors.MOST_EVENTS:
            return [], head
        missed = selectors.events_after(
            tenant_id=self.principal.tenant_id,
            conversation_id=conversation_id,
            after_seq=after_seq,
            for_visitor=self.for_visitor,
        )
        return missed, head

    async def follow(self, conversation_id: UUID, after_seq: int, echoed: Frame) -> None:
        """Subscribe to a conversation, hold live frames back, send what was missed, then let them through."""
        topic = events.conversation_topic(self.principal.tenant_id, conversation_id, for_visitor=self.for_visitor)
        async with self.subscriptions.held_back(topic):
            await self.catch_up(conversation_id, after_seq, echoed)

    async def resume(self, frame: Frame) -> None:
        """Follow each conversation of the auth frame's cursors."""
        for public_id, seq in _cursors(frame).items():
            await self.follow(decode("cc", public_id), seq, {})

    async def heads(self, conversation_ids: list[UUID]) -> dict[str, int]:
        found = await self.in_scope(
            selectors.heads,
            tenant_id=self.principal.tenant_id,
            conversation_ids=conversation_ids,
            for_visitor=self.for_visitor,
        )
        return {encode("cc", key): head for key, head in found.items()}

    async def ready(self, frame: Frame, kind: str, heads: dict[str, int], **more: Any) -> None:
        me = {"kind": kind, "id": actor_of(self.principal).public_id, "name": self.principal.name}
        epoch = await self.in_scope(_epoch, self.principal.tenant_id)
        self.send_frame(
            "ready", **echo(frame), principal=me, epoch=epoch, ping_seconds=PING_SECONDS, heads=heads, **more
        )

    async def check_tenant(self) -> str:
        """Return the tenant's epoch; raise Forbidden once it is suspended."""
        return await self.in_scope(_epoch, self.principal.tenant_id)


class VisitorConsumer(ChatConsumer):
    """`/ws/v1/visitor`"""

    for_visitor = True
    conversation_id: UUID | None = None

    async def sign_in(self, frame: Frame) -> Principal:
        token = text_of(frame, "visitor_token", most=500)
        return await self.in_thread(authentication.by_visitor_token, token, now=timezone.now())

    async def welcome(self, frame: Frame) -> None:
        mine = await self.in_scope(
            selectors.open_conversation_of_visitor,
            tenant_id=self.principal.tenant_id,
            visitor_id=self.principal.id,
        )
        await self.subscriptions.join(events.presence_topic(self.principal.tenant_id))
        heads: dict[str, int] = {}
        if mine is not None:
            self.conversation_id = mine.pk
            await self.subscriptions.join(
                events.conversation_topic(self.principal.tenant_id, mine.pk, for_visitor=True)
            )
            heads = await self.heads([mine.pk])
        await self.ready(frame, "visitor", heads)
        await self.resume(frame)

    async def on_events_get(self, frame: Frame) -> None:
        """Catch up, and follow a conversation begun since this socket signed in."""
        conversation_id = conversation_id_of(frame)
        await self.follow(conversation_id, whole_of(frame, "after_seq"), echo(frame))
        self.conversation_id = conversation_id

    async def ping_body(self) -> Frame:
        epoch = await self.check_tenant()
        heads = await self.heads([self.conversation_id]) if self.conversation_id else {}
        return {"heads": heads, "epoch": epoch}


class AgentConsumer(ChatConsumer):
    """`/ws/v1/agent`"""

    for_visitor = False
    handlers: ClassVar[dict[str, str]] = {
        **ChatConsumer.handlers,
        "subscribe": "on_subscribe",
        "unsubscribe": "on_unsubscribe",
        "presence": "on_presence",
    }

    def __init__(self) -> None:
        super().__init__()
        self.opened: set[UUID] = set()

    async def sign_in(self, frame: Frame) -> Principal:
        principal = await self.in_thread(authentication.by_ticket, text_of(frame, "ticket"))
        principal.require("chat.read")
        return principal

    async def welcome(self, frame: Frame) -> None:
        await self.subscriptions.join(events.inbox_topic(self.principal.tenant_id))
        self.opened = {decode("cc", public_id) for public_id in _cursors(frame)}
        heads = await self.heads(sorted(self.opened))
        inbox = await self.in_scope(selectors.inbox_state, self.principal.tenant_id)
        await self.ready(frame, "agent", heads, inbox=inbox)
        await self.resume(frame)
        await self._sign_of_life()

    async def on_message_send(self, frame: Frame) -> None:
        self.principal.require("chat.reply")
        await super().on_message_send(frame)

    async def on_typing(self, frame: Frame) -> None:
        self.principal.require("chat.reply")
        await super().on_typing(frame)

    async def on_subscribe(self, frame: Frame) -> None:
        conversation_id = conversation_id_of(frame)
        await self.follow(conversation_id, whole_of(frame, "after_seq", default=0), echo(frame))
        self.opened.add(conversation_id)

    async def on_unsubscribe(self, frame: Frame) -> None:
        conversation_id = conversation_id_of(frame)
        self.opened.discard(conversation_id)
        await self.subscriptions.leave(
            events.conversation_topic(self.principal.tenant_id, conversation_id, for_visitor=False)
        )
        self.send_frame("ack", **echo(frame), conversation_id=frame["conversation_id"])

    async def on_presence(self, frame: Frame) -> None:
        self.principal.require("presence")
        await self.in_scope(self._note_presence, text_of(frame, "status", most=10))
        self.send_frame("ack", **echo(frame))

    def _note_presence(self, status: str) -> None:
        user = User.objects.get(pk=require_user(self.principal))
        services.note_presence(
            tenant_id=self.principal.tenant_id, user=user, status=status, status_message=None, now=timezone.now()
        )

    async def ping_body(self) -> Frame:
        self.principal = await self.in_thread(
            authentication.current_user_principal,
            user_id=require_user(self.principal),
            tenant_id=self.principal.tenant_id,
            auth_version=self.principal.auth_version,
        )
        self.principal.require("chat.read")
        await self._sign_of_life()
        heads = await self.heads(sorted(self.opened))
        inbox = await self.in_scope(selectors.inbox_state, self.principal.tenant_id)
        return {"heads": heads, "inbox": inbox, "epoch": await self.check_tenant()}

    async def leave(self) -> None:
        await super().leave()
        await self.in_scope(
            presence.shorten_lease,
            tenant_id=self.principal.tenant_id,
            user_id=require_user(self.principal),
            now=timezone.now(),
        )

    async def _sign_of_life(self) -> None:
        if self.principal.kind == Kind.USER:
            await self.in_scope(
                presence.sign_of_life,
                tenant_id=self.principal.tenant_id,
                user_id=require_user(self.principal),
                now=timezone.now(),
            )


def conversation_id_of(frame: Frame) -> UUID:
    """Return the conversation a frame names."""
    return decode("cc", text_of(frame, "conversation_id"))


def echo(frame: Frame) -> Frame:
    """Return what an answer repeats of its request."""
    return {"id": frame["id"]} if "id" in frame else {}


def _message_text(frame: Frame) -> str:
    text = frame.get("text")
    if not isinstance(text, str):
        raise Invalid("text must be a text.", pointer="/text")
    return text


def _cursors(frame: Frame) -> dict[str, int]:
    cursors = frame.get("cursors", {})
    if not isinstance(cursors, dict) or len(cursors) > MOST_CURSORS:
        raise Invalid(f"cursors must be an object of at most {MOST_CURSORS} numbers.", pointer="/cursors")
    return {str(public_id): whole_of(cursors, public_id) for public_id in cursors}


def _epoch(tenant_id: UUID) -> str:
    tenant = Tenant.objects.get(pk=tenant_id)
    if not tenant.is_open:
        raise Forbidden("This company's account is suspended.", code="tenant-suspended")
    return f"{tenant.settings.get('socket_epoch', 1)}"
