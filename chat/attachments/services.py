"""The life of a file: announced by a row, then stored, then carried by a message, at last removed, bytes before row.

The row comes first and goes last: whatever crashes in between leaves a row that the sweep finds, never bytes nobody knows of.
"""

import hashlib
import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.tenancy import system_access
from chat.actors import Actor
from chat.attachments import contents, objects, stripping
from chat.attachments.names import clean_name
from chat.models import Attachment, Conversation, Widget
from common.errors import Conflict, Forbidden, Invalid, NotFound
from common.http import TooLarge
from common.ids import uuid7

logger = logging.getLogger(__name__)

UNSENT_KEPT = timedelta(hours=24)
DISCARDED = datetime(1970, 1, 1, tzinfo=UTC)
SWEEP_BATCH = 50
MEGABYTE = 1024 * 1024
DIGEST_PIECE = 256 * 1024


@dataclass(frozen=True)
class Upload:
    """What arrived: the name as given, and the bytes in a seekable file."""

    name: str
    size: int
    file: IO[bytes]


def announce_upload(
    *, tenant_id: UUID, conversation_id: UUID, actor: Actor, upload: Upload, now: datetime
) -> tuple[Attachment, Upload]:
    """Check an upload and write its row, to be committed before `store_upload` of what is returned beside it.

    Raises NotFound (no such conversation of this actor's), Forbidden (uploads are off), TooLarge, Invalid (empty, damaged).
    """
    conversation = _conversation(tenant_id, conversation_id, actor)
    _require_size(conversation.widget, actor, upload.size)
    content = contents.look_at(upload.file)
    upload = _stripped(upload, content.type)
    attachment = Attachment.objects.create(
        id=uuid7(),
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        uploader_type=actor.type,
        uploader_id=actor.id,
        file_name=clean_name(upload.name),
        size=upload.size,
        content_type=content.type,
        width=content.width,
        height=content.height,
        storage_key=objects.new_key(tenant_id=tenant_id, now=now),
        sha256=_digest(upload.file),
        created_at=now,
    )
    return attachment, upload


def store_upload(attachment: Attachment, upload: Upload) -> None:
    """Write the bytes of an announced upload."""
    objects.write(attachment.storage_key, upload.file)


def withdraw_upload(attachment: Attachment) -> None:
    """Undo an announced upload whose bytes could not be written; what cannot be undone now is left to the sweep."""
    rows = Attachment.objects.for_tenant(attachment.tenant_id).filter(pk=attachment.pk)
    discard(rows)
    try:
        remove_objects([attachment])
    except Exception:  # the storage that did not take the bytes may not answer to this either
        logger.warning("a failed upload is left to the sweep", exc_info=True)
    else:
        rows.delete()


def take_for_message(
    *, tenant_id: UUID, conversation_id: UUID, actor: Actor, attachment_id: UUID, message_id: UUID
) -> Attachment:
    """Give an uploaded file to the message that carries it, once, in the message's transaction.

    Raises NotFound unless this actor uploaded it to this conversation, Conflict when another message carries it.
    """
    rows = Attachment.objects.for_tenant(tenant_id).filter(
        pk=attachment_id, conversation_id=conversation_id, uploader_type=actor.type, uploader_id=actor.id
    )
    if not rows.filter(message_id=None).exclude(created_at=DISCARDED).update(message_id=message_id):
        if rows.exclude(message_id=None).exists():
            raise Conflict("Another message carries this file.", code="attachment-sent", pointer="/attachment_id")
        raise NotFound(
            "There is no such file of yours in this conversation. What no message carries goes after a day: attach it again.",
            pointer="/attachment_id",
        )
    return rows.get()


def discard(rows: QuerySet[Attachment]) -> int:
    """Hand files over to the next sweep: from now on nobody may see them."""
    return rows.update(message_id=None, created_at=DISCARDED, file_name="[erased]", uploader_id=UUID(int=0))


def sweep_unsent(*, now: datetime, batch: int = SWEEP_BATCH) -> int:
    """Remove one batch of files no message carries and nobody will send, of every tenant; return how many.

    Bytes go before rows and rows stay locked meanwhile, so that a crash repeats the work and a late message is refused.
    """
    with system_access("unsent files are swept"):
        stale = Attachment.unscoped.filter(message_id=None, created_at__lt=now - UNSENT_KEPT)
        rows = list(stale.select_for_update(skip_locked=True).order_by("created_at")[:batch])
        remove_objects(rows)
        Attachment.unscoped.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def remove_objects(attachments: Iterable[Attachment]) -> None:
    """Delete the bytes of files; their rows are the caller's to delete after."""
    for attachment in attachments:
        objects.remove(attachment.storage_key)


def _conversation(tenant_id: UUID, conversation_id: UUID, actor: Actor) -> Conversation:
    rows = Conversation.objects.for_tenant(tenant_id).select_related("widget").filter(pk=conversation_id)
    found = (rows.filter(visitor_id=actor.id) if actor.is_visitor else rows).first()
    if found is None:
        raise NotFound("There is no such conversation.", pointer="/conversation_id")
    return found


def _require_size(widget: Widget, actor: Actor, size: int) -> None:
    if actor.is_visitor and not widget.allow_file_upload:
        raise Forbidden("This widget takes no files.", code="uploads-off")
    most = min(widget.max_file_size_mb, settings.IRISX_UPLOAD_MOST_MB)
    if size > most * MEGABYTE:
        raise TooLarge(f"The file is larger than {most} MB.", pointer="/file", extra={"max_file_size_mb": most})
    if size == 0:
        raise Invalid("The file is empty.", code="empty", pointer="/file")


def _stripped(upload: Upload, content_type: str) -> Upload:
    """Return an upload as it is stored: pictures without what says who took them, when and where."""
    if content_type not in stripping.FORMATS:
        return upload
    upload.file.seek(0)
    try:
        bare = stripping.strip(upload.file.read(), content_type)
    except stripping.Unparsable as error:
        raise Invalid("The picture is damaged.", code="damaged", pointer="/file") from error
    return Upload(upload.name, len(bare), io.BytesIO(bare))


def _digest(file: IO[bytes]) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(DIGEST_PIECE):
        digest.update(piece)
    return digest.digest()
