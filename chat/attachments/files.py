"""`/files/<link>`: a file as its link's holder may see it, never run by a browser, never shown on another site."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import authentication
from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from chat.attachments import objects
from chat.attachments.links import LIFE_SECONDS, Link, read_link
from chat.attachments.names import disposition
from chat.attachments.selectors import attachment_for
from chat.models import Attachment
from common.errors import DomainError, NotFound
from common.problems import response_for

CHUNK_BYTES = 64 * 1024
RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # No script, no form, no frame, no origin: whatever a browser makes of the bytes, it stays among itself.
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": f"private, max-age={LIFE_SECONDS}",
    "Referrer-Policy": "no-referrer",
}


@non_atomic_requests
@require_safe
def open_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Hand out a file, or send the browser on to the bucket, after asking again whether the link's holder may see it."""
    try:
        attachment = _opened(token, now=timezone.now())
        response = _remote(attachment) or _local(request, attachment)
    except DomainError as error:
        return response_for(error)
    for name, value in HEADERS.items():
        response.setdefault(name, value)
    return response


def _opened(token: str, *, now: datetime) -> Attachment:
    link = read_link(token, now=now)
    principal = _holder(link, now=now)
    with tenant_scope(link.tenant_id):
        return attachment_for(principal, link.attachment_id)


def _holder(link: Link, *, now: datetime) -> Principal:
    """Return the link's holder as he stands now; raise NotAuthenticated or Forbidden once he may nothing any more."""
    principal = authentication.current_principal(
        kind=link.kind, id=link.holder_id, tenant_id=link.tenant_id, auth_version=link.auth_version, now=now
    )
    principal.require("chat.visit", "chat.read")
    return principal


def _remote(attachment: Attachment) -> HttpResponse | None:
    link = objects.direct_link(attachment)
    if link is None:
        return None
    response = HttpResponseRedirect(link)
    # The bucket's link lives a minute: the redirect must not outlive it in a cache.
    response["Cache-Control"] = "private, no-store"
    return response


def _local(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    try:
        file = objects.read(attachment.storage_key)
    except FileNotFoundError as error:
        raise NotFound("There is no such file.") from error
    first, last, status = _range(request.headers.get("Range", ""), attachment.size)
    if status == 416:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{attachment.size}"})
    response = FileResponse(file, first, last - first + 1, status=status)
    response["Content-Type"] = objects.served_type(attachment.content_type)
    response["Content-Length"] = str(last - first + 1)
    response["Content-Disposition"] = disposition(attachment.file_name, is_inline=attachment.is_image)
    response["Accept-Ranges"] = "bytes"
    if status == 206:
        response["Content-Range"] = f"bytes {first}-{last}/{attachment.size}"
    return response


def _range(header: str, size: int) -> tuple[int, int, int]:
    """Return (first byte, last byte, status) of a request for one range (RFC 9110, section 14); what it is not, is ignored."""
    match = RANGE.fullmatch(header.replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return 0, size - 1, 200
    if not match[1]:
        return max(0, size - int(match[2])), size - 1, 206 if int(match[2]) else 416
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    return first, last, 206 if first <= last else 416


class FileResponse(StreamingHttpResponse):
    """A part of an open file, read in small pieces: under ASGI in threads, without ever holding the whole."""

    def __init__(self, file: IO[bytes], first: int, length: int, **more: Any) -> None:
        super().__init__(self._pieces(file, first, length), **more)
        self._file = file

    def _pieces(self, file: IO[bytes], first: int, length: int) -> Iterator[bytes]:
        file.seek(first)
        while length > 0 and (piece := file.read(min(CHUNK_BYTES, length))):
            length -= len(piece)
            yield piece

    def close(self) -> None:
        self._file.close()
        super().close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)

        def following() -> bytes:
            return next(pieces, b"")

        while piece := await sync_to_async(following, thread_sensitive=False)():
            yield piece


file_urls = [path("files/<str:token>", open_file, name="file")]
