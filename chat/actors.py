"""Who writes in a conversation."""

from dataclasses import dataclass
from uuid import UUID

from accounts.principals import Kind, Principal
from chat.ledgers import SenderType
from common.ids import encode


@dataclass(frozen=True)
class Actor:
    """A participant as the log names it."""

    type: SenderType
    id: UUID
    name: str

    @property
    def is_visitor(self) -> bool:
        return self.type == SenderType.VISITOR

    @property
    def public_id(self) -> str:
        """Return `vi_…` or `us_…`; an API key writes as an agent under its own id."""
        return encode("vi" if self.is_visitor else "us", self.id)


def actor_of(principal: Principal) -> Actor:
    """Return the participant a principal is."""
    kind = SenderType.VISITOR if principal.kind == Kind.VISITOR else SenderType.AGENT
    return Actor(kind, principal.id, principal.name)
