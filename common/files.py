"""Files over HTTP, whole or a range of them (RFC 9110, section 14)."""

import re
from collections.abc import Iterator, Mapping
from typing import IO

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

BLOCK_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.ASCII)


def ranged(file: IO[bytes], *, size: int, etag: str, headers: Mapping[str, str], content_type: str) -> HttpResponseBase:
    """Answer with the file, or with the one range that was asked for (206); 416 for a range beyond its end.

    `If-Range` that names another version gets the whole. Several ranges, or units other than bytes, get the whole too.
    """
    found = _RANGE.fullmatch(headers.get("Range", "").strip())
    wanted = _bounds(found, size) if found and headers.get("If-Range", etag) == etag else (0, size - 1)
    if wanted is None:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}", "Content-Type": content_type})
    first, last = wanted
    is_whole = (first, last) == (0, size - 1)
    answer = StreamingHttpResponse(
        _blocks(file, first, last - first + 1), status=200 if is_whole else 206, content_type=content_type
    )
    answer["Accept-Ranges"], answer["ETag"] = "bytes", etag
    answer["Content-Length"] = str(last - first + 1)
    if not is_whole:
        answer["Content-Range"] = f"bytes {first}-{last}/{size}"
    return answer


def _bounds(found: re.Match[str], size: int) -> tuple[int, int] | None:
    """Return (first, last) byte; None when nothing of the file lies there."""
    begin, end = found.groups()
    if not begin:  # the last so many
        length = min(int(end or 0), size)
        return (size - length, size - 1) if length else None
    if end and int(end) < int(begin):
        return 0, size - 1
    first, last = int(begin), min(int(end), size - 1) if end else size - 1
    return (first, last) if first <= last else None


def _blocks(file: IO[bytes], first: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block
