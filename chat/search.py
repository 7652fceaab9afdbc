"""Finding what was said, and who said it: words of messages, of visitors' names and of their addresses.

The last word is taken for a beginning. PostgreSQL's function `chat_search` gives keys out of the transaction's tenant alone; what
is shown is read under row-level security like everything else.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from chat.ledgers import Message
from chat.models import Conversation
from chat.selectors import conversations
from common.errors import Invalid

FEWEST, MOST_CHARACTERS = 2, 200
EXCERPT = 300
# As the database parts words: at signs, so that every piece of an address or a file name is a word.
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Hit:
    """A conversation found by a message's words, or (no message) by its visitor's name or address."""

    conversation: Conversation
    message: Message | None

    @property
    def moment(self) -> datetime:
        return self.message.created_at if self.message else self.conversation.last_message_at


@dataclass(frozen=True)
class Excerpt:
    """A part of a text around the first word found; `ranges` are [start, end) in UTF-16 units, as JavaScript counts."""

    text: str
    ranges: list[list[int]]


def search(*, tenant_id: UUID, wanted: str, limit: int) -> list[Hit]:
    """Return what was found, newest first. Three queries; must stand in the tenant's scope."""
    found = _keys(_checked(wanted), limit)
    rows = {row.pk: row for row in conversations(tenant_id).filter(pk__in={conversation for conversation, _ in found})}
    messages = Message.objects.for_tenant(tenant_id).in_bulk([message for _, message in found if message])
    hits = [
        Hit(rows[conversation], messages[message] if message else None)
        for conversation, message in found
        if conversation in rows and (message is None or message in messages)
    ]
    return sorted(hits, key=lambda hit: hit.moment, reverse=True)[:limit]


def excerpt(text: str, wanted: str) -> Excerpt:
    """Return at most 300 characters of a text around the first word that was looked for, and where such words stand."""
    places = list(_places(text, wanted))
    first = places[0][0] if places else 0
    start = 0 if len(text) <= EXCERPT else max(0, min(first - EXCERPT // 4, len(text) - EXCERPT))
    end = start + EXCERPT
    before, after = "…" if start else "", "…" if end < len(text) else ""
    shown = before + text[start:end] + after
    shift = len(before) - start
    return Excerpt(
        shown, [_units(shown, left + shift, right + shift) for left, right in places if start <= left and right <= end]
    )


def _checked(wanted: str) -> str:
    text = wanted.replace("\x00", " ").strip()
    if len(text) < FEWEST:
        raise Invalid(f"Ask for at least {FEWEST} characters.", code="too-short", pointer="/q")
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"Ask for at most {MOST_CHARACTERS} characters.", code="too-long", pointer="/q")
    return text


def _keys(wanted: str, limit: int) -> Sequence[tuple[UUID, UUID | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conversation_id, message_id FROM chat_search(%s, %s)", [wanted, limit])
        return list(cursor.fetchall())


def _places(text: str, wanted: str) -> list[tuple[int, int]]:
    words = [word.lower() for word in WORD.findall(wanted)]
    if not words:
        return []
    *whole, last = words
    return [
        match.span() for match in WORD.finditer(text) if (word := match[0].lower()) in whole or word.startswith(last)
    ]


def _units(text: str, start: int, end: int) -> list[int]:
    """Return a range of characters as UTF-16 units: characters beyond U+FFFF, as most emoji, count twice."""
    return [len(text[:place].encode("utf-16-le")) // 2 for place in (start, end)]
