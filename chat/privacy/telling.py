"""What screens hear when a log was rewritten."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from chat.events import conversation_topic
from chat.models import Conversation
from common.ids import encode
from common.live import LiveEvent


@dataclass(frozen=True)
class LogReset(LiveEvent):
    """A conversation's log is not what it was: whoever shows it forgets it and reads it again."""

    tenant_id: UUID
    conversation_id: UUID
    head: int
    visitor_head: int

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """Return it with the conversation's heads as they stand."""
        return cls(conversation.tenant_id, conversation.pk, conversation.last_seq, conversation.last_visitor_seq)

    def frames(self) -> Iterable[tuple[str, dict[str, Any]]]:
        frame = {"v": 1, "type": "reset", "conversation_id": encode("cc", self.conversation_id)}
        for for_visitor, head in ((False, self.head), (True, self.visitor_head)):
            topic = conversation_topic(self.tenant_id, self.conversation_id, for_visitor=for_visitor)
            yield topic, {**frame, "head": head}
