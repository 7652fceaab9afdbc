"""What chat's screens hear. Topics by audience: agents see everything, the visitor what is public."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chat.ledgers import ChatEvent
from chat.presenters import event_body
from common.ids import encode
from common.live import LiveEvent, topic


def conversation_topic(tenant_id: UUID, conversation_id: UUID, *, for_visitor: bool) -> str:
    """Return the topic of a conversation for one audience."""
    return topic(tenant_id, "conversation", conversation_id, audience="visitor" if for_visitor else "agents")


def inbox_topic(tenant_id: UUID) -> str:
    """Return the topic of a tenant's list of conversations."""
    return topic(tenant_id, "inbox", audience="agents")


def presence_topic(tenant_id: UUID) -> str:
    """Return the topic visitors hear of agents coming and going."""
    return topic(tenant_id, "presence", audience="visitors")


@dataclass(frozen=True)
class Logged(LiveEvent):
    """An event was written to a conversation's log."""

    event: ChatEvent

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        event = self.event
        frame = {
            "v": 1,
            "type": "event",
            "conversation_id": encode("cc", event.conversation_id),
            "event": event_body(event),
        }
        yield conversation_topic(event.tenant_id, event.conversation_id, for_visitor=False), {**frame, "seq": event.seq}
        if event.visitor_seq is not None:
            to = conversation_topic(event.tenant_id, event.conversation_id, for_visitor=True)
            yield to, {**frame, "seq": event.visitor_seq}


@dataclass(frozen=True)
class InboxChanged(LiveEvent):
    """A row of the agents' list changed."""

    tenant_id: UUID
    row: dict[str, Any]

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        yield inbox_topic(self.tenant_id), {"v": 1, "type": "inbox", "conversation": self.row}


@dataclass(frozen=True)
class ForBothSides(LiveEvent):
    """A passing sign (typing, read) of one side of a conversation, shown to both; `seqs` are (agents', visitor's)."""

    tenant_id: UUID
    conversation_id: UUID
    frame: dict[str, Any]
    seqs: tuple[int, int] | None = None

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        frame = {"v": 1, "conversation_id": encode("cc", self.conversation_id), **self.frame}
        for index, for_visitor in enumerate((False, True)):
            numbered = {**frame, "seq": self.seqs[index]} if self.seqs else frame
            yield conversation_topic(self.tenant_id, self.conversation_id, for_visitor=for_visitor), numbered


@dataclass(frozen=True)
class PresenceChanged(LiveEvent):
    """An agent's presence changed, for colleagues."""

    tenant_id: UUID
    agent: dict[str, Any]

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        yield inbox_topic(self.tenant_id), {"v": 1, "type": "presence", "agent": self.agent}


@dataclass(frozen=True)
class StandingChanged(LiveEvent):
    """Whether anybody is there, for visitors; `is_offline` by widget key. One frame for all widgets that stand alike."""

    tenant_id: UUID
    agents_online: bool
    is_offline: dict[str, bool]

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        frame = {"v": 1, "type": "presence", "agents_online": self.agents_online}
        for state in (False, True):
            if widgets := sorted(key for key, is_offline in self.is_offline.items() if is_offline == state):
                yield presence_topic(self.tenant_id), {**frame, "is_offline": state, "widgets": widgets}
