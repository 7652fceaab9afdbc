"""How a visitor looks: to agents, and to itself."""

from datetime import datetime, timedelta
from typing import Any

from chat import selectors
from chat.models import Conversation, Visitor
from common.ids import encode
from common.timestamps import rfc3339

MOST_CONVERSATIONS = 20
# A visitor's socket gives a sign of life at least every 30 seconds.
ONLINE_FOR = timedelta(seconds=70)


def own_view(visitor: Visitor) -> dict[str, Any]:
    """Return what a visitor may know of itself."""
    return {
        "id": encode("vi", visitor.pk),
        "name": visitor.name,
        "email": visitor.email,
        "is_verified": bool(visitor.external_id),
        "language": visitor.language,
    }


def agents_view(visitor: Visitor, *, now: datetime) -> dict[str, Any]:
    """Return what agents know of a visitor, with its newest conversations. Three queries."""
    rows = selectors.conversations(visitor.tenant_id).filter(visitor=visitor).order_by("-created_at")
    newest = list(rows[:MOST_CONVERSATIONS])
    return {
        **own_view(visitor),
        "external_id": visitor.external_id,
        "is_blocked": visitor.blocked_at is not None,
        "blocked_at": rfc3339(visitor.blocked_at),
        "attributes": visitor.attributes,
        "pre_chat": _pre_chat(newest),
        "location": visitor.location,
        "recent_pages": visitor.recent_pages,
        "created_at": rfc3339(visitor.created_at),
        "last_seen_at": rfc3339(visitor.last_seen_at),
        "is_online": visitor.last_seen_at is not None and visitor.last_seen_at > now - ONLINE_FOR,
        "conversations": selectors.present_rows(visitor.tenant_id, newest),
    }


def _pre_chat(newest: list[Conversation]) -> dict[str, Any]:
    """Return the latest answers given before a first message."""
    return next((row.metadata["pre_chat"] for row in newest if row.metadata.get("pre_chat")), {})
