"""Erasing a visitor: the person goes, the counted facts stay. Conversations keep their numbers, times, ratings and labels."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, revocation
from accounts.principals import Principal
from chat.actors import Actor, actor_of
from chat.attachments.services import discard, sweep_unsent
from chat.models import Attachment, Conversation, TypingIndicator, Visitor
from chat.privacy.scrubbing import ERASED, scrub_log, scrub_outbox
from chat.privacy.telling import LogReset
from chat.services import slots
from chat.services.conversations import close_conversation
from chat.services.visitors import locked_visitor, tell_of
from common.ids import encode
from common.live import publish_on_commit


@dataclass(frozen=True)
class Erased:
    """How much was erased."""

    conversations: int
    messages: int
    files: int


def erase_visitor(*, tenant_id: UUID, visitor_id: UUID, by: Principal, address: str, now: datetime) -> Erased:
    """Erase everything that says who a visitor is and all that was said with them; open conversations are closed.

    Texts of both sides and private notes go, for they speak of the person. Their tokens end, files go with the sweep that
    follows the commit, screens load what is left, and an audit entry says who did it. Raises NotFound, for a repeat too.
    """
    visitor = locked_visitor(tenant_id=tenant_id, visitor_id=visitor_id)
    mine = Conversation.objects.for_tenant(tenant_id).filter(visitor=visitor)
    keys = list(mine.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    _close(tenant_id, mine, actor_of(by), now)
    messages = scrub_log(tenant_id=tenant_id, conversation_ids=keys)
    scrub_outbox(tenant_id=tenant_id, conversation_ids=keys)
    files = discard(Attachment.objects.for_tenant(tenant_id).filter(conversation_id__in=keys))
    TypingIndicator.objects.for_tenant(tenant_id).filter(conversation_id__in=keys).delete()
    mine.update(page_url="", page_title="", referrer="", feedback="", metadata={})
    _forget(visitor, now)
    erased = Erased(len(keys), messages, files)
    _audit(visitor, erased, by, address)
    _tell(visitor, now)
    return erased


def _close(tenant_id: UUID, mine: QuerySet[Conversation], actor: Actor, now: datetime) -> None:
    is_open = mine.filter(status=Conversation.Status.ACTIVE)
    slots.hold(tenant_id=tenant_id, conversations=is_open)
    for key in is_open.order_by("pk").values_list("pk", flat=True):
        close_conversation(tenant_id=tenant_id, conversation_id=key, actor=actor, now=now)


def _forget(visitor: Visitor, now: datetime) -> None:
    visitor.name, visitor.email, visitor.external_id, visitor.language = ERASED, "", "", ""
    visitor.attributes, visitor.location, visitor.recent_pages, visitor.vouched = {}, {}, [], []
    visitor.erased_at, visitor.last_seen_at = now, None
    visitor.auth_version += 1
    visitor.save()


def _audit(visitor: Visitor, erased: Erased, by: Principal, address: str) -> None:
    audit.record(
        tenant_id=visitor.tenant_id,
        action="visitor.erased",
        by=audit.Actor(str(by.kind), "Visitor" if by.is_visitor else by.name, by.id, address or None),
        object_id=encode("vi", visitor.pk),
        changes={"conversations": erased.conversations, "messages": erased.messages, "files": erased.files},
        # Where an erased person was is not kept either.
        keep_origin=not by.is_visitor,
    )


def _tell(visitor: Visitor, now: datetime) -> None:
    revocation.ring(people=[visitor.pk])
    tell_of(visitor)
    for conversation in Conversation.objects.for_tenant(visitor.tenant_id).filter(visitor=visitor):
        publish_on_commit(LogReset.of(conversation))
    # The files' rows say what is to be removed: what this run does not reach, the next one does.
    transaction.on_commit(partial(sweep_unsent, now=now), robust=True)
