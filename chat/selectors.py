"""Reading chat."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.principals import Principal
from accounts.tenancy import system_access
from chat.ledgers import ChatEvent, Message, SenderType
from chat.models import Conversation, Widget
from chat.presenters import conversation_row, numbered
from common.errors import NotFound

MOST_EVENTS = 300
WIDGET_KEY = re.compile(r"cw_[A-Za-z0-9]{1,37}")


def widget_by_key(key: str) -> Widget:
    """Return an active widget of an open tenant by its public key, whichever tenant's; raise NotFound otherwise."""
    if not WIDGET_KEY.fullmatch(key):
        raise NotFound("There is no such widget.", pointer="/widget_key")
    with system_access("widget by its public key"):
        widget = Widget.unscoped.select_related("tenant").filter(widget_key=key, is_active=True).first()
    if widget is None or not widget.tenant.is_open:
        raise NotFound("There is no such widget.", pointer="/widget_key")
    return widget


def conversations(tenant_id: UUID) -> QuerySet[Conversation]:
    """Return the tenant's conversations with what their rows show, one query."""
    own = Message.objects.for_tenant(tenant_id).filter(conversation_id=OuterRef("pk"))
    unread = (
        own.filter(sender_type=SenderType.VISITOR, seq__gt=OuterRef("agent_read_seq"))
        .order_by()
        .values("conversation_id")
        .annotate(n=Count("pk"))
        .values("n")
    )
    read_by_visitor, delivered_to_visitor = (
        ChatEvent.objects.for_tenant(tenant_id)
        .filter(conversation_id=OuterRef("pk"), visitor_seq__lte=OuterRef(mark))
        .order_by("-visitor_seq")
        for mark in ("visitor_read_seq", "visitor_delivered_seq")
    )
    return (
        Conversation.objects.for_tenant(tenant_id)
        .select_related("visitor", "assigned_agent", "widget")
        .annotate(
            unread_count=Coalesce(Subquery(unread), 0),
            read_by_visitor=Coalesce(Subquery(read_by_visitor.values("seq")[:1]), 0),
            delivered_to_visitor=Coalesce(Subquery(delivered_to_visitor.values("seq")[:1]), 0),
            last_message_id=Subquery(own.exclude(message_type=Message.Type.NOTE).order_by("-seq").values("pk")[:1]),
        )
    )


def conversation_of(principal: Principal, conversation_id: UUID) -> Conversation:
    """Return a conversation its asker may see: a visitor its own, an agent its tenant's; raise NotFound otherwise."""
    rows = Conversation.objects.for_tenant(principal.tenant_id).select_related("visitor", "assigned_agent", "widget")
    if principal.is_visitor:
        rows = rows.filter(visitor_id=principal.id)
    found = rows.filter(pk=conversation_id).first()
    if found is None:
        raise NotFound("There is no such conversation.", pointer="/conversation_id")
    return found


def present_rows(tenant_id: UUID, rows: Sequence[Conversation]) -> list[dict[str, Any]]:
    """Return list rows with their last messages, one query for all of them."""
    wanted = [row.last_message_id for row in rows if row.last_message_id]  # type: ignore[attr-defined] # annotated
    last = {m.pk: m for m in Message.objects.for_tenant(tenant_id).filter(pk__in=wanted)}
    return [
        conversation_row(
            row,
            for_visitor=False,
            other_side_read_seq=row.read_by_visitor,  # type: ignore[attr-defined] # annotated
            other_side_delivered_seq=row.delivered_to_visitor,  # type: ignore[attr-defined] # annotated
            last_message=last.get(row.last_message_id),  # type: ignore[attr-defined] # annotated
            unread_count=row.unread_count,  # type: ignore[attr-defined] # annotated
        )
        for row in rows
    ]


def inbox_state(tenant_id: UUID) -> dict[str, int]:
    """Return how many conversations are open and the sum of their rows' versions.

    A desk adds up its own rows; another result reveals a lost doorbell.
    """
    active = Conversation.objects.for_tenant(tenant_id).filter(status=Conversation.Status.ACTIVE)
    state = active.aggregate(open=Count("pk"), versions=Coalesce(Sum("version"), 0))
    return {"open": state["open"], "versions": int(state["versions"])}


def events_after(
    *, tenant_id: UUID, conversation_id: UUID, after_seq: int, for_visitor: bool, limit: int = MOST_EVENTS
) -> list[dict[str, Any]]:
    """Return the events after a number, in order, in the reader's numbering."""
    number = "visitor_seq" if for_visitor else "seq"
    rows = ChatEvent.objects.for_tenant(tenant_id).filter(
        conversation_id=conversation_id, **{f"{number}__gt": after_seq}
    )
    return [numbered(event, for_visitor=for_visitor) for event in rows.order_by(number)[:limit]]


def messages_page(
    *,
    tenant_id: UUID,
    conversation_id: UUID,
    for_visitor: bool,
    after_seq: int | None,
    before_seq: int | None,
    limit: int,
) -> list[Message]:
    """Return messages in order: after a number, or the newest before one."""
    number = "visitor_seq" if for_visitor else "seq"
    rows = Message.objects.for_tenant(tenant_id).filter(conversation_id=conversation_id)
    if for_visitor:
        rows = rows.filter(visitor_seq__isnull=False)
    if after_seq is not None:
        return list(rows.filter(**{f"{number}__gt": after_seq}).order_by(number)[:limit])
    if before_seq is not None:
        rows = rows.filter(**{f"{number}__lt": before_seq})
    return list(reversed(rows.order_by(F(number).desc())[:limit]))


def both_numbers(*, tenant_id: UUID, conversation_id: UUID, seq: int, for_visitor: bool) -> tuple[int, int]:
    """Return (agents' number, visitor's number) of the last event both sides can know at one side's `seq`."""
    events = ChatEvent.objects.for_tenant(tenant_id).filter(conversation_id=conversation_id, visitor_seq__isnull=False)
    number = "visitor_seq" if for_visitor else "seq"
    last = events.filter(**{f"{number}__lte": seq}).order_by(f"-{number}").values_list("seq", "visitor_seq").first()
    return (last[0], last[1] or 0) if last else (0, 0)


def visitor_row(principal: Principal, conversation_id: UUID) -> dict[str, Any]:
    """Return a conversation as its visitor sees it. Three queries."""
    conversation = conversation_of(principal, conversation_id)
    read_by_agents, delivered_to_agents = (
        both_numbers(tenant_id=principal.tenant_id, conversation_id=conversation_id, seq=seq, for_visitor=False)[1]
        for seq in (conversation.agent_read_seq, conversation.agent_delivered_seq)
    )
    return conversation_row(
        conversation,
        for_visitor=True,
        other_side_read_seq=read_by_agents,
        other_side_delivered_seq=delivered_to_agents,
    )
