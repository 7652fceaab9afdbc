"""Visitors: what is known of them, where they are, whether they may write. Who they are proven to be: `identifying`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import F

from accounts import revocation
from accounts.visiting import VisitorState
from chat import limits, selectors
from chat.attributes import Scalar, merged
from chat.events import InboxChanged
from chat.models import Conversation, Visitor
from common.columns import Columns
from common.db import prepared
from common.errors import Invalid, NotFound
from common.live import publish_on_commit
from common.timestamps import rfc3339

MOST_PAGES = 20
MOST_ROWS = 20
LONGEST_URL, LONGEST_TITLE = 2000, 300


VISITOR = Columns(Visitor, "id", "name", "email", "auth_version", "blocked_at")
STATE = f"""
SELECT {VISITOR.sql("v")} FROM chat_visitors v WHERE tenant_id = %s AND id = %s AND erased_at IS NULL
"""  # noqa: S608 - names of columns, ours


@dataclass(frozen=True)
class Said:
    """What a page or a person says of a visitor; None and empty: nothing. An attribute of None is taken away."""

    name: str | None = None
    email: str | None = None
    language: str | None = None
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    location: Mapping[str, str] = field(default_factory=dict)


def state_of(tenant_id: UUID, visitor_id: UUID) -> VisitorState | None:
    """Return what signing in asks of a visitor."""
    found = prepared(STATE, [tenant_id, visitor_id])
    row = VISITOR.take(iter(found[0])) if found else None
    return VisitorState(str(row), row.auth_version, row.blocked_at is not None) if row else None


def visitor_of(*, tenant_id: UUID, visitor_id: UUID) -> Visitor:
    """Return a visitor who was not erased; raise NotFound."""
    found = Visitor.objects.for_tenant(tenant_id).filter(pk=visitor_id, erased_at=None).first()
    if found is None:
        raise NotFound("There is no such visitor.")
    return found


def locked_visitor(*, tenant_id: UUID, visitor_id: UUID) -> Visitor:
    """Return a visitor with its row locked against every other change; raise NotFound."""
    rows = Visitor.objects.for_tenant(tenant_id).filter(pk=visitor_id, erased_at=None)
    found = rows.select_for_update(no_key=True).first()
    if found is None:
        raise NotFound("There is no such visitor.")
    return found


def note_said(*, tenant_id: UUID, visitor_id: UUID, said: Said, now: datetime) -> Visitor:
    """Store what the visitor's own page says. What a JWT vouches for stays as it vouched."""
    visitor = locked_visitor(tenant_id=tenant_id, visitor_id=visitor_id)
    vouched = set(visitor.vouched)
    unproven = Said(
        name=None if "name" in vouched else said.name,
        email=None if "email" in vouched else said.email,
        language=said.language,
        attributes={k: v for k, v in said.attributes.items() if f"attributes.{k}" not in vouched},
        location=said.location,
    )
    return _store(visitor, unproven, now)


def change_visitor(*, tenant_id: UUID, visitor_id: UUID, said: Said, now: datetime) -> Visitor:
    """Store what an agent knows of a visitor."""
    return _store(locked_visitor(tenant_id=tenant_id, visitor_id=visitor_id), said, now, is_seen=False)


def _store(visitor: Visitor, said: Said, now: datetime, *, is_seen: bool = True) -> Visitor:
    before = (visitor.name, visitor.email)
    visitor.name = visitor.name if said.name is None else said.name
    visitor.email = visitor.email if said.email is None else said.email
    visitor.language = visitor.language if said.language is None else said.language
    visitor.attributes = merged(visitor.attributes, said.attributes)
    visitor.location = {**visitor.location, **{k: v for k, v in said.location.items() if v}}
    if is_seen:
        visitor.last_seen_at = now
    visitor.save(update_fields=["name", "email", "language", "attributes", "location", "last_seen_at"])
    if (visitor.name, visitor.email) != before:
        tell_of(visitor)
    return visitor


def note_page(*, tenant_id: UUID, visitor_id: UUID, url: str, title: str, now: datetime) -> None:
    """Store the page a visitor is on: among its last 20, and as its open conversations' page. The same again changes nothing."""
    url, title = _web_address(url), title.replace("\x00", "")[:LONGEST_TITLE]
    limits.note_change(visitor_id=visitor_id, now=now)
    visitor = locked_visitor(tenant_id=tenant_id, visitor_id=visitor_id)
    last = visitor.recent_pages[-1] if visitor.recent_pages else {}
    if (last.get("url"), last.get("title")) == (url, title):
        return
    pages = [*visitor.recent_pages, {"url": url, "title": title, "at": rfc3339(now)}]
    visitor.recent_pages, visitor.last_seen_at = pages[-MOST_PAGES:], now
    visitor.save(update_fields=["recent_pages", "last_seen_at"])
    mine = Conversation.objects.for_tenant(tenant_id).filter(visitor=visitor, status=Conversation.Status.ACTIVE)
    keys = list(mine.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    if Conversation.objects.for_tenant(tenant_id).filter(pk__in=keys).update(page_url=url, page_title=title):
        _ring(tenant_id, keys)


def _web_address(url: str) -> str:
    try:
        is_web = urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        is_web = False
    if not is_web or len(url) > LONGEST_URL or "\x00" in url:
        raise Invalid(f"url must be an http or https address of at most {LONGEST_URL} characters.", pointer="/page/url")
    return url


def block_visitor(*, tenant_id: UUID, visitor_id: UUID, now: datetime) -> bool:
    """Let a visitor start, read and write nothing any more; False when that was so already."""
    visitor = locked_visitor(tenant_id=tenant_id, visitor_id=visitor_id)
    if visitor.blocked_at is not None:
        return False
    return _set_blocked(visitor, now)


def unblock_visitor(*, tenant_id: UUID, visitor_id: UUID) -> bool:
    """Let a visitor in again, with the token it has; False when nothing kept it out."""
    visitor = locked_visitor(tenant_id=tenant_id, visitor_id=visitor_id)
    if visitor.blocked_at is None:
        return False
    return _set_blocked(visitor, None)


def _set_blocked(visitor: Visitor, moment: datetime | None) -> bool:
    visitor.blocked_at = moment
    visitor.save(update_fields=["blocked_at"])
    revocation.ring(people=[visitor.pk])
    tell_of(visitor)
    return True


def tell_of(visitor: Visitor) -> None:
    """Let desks read a visitor's rows again: something they show of it changed."""
    rows = Conversation.objects.for_tenant(visitor.tenant_id).filter(visitor=visitor)
    keys = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    # The column is in the trigger's list: setting it to itself raises it.
    Conversation.objects.for_tenant(visitor.tenant_id).filter(pk__in=keys).update(version=F("version"))
    _ring(visitor.tenant_id, keys)


def _ring(tenant_id: UUID, keys: list[UUID]) -> None:
    rows = selectors.conversations(tenant_id).filter(pk__in=keys).order_by("-created_at")[:MOST_ROWS]
    for row in selectors.present_rows(tenant_id, list(rows)):
        publish_on_commit(InboxChanged(tenant_id, row))
