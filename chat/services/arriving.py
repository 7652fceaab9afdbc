"""A visitor at a widget: who it is, what its page says of it, and the answers it gives before the first message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chat import prechat
from chat.identity import Identity
from chat.models import Conversation, Visitor, Widget
from chat.services.conversations import Page, VisitorFacts, require_welcome, start_conversation
from chat.services.identifying import identify
from chat.services.recording import tell_inbox
from chat.services.visitors import Said, note_said


def arrive(
    *,
    widget: Widget,
    visitor_id: UUID | None,
    identity: Identity | None,
    said: Said,
    pre_chat: Mapping[str, Any],
    page: Page,
    now: datetime,
) -> tuple[Conversation, bool]:
    """Return the visitor's open conversation at this widget, or a new one (True).

    A new one needs the answers the widget asks for. Raises Invalid (an answer, e-mail address or identity), Forbidden (blocked).
    """
    visitor = _visitor(widget.tenant_id, visitor_id, identity, said, now)
    require_welcome(visitor)
    mine = Conversation.objects.for_tenant(widget.tenant_id).filter(widget=widget, visitor=visitor)
    is_open = mine.filter(status=Conversation.Status.ACTIVE).exists()
    answers = {} if is_open else prechat.check_answers(widget.pre_chat_fields, pre_chat)
    conversation, is_new = start_conversation(
        widget=widget,
        visitor_id=visitor.pk,
        facts=VisitorFacts(visitor.name, visitor.email),
        page=page,
        now=now,
    )
    if is_new and answers:
        _keep(conversation, answers)
    return conversation, is_new


def _visitor(tenant_id: UUID, visitor_id: UUID | None, identity: Identity | None, said: Said, now: datetime) -> Visitor:
    known = Visitor.objects.for_tenant(tenant_id).filter(erased_at=None)
    if identity is not None:
        visitor_id = identify(tenant_id=tenant_id, visitor_id=visitor_id, identity=identity, now=now).pk
    elif visitor_id is None or not known.filter(pk=visitor_id).exists():
        visitor_id = Visitor.objects.create(tenant_id=tenant_id, last_seen_at=now).pk
    return note_said(tenant_id=tenant_id, visitor_id=visitor_id, said=said, now=now)


def _keep(conversation: Conversation, answers: Mapping[str, prechat.Answer]) -> None:
    conversation.metadata = {**conversation.metadata, "pre_chat": dict(answers)}
    conversation.save(update_fields=["metadata"])
    tell_inbox(conversation.tenant_id, conversation.pk)
