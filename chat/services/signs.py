"""Passing signs: read marks, typing, presence. State, not log."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Least

from accounts.models import User
from accounts.presence import services as presence
from accounts.presence.models import AgentPresence
from chat.actors import Actor
from chat.events import ForBothSides, InboxChanged, PresenceChanged
from chat.models import Conversation, TypingIndicator
from chat.selectors import both_numbers, desk_row
from common.errors import NotFound
from common.ids import encode, uuid7
from common.live import publish_on_commit
from common.timestamps import rfc3339

TYPING_LASTS = timedelta(seconds=10)


def mark_read(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, seq: int) -> None:
    """Move the reader's mark forward to `seq` (in the reader's numbering); never back, never past the head."""
    mark, head = ("visitor_read_seq", "last_visitor_seq") if actor.is_visitor else ("agent_read_seq", "last_seq")
    rows = _own(tenant_id, conversation_id, actor)
    moved = rows.filter(**{f"{mark}__lt": seq}).update(**{mark: Greatest(F(mark), Least(Value(seq), F(head)))})
    if not moved:
        return
    stored = rows.values_list(mark, flat=True).get()
    frame = {"type": "read", "participant": {"type": actor.type, "id": actor.public_id}}
    seqs = both_numbers(tenant_id=tenant_id, conversation_id=conversation_id, seq=stored, for_visitor=actor.is_visitor)
    publish_on_commit(ForBothSides(tenant_id, conversation_id, frame, seqs))
    if not actor.is_visitor:
        publish_on_commit(InboxChanged(tenant_id, desk_row(tenant_id, conversation_id)))


def set_typing(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, is_typing: bool, now: datetime) -> None:
    """Show or hide that somebody types, for ten seconds at most. One row per participant."""
    if not _own(tenant_id, conversation_id, actor).filter(status=Conversation.Status.ACTIVE).exists():
        raise NotFound("There is no such open conversation.", pointer="/conversation_id")
    rows = TypingIndicator.objects.for_tenant(tenant_id)
    mine = {"conversation_id": conversation_id, "participant_type": actor.type, "participant_id": actor.id}
    expires_at = now + TYPING_LASTS if is_typing else now
    if is_typing:
        rows.update_or_create(
            **mine,
            defaults={"expires_at": expires_at},
            create_defaults={"id": uuid7(), "tenant_id": tenant_id, "started_at": now, "expires_at": expires_at},
        )
    else:
        rows.filter(**mine).delete()
    participant = {"type": actor.type, "id": actor.public_id, "name": actor.name}
    frame = {"type": "typing", "participant": participant, "is_typing": is_typing, "expires_at": rfc3339(expires_at)}
    publish_on_commit(ForBothSides(tenant_id, conversation_id, frame))


def note_presence(
    *, tenant_id: UUID, user: User, status: str, status_message: str | None, now: datetime
) -> AgentPresence:
    """Store the status an agent chose and tell colleagues and visitors."""
    row = presence.choose_status(
        tenant_id=tenant_id, user_id=user.pk, status=status, status_message=status_message, now=now
    )
    agent = {"id": encode("us", user.pk), "name": user.name, "status": row.status}
    anybody = presence.online(tenant_id=tenant_id, now=now).exists()
    publish_on_commit(PresenceChanged(tenant_id, agent, anybody))
    return row


def _own(tenant_id: UUID, conversation_id: UUID, actor: Actor) -> QuerySet[Conversation]:
    rows = Conversation.objects.for_tenant(tenant_id).filter(pk=conversation_id)
    return rows.filter(visitor_id=actor.id) if actor.is_visitor else rows
