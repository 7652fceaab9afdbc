"""Passing signs: read and delivered marks, typing, presence. State, not log."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Least

from accounts.models import User
from accounts.presence import services as presence
from accounts.presence.models import AgentPresence
from accounts.tenancy import system_access, tenant_scope
from chat.actors import Actor
from chat.desk_row import desk_row
from chat.events import ForBothSides, InboxChanged, PresenceChanged, StandingChanged
from chat.ledgers import SenderType
from chat.models import Conversation, TypingIndicator, Widget
from chat.selectors import both_numbers
from common import hours
from common.db import prepared
from common.errors import NotFound
from common.ids import encode, uuid7
from common.live import publish_on_commit
from common.timestamps import rfc3339

TYPING_LASTS = timedelta(seconds=10)
TYPING_AT_MOST_EVERY = timedelta(seconds=3)

# One statement: no row comes back when this participant's sign was written less than three seconds ago.
WRITE_TYPING = """
INSERT INTO chat_typing_indicators AS t
  (id, tenant_id, conversation_id, participant_type, participant_id, started_at, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (conversation_id, participant_type, participant_id)
DO UPDATE SET started_at = excluded.started_at, expires_at = excluded.expires_at
WHERE t.started_at <= excluded.started_at - %s
RETURNING 1
"""
TYPING = """
SELECT t.conversation_id, t.participant_type, t.participant_id, coalesce(nullif(v.name, ''), v.email, u.name), t.expires_at
FROM chat_typing_indicators t
LEFT JOIN chat_visitors v ON t.participant_type = 'visitor' AND v.id = t.participant_id AND v.tenant_id = t.tenant_id
LEFT JOIN users u ON t.participant_type <> 'visitor' AND u.id = t.participant_id
WHERE t.tenant_id = %s AND t.conversation_id = ANY(%s::uuid[]) AND t.expires_at > %s
"""


@dataclass(frozen=True)
class Mark:
    """How far a side is: the column of its mark and the head of its numbering."""

    read: str
    delivered: str
    head: str


MARKS = {
    True: Mark("visitor_read_seq", "visitor_delivered_seq", "last_visitor_seq"),
    False: Mark("agent_read_seq", "agent_delivered_seq", "last_seq"),
}


def mark_read(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, seq: int) -> None:
    """Move the reader's mark forward to `seq` (in the reader's numbering); never back, never past the head.

    What is read was delivered. Raises NotFound for a conversation that is not the reader's.
    """
    mark = MARKS[actor.is_visitor]
    rows = _own(tenant_id, conversation_id, actor)
    if not rows.filter(**{f"{mark.read}__lt": seq}).update(**_forward(seq, mark.head, mark.read, mark.delivered)):
        _require(rows)
        return
    _tell_mark("read", rows, mark.read, actor)
    if not actor.is_visitor:
        publish_on_commit(InboxChanged(tenant_id, desk_row(tenant_id, conversation_id)))


def mark_delivered(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, seq: int) -> None:
    """Note that the actor's client holds everything up to `seq` (in its own numbering); never back, never past the head.

    The desk's row does not change its version for it, and the inbox is not rung. Raises NotFound as `mark_read`.
    """
    mark = MARKS[actor.is_visitor]
    rows = _own(tenant_id, conversation_id, actor)
    if not rows.filter(**{f"{mark.delivered}__lt": seq}).update(**_forward(seq, mark.head, mark.delivered)):
        _require(rows)
        return
    _tell_mark("delivered", rows, mark.delivered, actor)


def _forward(seq: int, head: str, *marks: str) -> dict[str, Any]:
    return {mark: Greatest(F(mark), Least(Value(seq), F(head))) for mark in marks}


def _tell_mark(type: str, rows: QuerySet[Conversation], mark: str, actor: Actor) -> None:
    tenant_id, conversation_id, stored = rows.values_list("tenant_id", "pk", mark).get()
    frame = {"type": type, "participant": {"type": actor.type, "id": actor.public_id}}
    seqs = both_numbers(tenant_id=tenant_id, conversation_id=conversation_id, seq=stored, for_visitor=actor.is_visitor)
    publish_on_commit(ForBothSides(tenant_id, conversation_id, frame, seqs))


def set_typing(*, tenant_id: UUID, conversation_id: UUID, actor: Actor, is_typing: bool, now: datetime) -> None:
    """Show or hide that somebody types, for ten seconds at most. One row, and one write in three seconds, a participant."""
    if not _own(tenant_id, conversation_id, actor).filter(status=Conversation.Status.ACTIVE).exists():
        raise NotFound("There is no such open conversation.", pointer="/conversation_id")
    expires_at = now + TYPING_LASTS if is_typing else now
    if is_typing:
        is_told = _write_typing(tenant_id, conversation_id, actor, now, expires_at)
    else:
        # Over at once, however short ago it began; the row stays until it is swept, for it counts the three seconds.
        mine = TypingIndicator.objects.for_tenant(tenant_id).filter(conversation_id=conversation_id)
        mine.filter(participant_type=actor.type, participant_id=actor.id).update(expires_at=now)
        is_told = True
    if is_told:
        publish_on_commit(ForBothSides(tenant_id, conversation_id, typing_frame(actor, is_typing, expires_at)))


def _write_typing(tenant_id: UUID, conversation_id: UUID, actor: Actor, now: datetime, expires_at: datetime) -> bool:
    values: list[Any] = [
        uuid7(),
        tenant_id,
        conversation_id,
        actor.type,
        actor.id,
        now,
        expires_at,
        TYPING_AT_MOST_EVERY,
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE_TYPING, values)
        return cursor.fetchone() is not None


def typing_now(*, tenant_id: UUID, ids: list[UUID], but: Actor, now: datetime) -> dict[UUID, list[dict[str, Any]]]:
    """Return the typing frames of everybody else who types in these conversations just now. One statement."""
    frames: dict[UUID, list[dict[str, Any]]] = {}
    for conversation_id, type, id, name, expires_at in prepared(TYPING, [tenant_id, ids, now]) if ids else ():
        actor = Actor(SenderType(type), id, name or ("Visitor" if type == SenderType.VISITOR else ""))
        if (actor.type, actor.id) != (but.type, but.id):
            frames.setdefault(conversation_id, []).append(typing_frame(actor, True, expires_at))
    return frames


def typing_frame(actor: Actor, is_typing: bool, expires_at: datetime) -> dict[str, Any]:
    """Return what both sides are told of somebody's typing."""
    participant = {"type": actor.type, "id": actor.public_id, "name": actor.name}
    return {"type": "typing", "participant": participant, "is_typing": is_typing, "expires_at": rfc3339(expires_at)}


