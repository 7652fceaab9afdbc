"""Mending what one has just said: the message shows the new text, the log keeps both."""

from datetime import datetime, timedelta
from uuid import UUID

from chat import limits, log
from chat.actors import Actor
from chat.ledgers import ChatEvent, Message
from chat.models import Conversation
from chat.presenters import edit_payload
from chat.services.conversations import require_welcome
from chat.services.messages import check_text
from chat.services.recording import lock_conversation, require_active, tell
from common.errors import Forbidden, NotFound, WrongState

# The pages offer it as long (`chat/static/chat/rows.js`).
EDITABLE_FOR = timedelta(minutes=15)


def edit_message(
    *, tenant_id: UUID, conversation_id: UUID, message_id: UUID, actor: Actor, text: str, now: datetime
) -> Message:
    """Give a message another text and log an `edit`; return the message. The text it has already changes nothing.

    Raises NotFound, Forbidden (not the actor's own, blocked), WrongState (closed, older than 15 minutes), Invalid (empty or
    long text), TooMany.
    """
    if actor.is_visitor:
        limits.note_write(visitor_id=actor.id, now=now)
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id, actor=actor)
    message = _own(conversation, message_id, actor)
    check_text(text, may_be_blank=message.attachment_id is not None)
    if message.text == text:
        return message
    _require_editable(conversation, message, actor, now)
    message.text, message.edited_at = text, now
    event = log.append(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        type=ChatEvent.Type.EDIT,
        payload=edit_payload(message),
        now=now,
        is_public=message.visitor_seq is not None,
    )
    message.save(update_fields=["text", "edited_at"])
    tell(event)
    return message


def _own(conversation: Conversation, message_id: UUID, actor: Actor) -> Message:
    """Return the actor's own message; for a visitor private notes are not there."""
    rows = Message.objects.for_tenant(conversation.tenant_id).filter(conversation_id=conversation.pk, pk=message_id)
    found = (rows.filter(visitor_seq__isnull=False) if actor.is_visitor else rows).first()
    if found is None:
        raise NotFound("There is no such message in this conversation.", pointer="/message_id")
    if (found.sender_type, found.sender_id) != (actor.type, actor.id):
        raise Forbidden("Only its author can change a message.", code="not-author")
    return found


def _require_editable(conversation: Conversation, message: Message, actor: Actor, now: datetime) -> None:
    if actor.is_visitor:
        require_welcome(conversation.visitor)
    require_active(conversation)
    if message.message_type == Message.Type.SYSTEM:
        raise Forbidden("What the system wrote cannot be changed.", code="not-author")
    if now - message.created_at > EDITABLE_FOR:
        minutes = int(EDITABLE_FOR.total_seconds() // 60)
        raise WrongState(f"A message can be changed for {minutes} minutes.", code="too-late")
