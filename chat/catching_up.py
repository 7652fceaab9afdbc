"""What a socket reads when it signs in or opens a conversation: one call, one transaction, whatever is asked.

Written statements, each for all conversations at once: after a restart every socket of a process comes back together.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import authentication
from accounts.models import Tenant
from accounts.presence import services as presence
from accounts.principals import Principal, require_user
from accounts.tenancy import tenant_scope
from chat import selectors
from chat.actors import actor_of
from chat.pulse import epoch_of
from chat.services import signs
from common.columns import Columns
from common.db import prepared
from common.errors import Forbidden, NotFound
from common.ids import encode
from common.timestamps import rfc3339

Frames = list[dict[str, Any]]

TENANT = Columns(Tenant, "id", "status", "settings")
TENANT_NOW = f"SELECT {TENANT.sql('t')} FROM tenants t WHERE id = %s"  # noqa: S608 - names of columns, ours
ASKED = "SELECT id FROM chat_conversations WHERE tenant_id = %s AND id = ANY(%s::uuid[])"
ASKED_AND_OPEN = """
SELECT id FROM chat_conversations WHERE tenant_id = %(tenant_id)s AND visitor_id = %(visitor_id)s AND id = ANY(%(asked)s::uuid[])
UNION
(SELECT id FROM chat_conversations WHERE tenant_id = %(tenant_id)s AND visitor_id = %(visitor_id)s AND status = 'active'
 ORDER BY created_at DESC LIMIT 1)
"""
HEADS = """
SELECT id, CASE WHEN %(visitor_id)s::uuid IS NULL THEN last_seq ELSE last_visitor_seq END FROM chat_conversations
WHERE tenant_id = %(tenant_id)s AND id = ANY(%(ids)s::uuid[])
  AND (%(visitor_id)s::uuid IS NULL OR visitor_id = %(visitor_id)s::uuid)
"""


@dataclass(frozen=True)
class Beginning:
    """What `ready` says, and the frames that follow it."""

    ready: dict[str, Any]
    missed: Frames = field(default_factory=list)


def enter_visitor(token: str, asked: Collection[UUID], now: datetime) -> tuple[Principal, set[UUID]]:
    """Return who a visitor token is, and their conversations: those they ask for that are theirs, and their open one.

    Raises NotAuthenticated, or Forbidden for who is blocked and for a suspended tenant.
    """
    claim = authentication.visitor_claim(token, now=now)
    with tenant_scope(claim.tenant_id):
        principal = authentication.claimed_visitor(claim)
        return principal, own_conversations(principal, asked)


def own_conversations(principal: Principal, asked: Collection[UUID]) -> set[UUID]:
    """Return those of the asked conversations its asker may see; a visitor's open one is added unasked."""
    if principal.is_visitor:
        values = {"tenant_id": principal.tenant_id, "visitor_id": principal.id, "asked": list(asked)}
        return {id for (id,) in prepared(ASKED_AND_OPEN, values)}
    return {id for (id,) in prepared(ASKED, [principal.tenant_id, list(asked)])} if asked else set()


def begin(principal: Principal, followed: set[UUID], cursors: Mapping[UUID, int], now: datetime) -> Beginning:
    """Return how a socket begins; raise Forbidden when its company is suspended. An agent's arrival is a sign of life."""
    tenant = TENANT.take(iter(prepared(TENANT_NOW, [principal.tenant_id])[0]))
    if tenant is None or not tenant.is_open:
        raise Forbidden("This company's account is suspended.", code="tenant-suspended")
    heads = _heads(principal, followed)
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
    asked = {id: seq for id, seq in cursors.items() if id in heads}
    return Beginning(ready, _missed(principal, heads, asked, now))


def frames_after(principal: Principal, conversation_id: UUID, after_seq: int, now: datetime) -> Frames:
    """Return `events` after a number, or `reset` when they are too many, then who types just now. Raises NotFound."""
    heads = _heads(principal, [conversation_id])
    if not heads:
        raise NotFound("There is no such conversation.", pointer="/conversation_id")
    return _missed(principal, heads, {conversation_id: after_seq}, now)


def _heads(principal: Principal, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the last numbers, in the asker's numbering, of those conversations it may see."""
    visitor_id = principal.id if principal.is_visitor else None
    rows = (
        prepared(HEADS, {"tenant_id": principal.tenant_id, "visitor_id": visitor_id, "ids": list(ids)}) if ids else []
    )
    return dict(sorted(rows))


def _missed(principal: Principal, heads: Mapping[UUID, int], cursors: Mapping[UUID, int], now: datetime) -> Frames:
    typing = signs.typing_now(tenant_id=principal.tenant_id, ids=list(cursors), but=actor_of(principal), now=now)
    frames: Frames = []
    for id, after_seq in cursors.items():
        named = {"conversation_id": encode("cc", id)}
        frames.append({**named, **_events(principal, id, after_seq, heads[id])})
        frames += [{**frame, **named} for frame in typing.get(id, [])]
    return frames


def _events(principal: Principal, id: UUID, after_seq: int, head: int) -> dict[str, Any]:
    if head - after_seq > selectors.MOST_EVENTS:
        return {"type": "reset", "head": head}
    is_up_to_date = after_seq == head
    missed = [] if is_up_to_date else selectors.events_after(
        tenant_id=principal.tenant_id, conversation_id=id, after_seq=after_seq, for_visitor=principal.is_visitor
    )  # fmt: skip
    return {"type": "events", "events": missed, "head": head}
