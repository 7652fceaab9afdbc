"""The bytes of files, in the default storage. Keys are random under the tenant's prefix; no name ever becomes a key."""

import logging
import secrets
from datetime import datetime
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from chat.attachments.contents import INLINE_TYPES, UNKNOWN
from chat.attachments.names import disposition
from chat.models import Attachment
from common.errors import Unavailable

logger = logging.getLogger(__name__)
DIRECT_LINK_SECONDS = 60


def new_key(*, tenant_id: UUID, now: datetime) -> str:
    """Return a key nobody can guess: the tenant, the month, 192 random bits."""
    return f"attachments/{tenant_id.hex}/{now:%Y%m}/{secrets.token_hex(24)}"


def write(key: str, file: IO[bytes]) -> None:
    """Store the bytes under a key; raise Unavailable when the storage does not take them."""
    file.seek(0)
    try:
        default_storage.save(key, file if isinstance(file, File) else File(file))
    except Exception as error:  # each storage fails in its own way: a full disk, a bucket away, a key revoked
        logger.exception("the storage did not take a file")
        raise Unavailable("The file could not be stored just now; send it again.") from error


def read(key: str) -> IO[bytes]:
    """Return the bytes as an open file; raise FileNotFoundError."""
    return default_storage.open(key, "rb")


def remove(key: str) -> None:
    """Delete the bytes; none there is as good."""
    if key:
        default_storage.delete(key)


def served_type(content_type: str) -> str:
    """Return the Content-Type a file is handed out with: images as they are, the rest as bytes nobody interprets."""
    return content_type if content_type in INLINE_TYPES else UNKNOWN


def direct_link(attachment: Attachment) -> str | None:
    """Return the storage's own link, valid for a minute; None where we hand the bytes out ourselves."""
    if not settings.IRISX_STORAGE_IS_REMOTE:
        return None
    link: str = default_storage.url(  # type: ignore[call-arg] # django-storages takes more than Django's signature says
        attachment.storage_key,
        parameters={
            "ResponseContentDisposition": disposition(attachment.file_name, is_inline=attachment.is_image),
            "ResponseContentType": served_type(attachment.content_type),
            "ResponseCacheControl": "private, max-age=600",
        },
        expire=DIRECT_LINK_SECONDS,
    )
    return link
