"""Who decides something on a page, as the audit log names them."""

from accounts.pages import MemberRequest
from common.clients import address_of
from usage.services import Actor


def actor_of(request: MemberRequest) -> Actor:
    """Return who asks."""
    who = request.principal
    return Actor(kind=who.kind.value, name=who.name, id=who.id, address=address_of(request) or None)
