"""A visitor becomes somebody known: the person a signed JWT names, with what was said before the name was known."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from accounts import revocation
from chat.actors import Actor
from chat.attributes import merged
from chat.identity import Identity
from chat.ledgers import SenderType
from chat.models import Attachment, Conversation, TypingIndicator, Visitor
from chat.services import slots
from chat.services.conversations import close_conversation, require_welcome
from chat.services.visitors import MOST_PAGES, tell_of
from common.ids import encode

SYSTEM = Actor(SenderType.SYSTEM, UUID(int=0), "IRISX")
MOVE_MESSAGES = """
UPDATE chat_messages SET sender_id = %(to)s
WHERE tenant_id = %(tenant)s AND conversation_id = ANY(%(keys)s) AND sender_type = 'visitor' AND sender_id = %(from)s
"""
MOVE_EVENTS = """
UPDATE chat_events SET payload = jsonb_set(payload, '{message,sender_id}', to_jsonb(%(to_public)s::text))
WHERE tenant_id = %(tenant)s AND conversation_id = ANY(%(keys)s) AND type = 'message'
  AND payload #>> '{message,sender_id}' = %(from_public)s
"""


def identify(*, tenant_id: UUID, visitor_id: UUID | None, identity: Identity, now: datetime) -> Visitor:
    """Return the person an identity names, as which the visitor goes on. Concurrent calls make one person.

    An unknown visitor becomes that person. When the person is known already, an unknown visitor's conversations move there and
    the unknown one is no more; a visitor who is somebody else keeps everything. Where both have an open conversation at a
    widget, the person's stays open and the other is closed.
    """
    _lock_both(tenant_id, visitor_id, identity)
    person = _person(tenant_id, visitor_id, identity, now)
    require_welcome(person)
    _vouch(person, identity, now)
    if visitor_id is not None and visitor_id != person.pk:
        _merge(tenant_id, visitor_id, person, now)
    tell_of(person)
    return person


def _lock_both(tenant_id: UUID, visitor_id: UUID | None, identity: Identity) -> None:
    """Lock visitor and person in the order of their keys, as everybody does who locks several visitors."""
    rows = Visitor.objects.for_tenant(tenant_id).filter(Q(pk=visitor_id) | Q(external_id=identity.external_id))
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _person(tenant_id: UUID, visitor_id: UUID | None, identity: Identity, now: datetime) -> Visitor:
    known = Visitor.objects.for_tenant(tenant_id).filter(external_id=identity.external_id)
    if found := known.select_for_update(no_key=True).first():
        return found
    try:
        with transaction.atomic():
            return _name(tenant_id, visitor_id, identity.external_id, now)
    except IntegrityError:
        return known.select_for_update(no_key=True).get()  # the unique index let another request name it first


def _name(tenant_id: UUID, visitor_id: UUID | None, external_id: str, now: datetime) -> Visitor:
    """Make the visitor, while nobody known, or else a new one that person."""
    nobody = Visitor.objects.for_tenant(tenant_id).filter(external_id="", erased_at=None)
    if visitor_id is None or not nobody.filter(pk=visitor_id).update(external_id=external_id):
        return Visitor.objects.create(tenant_id=tenant_id, external_id=external_id, last_seen_at=now)
    return Visitor.objects.for_tenant(tenant_id).select_for_update(no_key=True).get(pk=visitor_id)


def _vouch(person: Visitor, identity: Identity, now: datetime) -> None:
    person.name, person.email = identity.name or person.name, identity.email or person.email
    person.attributes = merged(person.attributes, identity.attributes, pointer="/identity_jwt")
    person.vouched = [
        *(["name"] if identity.name else []),
        *(["email"] if identity.email else []),
        *(f"attributes.{name}" for name in identity.attributes),
    ]
    person.last_seen_at = now
    person.save(update_fields=["name", "email", "attributes", "vouched", "last_seen_at"])


def _merge(tenant_id: UUID, visitor_id: UUID, person: Visitor, now: datetime) -> None:
    nobody = Visitor.objects.for_tenant(tenant_id).filter(
        pk=visitor_id, external_id="", erased_at=None, blocked_at=None
    )
    visitor = nobody.select_for_update(no_key=True).first()
    if visitor is None:
        return
    keys = _locked_conversations(visitor, person)
    _close_doubles(visitor, person, now)
    Conversation.objects.for_tenant(tenant_id).filter(pk__in=keys).update(visitor=person)
    _move_what_was_said(tenant_id, keys, visitor.pk, person.pk)
    TypingIndicator.objects.for_tenant(tenant_id).filter(participant_id=visitor.pk).delete()
    person.recent_pages = sorted([*person.recent_pages, *visitor.recent_pages], key=lambda page: page["at"])[
        -MOST_PAGES:
    ]
    person.location = {**person.location, **visitor.location}
    person.language = visitor.language or person.language
    person.save(update_fields=["recent_pages", "location", "language"])
    visitor_key = visitor.pk
    visitor.delete()
    revocation.ring(people=[visitor_key])


def _locked_conversations(visitor: Visitor, person: Visitor) -> list[UUID]:
    """Lock both sides' conversations in the order of their keys, before any agent's row; return the visitor's."""
    rows = Conversation.objects.for_tenant(person.tenant_id).filter(visitor_id__in=[visitor.pk, person.pk])
    locked = rows.order_by("pk").select_for_update(no_key=True).values_list("pk", "visitor_id")
    return [key for key, owner in locked if owner == visitor.pk]


def _close_doubles(visitor: Visitor, person: Visitor, now: datetime) -> None:
    """Close the visitor's open conversations at widgets where the person has one: a widget has one open with somebody."""
    is_open = Conversation.objects.for_tenant(person.tenant_id).filter(status=Conversation.Status.ACTIVE)
    taken = is_open.filter(visitor=person).values("widget_id")
    doubles = is_open.filter(visitor=visitor, widget_id__in=taken)
    slots.hold(tenant_id=person.tenant_id, conversations=doubles)
    for key in list(doubles.order_by("pk").values_list("pk", flat=True)):
        close_conversation(tenant_id=person.tenant_id, conversation_id=key, actor=SYSTEM, now=now)


def _move_what_was_said(tenant_id: UUID, keys: list[UUID], old: UUID, new: UUID) -> None:
    """Let the person have said it: a message sent again after this is known by its sender and client_message_id."""
    values: dict[str, Any] = {
        "tenant": tenant_id, "keys": keys, "from": old, "to": new,
        "from_public": encode("vi", old), "to_public": encode("vi", new),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(MOVE_MESSAGES, values)
        cursor.execute(MOVE_EVENTS, values)
    Attachment.objects.for_tenant(tenant_id).filter(
        conversation_id__in=keys, uploader_type=SenderType.VISITOR, uploader_id=old
    ).update(uploader_id=new)
