"""Messages: stored exactly once, whatever the client resends."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chat import limits, log
from chat.actors import Actor
from chat.attachments.services import take_for_message
from chat.ledgers import ChatEvent, Message
from chat.models import Conversation
from chat.presenters import message_payload
from chat.services.conversations import require_welcome
from chat.services.handing import take_up_on_reply
from chat.services.recording import enqueue_webhook, lock_conversation, require_active, tell
from chat.services.reopening import reopen_by_writing
from common.errors import Conflict, Invalid
from common.ids import encode, uuid7
from usage.services import record_usage

MOST_CHARACTERS = 5_000
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class SentMessage:
    """A stored message's log entry; `is_new` is False for a repeat."""

    event: ChatEvent
    is_new: bool


def send_message(
    *,
    tenant_id: UUID,
    conversation_id: UUID,
    actor: Actor,
    client_message_id: str,
    text: str,
    now: datetime,
    is_note: bool = False,
    attachment_id: UUID | None = None,
) -> SentMessage:
    """Store a message as the conversation's next event. The same `client_message_id` again answers the stored event.

    A visitor's reopens what was closed within a day; an agent's takes up what nobody has. Raises Invalid (empty or long
    text, bad id), NotFound, Forbidden (blocked), WrongState (closed), Conflict (same id with other text or file, or a file
    sent before), TooMany.
    """
    check_message(client_message_id, text, may_be_blank=attachment_id is not None)
    if actor.is_visitor:
        limits.note_write(visitor_id=actor.id, now=now)
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor)
    if not _is_plain(conversation, actor, is_note, attachment_id):
        if stored := _stored(tenant_id, conversation_id, actor, client_message_id):
            return _repeat(stored, text, is_note, attachment_id)
        _prepare(conversation, actor, is_note, now)
    message = Message(
        id=uuid7(),
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        sender_type=actor.type,
        sender_id=actor.id,
        sender_name=str(conversation.visitor) if actor.is_visitor else actor.name,
        message_type=Message.Type.NOTE if is_note else Message.Type.TEXT,
        text=text,
        client_message_id=client_message_id,
        created_at=now,
    )
    if attachment_id is not None:
        _carry(message, actor, attachment_id)
    event = log.append_message(
        message,
        payload={"message": message_payload(message)},
        counted=_counted(actor, is_note),
        is_public=not is_note,
    )
    if event is None:
        return _repeat(_stored(tenant_id, conversation_id, actor, client_message_id), text, is_note, attachment_id)
    tell(event)
    if not is_note:
        enqueue_webhook("chat.message.created", conversation, event.payload, now)
        _meter(message)
    return SentMessage(event, is_new=True)


def _is_plain(conversation: Conversation, actor: Actor, is_note: bool, attachment_id: UUID | None) -> bool:
    """Say whether the message changes nothing but the log: an open, welcome conversation in the hands it is in."""
    is_open = conversation.status == Conversation.Status.ACTIVE and attachment_id is None
    if actor.is_visitor:
        return is_open and conversation.visitor.blocked_at is None
    return is_open and (is_note or conversation.accepted_at is not None)


def _prepare(conversation: Conversation, actor: Actor, is_note: bool, now: datetime) -> None:
    """Refuse whom an agent has blocked, open again what a visitor writes in, let an agent take up what nobody has."""
    if actor.is_visitor:
        require_welcome(conversation.visitor)
        if conversation.status != Conversation.Status.ACTIVE:
            reopen_by_writing(conversation, actor, now)
    require_active(conversation)
    if not is_note:
        take_up_on_reply(conversation, actor, now)


def _carry(message: Message, actor: Actor, attachment_id: UUID) -> None:
    """Let a message carry a file its sender uploaded; the file is taken for it in the same transaction."""
    file = take_for_message(
        tenant_id=message.tenant_id,
        conversation_id=message.conversation_id,
        actor=actor,
        attachment_id=attachment_id,
        message_id=message.pk,
    )
    message.attachment_id, message.storage_key = file.pk, file.storage_key
    message.file_name, message.file_size, message.file_type = file.file_name, file.size, file.content_type
    if message.message_type != Message.Type.NOTE:
        message.message_type = Message.Type.IMAGE if file.is_image else Message.Type.FILE


def check_message(client_message_id: str, text: str, *, may_be_blank: bool = False) -> None:
    """Raise Invalid for what cannot be a message."""
    if not CLIENT_ID.fullmatch(client_message_id):
        raise Invalid("client_message_id must be 1 to 64 of A-Z, a-z, 0-9, _ and -.", pointer="/client_message_id")
    check_text(text, may_be_blank=may_be_blank)


def check_text(text: str, *, may_be_blank: bool = False) -> None:
    """Raise Invalid for what a message cannot say."""
    if not text.strip() and not may_be_blank:
        raise Invalid("The message is empty.", code="blank", pointer="/text")
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"The message is longer than {MOST_CHARACTERS} characters.", code="too-long", pointer="/text")
    if "\x00" in text:
        raise Invalid("The message holds a NUL character.", pointer="/text")


def _stored(tenant_id: UUID, conversation_id: UUID, actor: Actor, client_message_id: str) -> Message | None:
    return (
        Message.objects.for_tenant(tenant_id)
        .filter(
            conversation_id=conversation_id,
            sender_type=actor.type,
            sender_id=actor.id,
            client_message_id=client_message_id,
        )
        .first()
    )


def _repeat(stored: Message | None, text: str, is_note: bool, attachment_id: UUID | None) -> SentMessage:
    """Return the event of what was sent before under the same key, as it was then; raise Conflict when it was something else."""
    if stored is not None:
        events = ChatEvent.objects.for_tenant(stored.tenant_id)
        event = events.get(conversation_id=stored.conversation_id, seq=stored.seq)
        sent: Any = event.payload["message"]["text"], stored.message_type == Message.Type.NOTE, stored.attachment_id
        if sent == (text, is_note, attachment_id):
            return SentMessage(event, is_new=False)
    raise Conflict("This client_message_id was used for another message.", pointer="/client_message_id")


def _counted(actor: Actor, is_note: bool) -> log.Counted:
    if is_note:
        return log.Counted()
    return log.Counted(messages=1, visitor_messages=int(actor.is_visitor), agent_messages=int(not actor.is_visitor))


def _meter(message: Message) -> None:
    record_usage(
        tenant_id=message.tenant_id,
        channel="chat",
        resource_type="message",
        quantity=Decimal(1),
        occurred_at=message.created_at,
        dedup_key=f"chat-message:{message.pk.hex}",
        resource_id=encode("cm", message.pk),
    )
