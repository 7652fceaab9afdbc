"""Who may see which file."""

from uuid import UUID

from accounts.principals import Principal
from chat.actors import actor_of
from chat.ledgers import Message
from chat.models import Attachment
from common.errors import NotFound


def attachment_for(principal: Principal, attachment_id: UUID) -> Attachment:
    """Return a file its asker may see; raise NotFound otherwise. Two queries.

    A file not sent yet is its uploader's alone. A sent one is seen by the tenant's agents, and by the conversation's
    visitor unless the message that carries it is private.
    """
    rows = Attachment.objects.for_tenant(principal.tenant_id)
    if principal.is_visitor:
        rows = rows.filter(conversation__visitor_id=principal.id)
    found = rows.filter(pk=attachment_id).first()
    if found is None or not _may_see(principal, found):
        raise NotFound("There is no such file.", pointer="/attachment_id")
    return found


def _may_see(principal: Principal, attachment: Attachment) -> bool:
    actor = actor_of(principal)
    if attachment.message_id is None:
        return (attachment.uploader_type, attachment.uploader_id) == (actor.type, actor.id)
    if not principal.is_visitor:
        return True
    messages = Message.objects.for_tenant(attachment.tenant_id)
    return messages.filter(pk=attachment.message_id, visitor_seq__isnull=False).exists()
