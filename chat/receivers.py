"""What chat does when something happens below it: a new tenant's first widget, agents who come and go."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.exports.contents import StoredFile
from accounts.models import Tenant
from accounts.presence.models import AgentPresence
from accounts.signals import presence_changed, tenant_created, tenant_erasing
from chat.attachments import objects
from chat.attachments.names import clean_name
from chat.attachments.services import remove_objects
from chat.models import Attachment, Widget
from chat.services.routing import drain_on_commit
from chat.services.signs import tell_presence
from common.ids import encode


@receiver(tenant_created, dispatch_uid="chat.first_widget")
def add_first_widget(tenant: Tenant, **kwargs: Any) -> None:
    """Give the tenant a widget named after it."""
    Widget.objects.create(tenant_id=tenant.pk, name=tenant.name)


@receiver(tenant_erasing, dispatch_uid="chat.erase_files")
def erase_files(tenant_id: UUID, table: str, most: int, **kwargs: Any) -> None:
    """Delete the files of a batch of attachments that is about to be erased."""
    if table == Attachment._meta.db_table:
        remove_objects(Attachment.objects.for_tenant(tenant_id).order_by("pk")[:most])


def files_of(tenant_id: UUID) -> Iterator[StoredFile]:
    """Return the files of a company's conversations, for its archive."""
    for file in Attachment.objects.for_tenant(tenant_id).exclude(storage_key="").order_by("pk").iterator():
        path = f"attachments/{encode('at', file.pk)}/{clean_name(file.file_name)}"
        yield StoredFile(path, partial(objects.read, file.storage_key))


@receiver(presence_changed, dispatch_uid="chat.tell_presence")
def on_presence_changed(tenant_id: UUID, user_id: UUID, status: str, now: datetime, **kwargs: Any) -> None:
    """Show colleagues and visitors what an agent has become."""
    tell_presence(tenant_id=tenant_id, user_id=user_id, status=status, now=now)


@receiver(presence_changed, dispatch_uid="chat.drain_queue")
def offer_waiting_chats(tenant_id: UUID, status: str, now: datetime, **kwargs: Any) -> None:
    """Offer what waits in the queue when an agent comes online."""
    if status == AgentPresence.Status.ONLINE:
        drain_on_commit(tenant_id, now=now)
