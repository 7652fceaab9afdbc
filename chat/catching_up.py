"""What a socket reads when it signs in or opens a conversation: one call, one transaction, whatever is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Tenant
from accounts.presence import services as presence
from accounts.principals import Principal, require_user
from chat import selectors
from chat.actors import actor_of
from chat.models import Conversation
from chat.pulse import epoch_of
from chat.services import signs
from common.errors import Forbidden
from common.ids import encode
from common.timestamps import rfc3339

Frames = list[dict[str, Any]]


@dataclass(frozen=True)
class Beginning:
    """What `ready` says, and the frames that follow it."""

    ready: dict[str, Any]
    missed: Frames = field(default_factory=list)


def own_conversations(principal: Principal, asked: Mapping[UUID, int]) -> set[UUID]:
    """Return those of the asked conversations its asker may see; a visitor's open one is added unasked."""
    rows = Conversation.objects.for_tenant(principal.tenant_id)
    mine = rows.filter(pk__in=asked)
    if not principal.is_visitor:
        return set(mine.values_list("pk", flat=True)) if asked else set()
    found = selectors.open_conversation_of_visitor(tenant_id=principal.tenant_id, visitor_id=principal.id)
    known = set(mine.filter(visitor_id=principal.id).values_list("pk", flat=True)) if asked else set()
    return known | ({found.pk} if found else set())


def begin(principal: Principal, followed: set[UUID], cursors: Mapping[UUID, int], now: datetime) -> Beginning:
    """Return how a socket begins; raise Forbidden when its company is suspended. An agent's arrival is a sign of life."""
    tenant = Tenant.objects.get(pk=principal.tenant_id)
    if not tenant.is_open:
        raise Forbidden("This company's account is suspended.", code="tenant-suspended")
    heads = selectors.heads(tenant_id=tenant.pk, conversation_ids=sorted(followed), for_visitor=principal.is_visitor)
    ready: dict[str, Any] = {
        "principal": {
            "kind": "visitor" if principal.is_visitor else "agent",
            "id": actor_of(principal).public_id,
            "name": principal.name,
        },
        "epoch": epoch_of(tenant.settings),
        "now": rfc3339(now),
        "heads": {encode("cc", id): head for id, head in heads.items()},
    }
    if not principal.is_visitor:
        if principal.may("presence"):
            presence.arrive(tenant_id=tenant.pk, user_id=require_user(principal), now=now)
        ready["inbox"] = selectors.inbox_state(tenant.pk)
    missed = [frame for id, seq in cursors.items() if id in followed for frame in frames_after(principal, id, seq, now)]
    return Beginning(ready, missed)


def frames_after(principal: Principal, conversation_id: UUID, after_seq: int, now: datetime) -> Frames:
    """Return `events` after a number, or `reset` when they are too many, then who types just now. Raises NotFound."""
    for_visitor = principal.is_visitor
    conversation = selectors.conversation_of(principal, conversation_id)
    head = conversation.last_visitor_seq if for_visitor else conversation.last_seq
    named = {"conversation_id": encode("cc", conversation_id)}
    typing = [
        {**frame, **named} for frame in signs.typing_now(conversation=conversation, but=actor_of(principal), now=now)
    ]
    if head - after_seq > selectors.MOST_EVENTS:
        return [{"type": "reset", **named, "head": head}, *typing]
    missed = selectors.events_after(
        tenant_id=principal.tenant_id, conversation_id=conversation_id, after_seq=after_seq, for_visitor=for_visitor
    )
    return [{"type": "events", **named, "events": missed, "head": head}, *typing]