def note_presence(
    *, tenant_id: UUID, user: User, status: str, status_message: str | None, now: datetime
) -> AgentPresence:
    """Store the status an agent chose; `chat.receivers` tells colleagues and visitors."""
    return presence.choose_status(
        tenant_id=tenant_id, user_id=user.pk, status=status, status_message=status_message, now=now
    )


def tell_presence(*, tenant_id: UUID, user_id: UUID, status: str, now: datetime) -> None:
    """Tell colleagues and visitors, once committed, what an agent has become."""
    name = User.objects.filter(pk=user_id).values_list("name", flat=True).first() or ""
    publish_on_commit(PresenceChanged(tenant_id, {"id": encode("us", user_id), "name": name, "status": status}))
    tell_standing(tenant_id=tenant_id, now=now)


def tell_standing(*, tenant_id: UUID, now: datetime) -> None:
    """Tell visitors, once committed, whether somebody will answer at once at their widget."""
    anybody = presence.online(tenant_id=tenant_id, now=now).exists()
    rows = Widget.objects.for_tenant(tenant_id).filter(is_active=True)
    widgets = rows.values_list("widget_key", "business_hours", "tenant__timezone")
    offline = {key: not (anybody and hours.is_open(when, zone, now)) for key, when, zone in widgets}
    publish_on_commit(StandingChanged(tenant_id, anybody, offline))


def tell_openings(*, since: datetime, now: datetime) -> int:
    """Tell the visitors of every tenant with a widget whose hours began or ended in (since, now]; return how many tenants."""
    with system_access("widgets with business hours"):
        rows = Widget.unscoped.filter(is_active=True).exclude(business_hours={})
        widgets = list(rows.values_list("tenant_id", "business_hours", "tenant__timezone"))
    turned = {
        tenant_id
        for tenant_id, when, zone in widgets
        if hours.is_open(when, zone, since) != hours.is_open(when, zone, now)
    }
    for tenant_id in sorted(turned):
        with tenant_scope(tenant_id):
            tell_standing(tenant_id=tenant_id, now=now)
    return len(turned)


def _require(rows: QuerySet[Conversation]) -> None:
    if not rows.exists():
        raise NotFound("There is no such conversation.", pointer="/conversation_id")


def _own(tenant_id: UUID, conversation_id: UUID, actor: Actor) -> QuerySet[Conversation]:
    rows = Conversation.objects.for_tenant(tenant_id).filter(pk=conversation_id)
    return rows.filter(visitor_id=actor.id) if actor.is_visitor else rows
